// What programs do with lori's `TCPConnection`.  README.md says which row is tested where.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "async/async.h"
#include "async/testing/simulation.h"
#include "tcp/tcp.h"
#include "tests/support/connected_pair.h"
#include "tests/support/echo_server.h"
#include "tests/support/fake_transport.h"
#include "tests/support/recording_observer.h"

namespace async {
namespace {

using namespace std::chrono_literals;
using ::testing::Each;
using ::testing::ElementsAre;
using testing::Host;
using testing::Simulation;

TEST(Lori, L1_L6_a_client_is_told_once_and_not_within_the_call) {
  Simulation simulation;
  const Host server = simulation.host("server");
  simulation.run([&]() -> Deferred<> {
    co_await server.within([] {
      return Tcp::Server::create(Tcp::on_port(7),
                                 [](const Address::Inet&, Reader reader, Writer writer) {
                                   writer.write("welcome");
                                   return reader.drain().map([](Eof) {});
                                 });
    });
    const auto connecting = or_error(Tcp::connect(Tcp::to_host_and_port("server", 7)));
    const auto failing = or_error(Tcp::connect(Tcp::to_host_and_port("server", 8)));
    EXPECT_FALSE(connecting.is_determined());
    EXPECT_FALSE(failing.is_determined());
    const auto connected = co_await connecting;
    EXPECT_EQ(co_await connected->reader.read(7), "welcome");
    EXPECT_EQ((co_await failing).error().as<Tcp::Connect_error>()->kind(),
              Tcp::Connect_error::Kind::Refused);
    co_await connected->socket.abort();
  });
}

TEST(Lori, L11_no_connection_is_none) {
  static_assert(!std::is_default_constructible_v<Reader>);
  static_assert(!std::is_default_constructible_v<Writer>);
  static_assert(!std::is_default_constructible_v<Socket<Socket_state::Active, Address::Inet>>);
}

TEST(Lori, L16_a_connection_is_closed_while_what_was_written_is_still_flushed) {
  Simulation().run([]() -> Deferred<> {
    const auto wire = std::make_shared<Fake_wire>();
    wire->room = 0;
    const End end = fake_end(wire);
    end.writer.write("last words");
    EXPECT_FALSE(end.writer.is_closed());
    const auto closed = end.writer.close();
    EXPECT_TRUE(end.writer.is_closed());
    EXPECT_TRUE(end.reader.is_closed());
    co_await Clock::after(10s);
    EXPECT_FALSE(closed.is_determined());
    wire->room = 100;
    wire->tell_writable();
    EXPECT_EQ(co_await closed, Close_result());
    EXPECT_EQ(wire->written(), "last words");
  });
}

TEST(Lori, L18_addresses_stay_valid_when_the_connection_is_closed) {
  struct Observer final : Connection_observer {
    std::optional<Connection_info> last;
    void closed(const Connection_info& info, const Close_result&) override { last = info; }
  };
  Simulation simulation;
  const Host server = simulation.host("server");
  simulation.run([&]() -> Deferred<> {
    co_await echo_server(server, 7);
    const auto [socket, reader, writer] = co_await Tcp::connect(Tcp::to_host_and_port("server", 7));
    const Address::Inet here = socket.getsockname();
    const Address::Inet there = socket.getpeername();
    EXPECT_EQ(there.port(), 7);
    const auto observer = std::make_shared<Observer>();
    writer.observe(observer);
    co_await writer.close();
    co_await Scheduler::yield();
    EXPECT_EQ(socket.getpeername(), there);
    EXPECT_EQ(observer->last->local, Address::Any(here));
    EXPECT_EQ(observer->last->remote, Address::Any(there));
  });
}

TEST(Lori, L27_L30_L36_aborting_tells_what_left_and_what_did_not_and_then_that_it_is_closed) {
  Simulation().run([]() -> Deferred<> {
    const auto wire = std::make_shared<Fake_wire>();
    wire->room = 15;
    const End end = fake_end(wire);
    const auto observer = std::make_shared<Recording_observer>();
    end.writer.observe(observer);
    std::vector<std::string> log;
    for (const char* name : {"first", "second", "third"}) {
      end.writer.outcome(*end.writer.try_write("0123456789"))
          .upon([&log, name](Flush_result result) {
            log.push_back(name + (": " + std::string(to_string(result))));
          });
    }
    end.writer.close_finished().upon([&log](const Close_result&) { log.emplace_back("closed"); });
    co_await Scheduler::yield();
    EXPECT_THAT(log, ElementsAre("first: flushed"));
    const auto closed = end.writer.abort();
    EXPECT_EQ(log.size(), 1U);  // nothing is called within the call
    EXPECT_EQ(co_await closed, (Close_result{.outcome = Flush_result::Force_closed,
                                             .bytes_dropped = 15,
                                             .reason = Close_reason::Aborted}));
    co_await end.writer.abort();
    co_await Clock::after(1h);
    EXPECT_THAT(log, ElementsAre("first: flushed", "second: force closed", "third: force closed",
                                 "closed"));
    EXPECT_THAT(observer->events,
                ElementsAre("sent 15", "closed: force closed, 15 dropped, aborted"));
  });
}

TEST(Lori, L28_the_end_of_the_other_side_costs_neither_half_a_frame_nor_what_waits) {
  Simulation simulation;
  const Host far = simulation.host("far");
  simulation.run([&]() -> Deferred<> {
    const Ends ends = co_await connected_pair({.other = far});
    const std::string much(2'000'000, 'x');
    const auto token = ends.here.writer.try_write(much);
    ends.here.reader.expect(10);
    ends.there.writer.write("0123456789half");
    ends.there.writer.shutdown_send();
    EXPECT_EQ(co_await ends.here.reader.read_frame(), "0123456789");
    EXPECT_EQ(co_await ends.here.reader.read_frame(), clean_eof);
    EXPECT_EQ(ends.here.reader.read_available(), "half");
    EXPECT_TRUE(ends.here.writer.try_writev({}) || ends.here.writer.is_throttled());
    const auto closed = ends.here.writer.close();
    EXPECT_TRUE(co_await ends.there.reader.contents() == much);
    EXPECT_EQ(co_await ends.here.writer.outcome(*token), Flush_result::Flushed);
    EXPECT_EQ(*(co_await closed).peer_end, Eof::Reason::Clean);
  });
}

/// Ends its connection from the first event of a kind.
struct Ender final : Connection_observer {
  Ender(std::string event, std::function<void()> end)
      : event(std::move(event)), end(std::move(end)) {}

