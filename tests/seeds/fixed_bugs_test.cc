// Faults that other libraries had and fixed: each is looked for here.  README.md says which is
// tested where; fixed_bugs_on_sockets_test.cc has those where the operating system is the point.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "async/async.h"
#include "async/testing/simulation.h"
#include "tcp/tcp.h"
#include "tests/support/connected_pair.h"
#include "tests/support/echo_server.h"
#include "tests/support/fake_transport.h"
#include "tests/support/recording_monitor.h"
#include "tests/support/recording_observer.h"

namespace async {
namespace {

using namespace std::chrono_literals;
using ::testing::Each;
using ::testing::ElementsAre;
using testing::Host;
using testing::Simulation;
using Next = Handle_chunk_result;

TEST(Fixed_bugs, T1_all_of_a_burst_of_connections_are_handled) {
  Simulation simulation;
  const Host server = simulation.host("server");
  simulation.run([&]() -> Deferred<> {
    const auto echo = co_await echo_server(server, 7);
    std::vector<Deferred<std::string>> answers;
    for (int i = 0; i < 500; ++i) {
      answers.push_back(ask(Tcp::to_host_and_port("server", 7), std::to_string(i)));
    }
    int i = 0;
    for (const std::string& answer : co_await all(std::move(answers))) {
      EXPECT_EQ(answer, std::to_string(i++));
    }
    EXPECT_EQ(echo.counts().accepted, 500U);
  });
}

// The second client is accepted long after its bytes have come, and sends no more.
TEST(Fixed_bugs, T3_bytes_that_came_before_the_handler_are_read_without_more) {
  Simulation simulation;
  const Host server = simulation.host("server");
  simulation.run([&]() -> Deferred<> {
    const auto one_at_a_time = co_await server.within([] {
      return Tcp::Server::create(Tcp::on_port(7), {.max_connections = 1},
                                 [](const Address::Inet&, Reader reader, Writer writer) {
                                   return echo(std::move(reader), std::move(writer));
                                 });
    });
    const auto where = Tcp::to_host_and_port("server", 7);
    const auto first = co_await Tcp::connect(where);
    const auto second = co_await Tcp::connect(where);
    second.writer.write_line("early");
    co_await Clock::after(1min);
    EXPECT_EQ(one_at_a_time.num_connections(), 1);
    co_await first.writer.close();
    EXPECT_EQ(co_await second.reader.read_line(), "early");
    co_await second.writer.close();
  });
}

TEST(Fixed_bugs, T8_a_flood_at_once_is_pushed_back_only_when_there_is_room) {
  Simulation simulation;
  const Host server = simulation.host("server");
  simulation.run([&]() -> Deferred<> {
    const Ivar<> read_now;
    co_await server.within([read_now] {
      return Tcp::Server::create(
          Tcp::on_port(7), [read_now](const Address::Inet&, Reader reader, Writer) -> Deferred<> {
            co_await read_now.read();
            co_await reader.drain();
          });
    });
    const auto client = co_await Tcp::connect(Tcp::to_host_and_port("server", 7));
    const auto observer = std::make_shared<Recording_observer>();
    client.writer.observe(observer);
    client.writer.write(std::string(4'000'000, 'x'));
    const auto pushed_back = client.writer.pushed_back();
    co_await Clock::after(10s);
    EXPECT_FALSE(pushed_back.is_determined());
    EXPECT_TRUE(client.writer.is_throttled());
    using ::testing::AllOf;
    using ::testing::Contains;
    using ::testing::Not;
    EXPECT_THAT(observer->events, AllOf(Contains("throttled"), Not(Contains("unthrottled"))));
    read_now.fill();
    co_await pushed_back;
    co_await client.writer.close();
  });
}

TEST(Fixed_bugs, T12_the_longest_spans_there_are_wait_and_are_not_over_at_once) {
  Simulation().run([]() -> Deferred<> {
    for (const Span longest : {Span::max(), Span(std::chrono::hours::max()), Span(1e300h)}) {
      const auto wire = std::make_shared<Fake_wire>();
      wire->room = 0;
      const End end = fake_end(wire, {.buffer_age_limit = Buffer_age_limit::at_most(longest),
                                      .idle_timeout = longest,
                                      .max_lifetime = longest});
      const auto idle = end.writer.idle(longest);
      const auto read = Clock::with_timeout(longest, end.reader.read());
      const auto alarm = Clock::Event::after(longest);
      end.writer.write("x");
      co_await Clock::after(24h);
      EXPECT_FALSE(end.writer.is_closed());
      EXPECT_FALSE(idle.is_determined());
      EXPECT_FALSE(read.is_determined());
      EXPECT_EQ(alarm.abort(), Clock::Event::Outcome::Ok);
      const auto closed = end.writer.close({.force_close = longest});
      co_await Clock::after(24h);
      EXPECT_FALSE(closed.is_determined());
      wire->room = 1;
      wire->tell_writable();
      EXPECT_EQ((co_await closed).outcome, Flush_result::Flushed);
      co_await idle;
      EXPECT_EQ((co_await read).value(), closed_eof);
    }
  });
}

// In whatever state the connection is, and whether or not the other side ever says anything.
TEST(Fixed_bugs, T15_an_abort_always_completes_at_once) {
  Simulation().run([]() -> Deferred<> {
    const std::vector<std::function<void(const End&)>> states = {
        [](const End&) {},
        [](const End& end) { end.reader.pause(); },
        [](const End& end) { end.writer.write(std::string(200'000, 'x')); },
        [](const End& end) { end.writer.shutdown_send(); },
        [](const End& end) { static_cast<void>(end.writer.close({.force_close = Span::max()})); },
        [](const End& end) {
          static_cast<void>(end.writer.close({.force_close = Span::max(), .wait_for_peer = true}));
        },
    };
    for (const auto& bring_about : states) {
      const auto wire = std::make_shared<Fake_wire>();
      wire->room = 0;
      wire->unacknowledged = 1;
      const End end = fake_end(wire);
      const auto read = end.reader.read();
      bring_about(end);
      co_await Scheduler::yield();
      const Time_ns before = Clock::now();
      co_await end.writer.abort();
      EXPECT_EQ(Clock::now(), before);
      EXPECT_EQ(co_await read, closed_eof);
      EXPECT_EQ(wire->closed, Transport::How::Reset);
    }
  });
}

// Both sides send more than the network holds, read in pieces, pause, and give reads up, by chance.
TEST(Fixed_bugs, T19_T25_however_it_is_paused_and_resumed_nobody_stays_deaf_or_dumb) {
  Simulation simulation;
  const Host far = simulation.host("far");
  simulation.run([&]() -> Deferred<> {
    const Ends ends = co_await connected_pair({.other = far});
    constexpr std::size_t total = 1'000'000;
    const auto send = [](Writer writer) -> Deferred<> {
      for (std::size_t sent = 0; sent < total;) {
        const std::size_t size = std::min<std::size_t>(total - sent, 1 + Random::below(30'000));
        writer.write(std::string(size, static_cast<char>('a' + sent % 26)));
        sent += size;
        if (Random::below(2) == 0) co_await writer.pushed_back();
        if (Random::below(8) == 0) co_await Clock::after(Span(1ms));
      }
      co_await writer.flushed();
      writer.shutdown_send();
    };
    const auto receive = [](Reader reader) -> Deferred<std::size_t> {
      std::size_t received = 0;
      for (;;) {
        if (Random::below(3) == 0) {
          reader.pause();
          Clock::Event::run_after(std::chrono::microseconds(Random::below(3'000)),
                                  [reader] { reader.resume(); });
        }
        const auto chunk =
            co_await Clock::with_timeout(std::chrono::microseconds(1 + Random::below(5'000)),
                                         reader.read(1 + Random::below(100'000)));
        if (!chunk) continue;
        if (!*chunk) co_return received;
        received += (*chunk)->size();
      }
    };
    const Deferred<> sent_here = send(ends.here.writer);
    const Deferred<> sent_there = send(ends.there.writer);
    const Deferred<std::size_t> received_here = receive(ends.here.reader);
    EXPECT_EQ(co_await receive(ends.there.reader), total);
    EXPECT_EQ(co_await received_here, total);
    co_await sent_here;
    co_await sent_there;
  });
}

/// What one connection took of what was offered to it, by chance.
struct Accepted {
  std::string bytes;
  std::vector<std::pair<Send_token, Deferred<Flush_result>>> outcomes;
};

// The system takes what it likes; the connection dies of something, in the middle.
TEST(Fixed_bugs, T22_T27_T28_each_accepted_send_has_one_outcome_and_the_true_one) {
  for (std::uint64_t round = 0; round < 300; ++round) {
    Simulation({.seed = 1000 + round}).run([&]() -> Deferred<> {
      const Recording_monitor monitor;
      const auto wire = std::make_shared<Fake_wire>();
      const End end = co_await monitor.under([&]() -> Deferred<End> { co_return fake_end(wire); });
      end.writer.set_water_marks({.high = 2'000, .low = 500});
      Accepted accepted;
      for (int i = 0; i < 40; ++i) {
        const std::string bytes(Random::below(900), static_cast<char>('a' + i % 26));
        if (const auto token = end.writer.try_write(bytes)) {
          accepted.bytes += bytes;
          accepted.outcomes.emplace_back(*token, end.writer.outcome(*token));
        }
        wire->room = Random::below(1'500);
        if (Random::below(2) == 0) wire->tell_writable();
        if (Random::below(3) == 0) co_await Scheduler::yield();
      }
      wire->room = 0;
      switch (round % 3) {
        case 0:
          static_cast<void>(end.writer.abort());
          break;
        case 1:
          wire->write_error = io_error_of_errno(ECONNRESET);
          wire->tell_writable();
          break;
        default:
          wire->write_error = io_error_of_errno(EIO);
          wire->tell_writable();
      }
      const std::string written = wire->written();
      EXPECT_EQ(written, accepted.bytes.substr(0, written.size()));
      EXPECT_EQ(end.writer.bytes_received(), accepted.bytes.size());
      if (written == accepted.bytes) co_return;  // nothing waited, so nothing was noticed
      for (const auto& [token, outcome] : accepted.outcomes) {
        const bool has_left = token.position() <= written.size();
        EXPECT_EQ(co_await outcome == Flush_result::Flushed, has_left) << token.position();
      }
    });
  }
}

// What is sent takes several calls, and the second one fails.
TEST(Fixed_bugs, T28_what_had_left_when_the_next_call_fails_is_flushed) {
  for (const int error : {ECONNRESET, EIO}) {
    Simulation().run([&]() -> Deferred<> {
      const Recording_monitor monitor;
      const auto wire = std::make_shared<Fake_wire>();
      const End end = co_await monitor.under([&]() -> Deferred<End> { co_return fake_end(wire); });
      wire->write_error = io_error_of_errno(error);
      wire->num_writes_before_error = 1;
      const auto bytes = std::make_shared<const std::string>(600, 'x');  // too much to copy
      std::vector<Deferred<Flush_result>> outcomes;
      for (int i = 0; i < 1500; ++i) {
        end.writer.schedule(*bytes, bytes);
        outcomes.push_back(end.writer.flushed());
      }
      for (std::size_t i = 0; i < outcomes.size(); ++i) {
        const bool has_left = i < 1024;
        EXPECT_EQ(co_await outcomes[i] == Flush_result::Flushed, has_left) << i;
      }
      EXPECT_EQ(wire->written().size(), 1024U * 600);
    });
  }
}

// One socket takes a send bit by bit while the other side sends and ends: what is heard comes in
// the order in which it happened.
TEST(Fixed_bugs, T30_outcomes_come_before_what_happens_after_them) {
  Simulation().run([]() -> Deferred<> {
    const auto wire = std::make_shared<Fake_wire>();
    wire->room = 0;
    const End end = fake_end(wire);
    end.writer.set_water_marks({.high = 25, .low = 5});
    std::vector<std::string> log;
    for (const char* name : {"one", "two", "three"}) {
      const Send_token token = end.writer.try_write("0123456789").value();
      end.writer.outcome(token).upon([&log, name](Flush_result r) {
        log.push_back(std::string(name) + " " + std::string(to_string(r)));
      });
    }
    co_await Scheduler::yield();
    EXPECT_TRUE(end.writer.is_throttled());
    end.writer.pushed_back().upon([&log] { log.emplace_back("pushed back"); });
    end.reader.read().upon(
        [&log](const Read_result<std::string>& bytes) { log.push_back("read " + *bytes); });
    end.writer.close_finished().upon([&log](const Close_result&) { log.emplace_back("closed"); });
    wire->room = 10;
    wire->tell_writable();
    wire->arrive("hello");
    wire->room = 20;
    wire->tell_writable();
    static_cast<void>(end.writer.close());
    co_await end.writer.close_finished();
    co_await Scheduler::yield();
    EXPECT_THAT(log, ElementsAre("one flushed", "read hello", "two flushed", "three flushed",
                                 "pushed back", "closed"));
  });
}

TEST(Fixed_bugs, T33_a_full_buffer_is_no_end) {
  Simulation().run([]() -> Deferred<> {
    for (const std::size_t size : {1UL, 2UL, 3UL, 8UL}) {
      const auto wire = std::make_shared<Fake_wire>();
      const End end = fake_end(wire, {.reader_buffer_size = size});
      const auto first = end.reader.peek(1);
      wire->arrive(std::string(20, 'x'));  // of which the buffer takes `size`
      EXPECT_EQ(co_await first, "x");
      EXPECT_EQ(end.reader.bytes_available(), size);
      end.reader.pause();
      const auto all = end.reader.really_read(20);
      wire->tell_readable();
      EXPECT_FALSE(co_await Clock::with_timeout(1s, all));
      end.reader.resume();
      for (int i = 0; i < 20; ++i) wire->tell_readable();
      EXPECT_EQ((co_await all)->size(), 20U);
      EXPECT_FALSE(end.reader.is_eof());
    }
  });
}

TEST(Fixed_bugs, T35_resuming_while_a_chunk_is_handled_keeps_the_order_and_calls_nothing_within) {
  Simulation().run([]() -> Deferred<> {
    const Ends ends = co_await connected_pair();
    ends.there.writer.write("abcdefghij");
    std::string got;
    int depth = 0;
    const auto result = ends.here.reader.read_one_chunk_at_a_time([&](std::string_view chunk) {
      EXPECT_EQ(depth++, 0);
      got += chunk[0];
      ends.here.reader.pause();
      ends.here.reader.resume();
      ends.here.reader.pause();
      Scheduler::schedule([reader = ends.here.reader] { reader.resume(); });
      --depth;
      return Next::consumed(1);
    });
    co_await Clock::after(1s);
    ends.there.writer.write("klm");
    co_await ends.there.writer.close();
    EXPECT_EQ(co_await result, Chunks_result::Eof);
    EXPECT_EQ(got, "abcdefghijklm");
  });
}

// Two who are full of each other's bytes: one closes, and both get on.
TEST(Fixed_bugs, T42_who_waits_to_write_is_released_when_either_side_closes) {
  Simulation simulation;
  const Host far = simulation.host("far");
  simulation.run([&]() -> Deferred<> {
    for (const bool at_once : {true, false}) {
      const Ends ends = co_await connected_pair({.other = far});
      for (const End& end : {ends.here, ends.there}) {
        end.writer.set_raise_when_consumer_leaves(false);
        end.writer.write(std::string(3'000'000, 'x'));
      }
      const auto here = ends.here.writer.pushed_back();
      const auto there = ends.there.writer.pushed_back();
      co_await Clock::after(1min);
      EXPECT_FALSE(here.is_determined());
      EXPECT_FALSE(there.is_determined());
      static_cast<void>(at_once ? ends.here.writer.abort()
                                : ends.here.writer.close({.force_close = 1s}));
      co_await here;
      const auto in_time = co_await Clock::with_timeout(1h, there);
      EXPECT_TRUE(in_time);
      co_await ends.there.writer.abort();
    }
  });
}

}  // namespace
}  // namespace async