  void sent(const Connection_info&, std::size_t) override { tell("sent"); }
  void received(const Connection_info&, std::size_t) override { tell("received"); }
  void throttled(const Connection_info&) override { tell("throttled"); }
  void unthrottled(const Connection_info&) override { tell("unthrottled"); }
  void closed(const Connection_info&, const Close_result&) override {
    ++num_closed;
    tell("closed");
  }
  void tell(const std::string& what) {
    if (what == event && end) std::exchange(end, nullptr)();
  }

  const std::string event;
  std::function<void()> end;
  int num_closed = 0;
};

TEST(Lori, L31_a_connection_may_be_ended_by_whatever_hears_of_it) {
  Simulation simulation;
  const Host far = simulation.host("far");
  simulation.run([&]() -> Deferred<> {
    for (const char* event : {"sent", "received", "throttled", "unthrottled", "closed"}) {
      for (const bool at_once : {true, false}) {
        const Ends ends = co_await connected_pair({.other = far});
        const Writer writer = ends.here.writer;
        writer.set_raise_when_consumer_leaves(false);
        const auto ender = std::make_shared<Ender>(event, [writer, at_once] {
          static_cast<void>(at_once ? writer.abort() : writer.close());
        });
        writer.observe(ender);
        writer.schedule(std::string(1'000'000, 'x'));
        ends.there.writer.write("hello");
        const auto got = or_error(ends.there.reader.contents());
        const auto chunk = ends.here.reader.read();
        co_await Clock::after(1min);
        static_cast<void>(writer.close());
        co_await writer.close_finished();
        co_await got;
        co_await chunk;
        co_await Scheduler::yield();
        EXPECT_EQ(ender->end, nullptr) << event;
        EXPECT_EQ(ender->num_closed, 1) << event;
      }
    }
  });
}

// The application keeps what is refused, and knows when all that was accepted has left.
TEST(Lori, L17_L32_L34_L35_a_flood_stops_when_it_is_refused_and_goes_on_when_it_is_pushed_back) {
  Simulation simulation;
  const Host far = simulation.host("far");
  simulation.run([&]() -> Deferred<> {
    const Ends ends = co_await connected_pair({.other = far});
    const Writer writer = ends.here.writer;
    const std::string block(65'536, 'b');
    std::map<Send_token, Deferred<Flush_result>> outstanding;
    int refusals = 0;
    const auto flood = [&]() -> Deferred<> {
      for (int i = 0; i < 200;) {
        if (const auto token = writer.try_write(block)) {
          outstanding.emplace(*token, writer.outcome(*token));
          ++i;
        } else {
          EXPECT_EQ(token.error(), Send_error::Not_writeable);
          EXPECT_TRUE(writer.is_throttled());
          ++refusals;
          co_await writer.pushed_back();
        }
      }
      writer.shutdown_send();
    };
    const Deferred<> flooded = flood();
    EXPECT_EQ((co_await ends.there.reader.contents()).size(), 200 * block.size());
    co_await flooded;
    EXPECT_GT(refusals, 10);
    EXPECT_EQ(outstanding.size(), 200U);
    for (const auto& [token, outcome] : outstanding) {
      EXPECT_EQ(outcome.peek(), Flush_result::Flushed) << token.position();
    }
    EXPECT_EQ(writer.try_write("x"), std::unexpected(Send_error::Not_connected));
  });
}

TEST(Lori, L38_L47_a_length_and_what_it_is_of_leave_together_and_are_read_apart) {
  Simulation().run([]() -> Deferred<> {
    const Ends ends = co_await connected_pair();
    for (const std::string& body : {std::string("hello"), std::string(70'000, 'x')}) {
      std::string header(4, '\0');
      for (std::size_t i = 0; i < 4; ++i) {
        header[i] = static_cast<char>(body.size() >> (24 - 8 * i));
      }
      const std::string_view parts[] = {header, body};
      const Send_token token = ends.there.writer.try_writev(parts).value();
      EXPECT_EQ(token.position(), ends.there.writer.bytes_received());
    }
    std::vector<std::size_t> sizes;
    while (sizes.size() < 2) {
      ends.here.reader.expect(4);
      std::size_t size = 0;
      const auto header = co_await ends.here.reader.read_frame();
      for (const char c : *header) size = size << 8U | static_cast<unsigned char>(c);
      ends.here.reader.expect(size, 100'000);
      sizes.push_back((co_await ends.here.reader.read_frame())->size());
    }
    EXPECT_THAT(sizes, ElementsAre(5, 70'000));
  });
}

TEST(Lori, L59_after_an_abort_not_even_what_has_arrived_is_read) {
  Simulation().run([]() -> Deferred<> {
    const Ends ends = co_await connected_pair();
    ends.there.writer.write("one two");
    EXPECT_EQ(co_await ends.here.reader.read(3), "one");
    EXPECT_EQ(ends.here.reader.bytes_available(), 4U);
    co_await ends.here.writer.abort();
    EXPECT_EQ(ends.here.reader.read_available(), "");
    EXPECT_EQ(co_await ends.here.reader.read(), closed_eof);
    EXPECT_EQ(co_await ends.there.reader.read(), reset_eof);
  });
}

TEST(Lori, L67_L68_a_deadline_is_not_put_off_by_bytes_and_can_be_taken_back) {
  Simulation().run([]() -> Deferred<> {
    const Ends ends = co_await connected_pair();
    const Time_ns start = Clock::now();
    std::vector<std::string> events;
    const auto deadline = Clock::Event::run_after(100ms, [&] {
      events.push_back("too late after " + to_string(Span(Clock::now() - start)));
      static_cast<void>(ends.here.writer.close());
    });
    const auto other = Clock::Event::run_after(50ms, [&] { events.emplace_back("never"); });
    EXPECT_EQ(other.abort(), Clock::Event::Outcome::Ok);
    EXPECT_EQ(other.abort(), Clock::Event::Outcome::Previously_aborted);
    int arrived = 0;
    const auto trickle = [writer = ends.there.writer]() -> Deferred<> {
      writer.set_raise_when_consumer_leaves(false);
      while (!writer.consumer_left().is_determined() && !writer.is_closed()) {
        writer.write("x");
        co_await choose(choice(Clock::after(10ms), [] {}), choice(writer.consumer_left(), [] {}));
      }
    };
    const Deferred<> trickled = trickle();
    while (co_await ends.here.reader.read()) ++arrived;
    co_await ends.here.writer.close_finished();
    EXPECT_THAT(events, ElementsAre("too late after 100ms"));
    EXPECT_EQ(deadline.abort(), Clock::Event::Outcome::Previously_happened);
    EXPECT_GE(arrived, 9);
    co_await ends.there.writer.close();
    co_await trickled;
  });
}

}  // namespace
}  // namespace async
