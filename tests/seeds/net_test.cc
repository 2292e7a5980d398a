// What programs do with Pony's `TCPConnectionNotify`.  README.md says which row is tested where.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "async/async.h"
#include "async/testing/simulation.h"
#include "tcp/tcp.h"
#include "tests/support/connected_pair.h"
#include "tests/support/echo_server.h"

namespace async {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using testing::Host;
using testing::Simulation;
using Next = Handle_chunk_result;

/// What a notifier of net is told, put on what there is here.
class Notify : public Filter {
 public:
  virtual void connected(const End&) {}
  /// Returns whether to go on at once; `times` counts the calls since others had their turn.
  virtual bool has_come(const End&, std::string_view, std::size_t /*times*/) { return true; }
  virtual void throttled(const End&) {}
  virtual void unthrottled(const End&) {}
  virtual void closed(const End&) {}
};

/// `notify(end, n)` runs `n` on the connection, up to its end.
Deferred<> notify(End end, std::shared_ptr<Notify> n) {
  struct Events final : Connection_observer {
    Events(End end, Notify& n) : end(std::move(end)), n(n) {}
    void throttled(const Connection_info&) override { n.throttled(end); }
    void unthrottled(const Connection_info&) override { n.unthrottled(end); }
    void closed(const Connection_info&, const Close_result&) override { n.closed(end); }
    const End end;
    Notify& n;
  };
  end.writer.add_filter(n);
  end.writer.observe(std::make_shared<Events>(end, *n));
  n->connected(end);
  std::size_t times = 0;
  while (const auto frame = co_await end.reader.read_frame()) {
    if (n->has_come(end, *frame, ++times)) continue;
    times = 0;
    co_await Scheduler::yield();
  }
  co_await end.writer.close();
  co_await Scheduler::yield();
}

/// Adds a digit of length to what it sends, sends back what it gets, and gives way at each third.
struct Framing final : Notify {
  void sent(std::string_view bytes, std::string& out) override {
    if (bytes.empty() || bytes == "secret") return;
    out += static_cast<char>('0' + bytes.size());
    out += bytes;
  }
  void connected(const End& end) override {
    log.emplace_back("connected");
    end.reader.expect(1);
  }
  bool has_come(const End& end, std::string_view bytes, std::size_t times) override {
    if (in_header) {
      end.reader.expect(static_cast<std::size_t>(bytes[0] - '0'));
    } else {
      log.push_back(std::string(bytes) + " " + std::to_string(times));
      end.writer.write(bytes);
      end.reader.expect(1);
    }
    in_header = !in_header;
    return times < 3;
  }
  void throttled(const End&) override { log.emplace_back("throttled"); }
  void unthrottled(const End&) override { log.emplace_back("unthrottled"); }
  void closed(const End&) override { log.emplace_back("closed"); }

  std::vector<std::string> log;
  bool in_header = true;
};

TEST(Net, P4_P7_P9_P10_P12_L80_a_notifier_is_a_few_lines) {
  Simulation().run([]() -> Deferred<> {
    const Ends ends = co_await connected_pair();
    const auto framing = std::make_shared<Framing>();
    const Deferred<> notified = notify(ends.here, framing);
    ends.there.writer.write("3one3two5three6secret4last");
    ends.there.writer.shutdown_send();
    EXPECT_EQ(co_await ends.there.reader.contents(), "3one3two5three4last");
    co_await notified;
    EXPECT_THAT(framing->log, ElementsAre("connected", "one 2", "two 1", "three 3", "secret 2",
                                          "last 1", "closed"));
  });
}

TEST(Net, P13_P14_P25_a_notifier_stops_its_producers_and_lets_them_go_on) {
  struct Flood final : Notify {
    void throttled(const End&) override { may_write = false; }
    void unthrottled(const End& end) override {
      may_write = true;
      ++num_released;
      go_on(end);
    }
    void go_on(const End& end) {
      while (may_write && left > 0 && !end.writer.is_throttled()) {
        end.writer.write(std::string(10'000, 'x'));
        --left;
        most = std::max(most, end.writer.bytes_to_write());
      }
      if (left == 0) end.writer.shutdown_send();
    }
    bool may_write = true;
    int left = 500;
    int num_released = 0;
    std::size_t most = 0;
  };
  Simulation simulation;
  const Host far = simulation.host("far");
  simulation.run([&]() -> Deferred<> {
    const Ends ends = co_await connected_pair({.other = far});
    const auto flood = std::make_shared<Flood>();
    const Deferred<> notified = notify(ends.here, flood);
    flood->go_on(ends.here);
    EXPECT_EQ((co_await ends.there.reader.contents()).size(), 5'000'000U);
    co_await ends.there.writer.close();
    co_await notified;
    EXPECT_GT(flood->num_released, 10);
    EXPECT_LE(flood->most, 80'000U);
  });
}

TEST(Net, P1_what_a_handler_sets_first_holds_from_the_first_byte) {
  struct Upper_case final : Filter {
    void received(std::string_view bytes, std::string& out) override {
      for (const char c : bytes) out += static_cast<char>(std::toupper(c));
    }
  };
  Simulation simulation;
  const Host server = simulation.host("server");
  simulation.run([&]() -> Deferred<> {
    co_await server.within([] {
      return Tcp::Server::create(
          Tcp::on_port(7), [](const Address::Inet&, Reader reader, Writer writer) -> Deferred<> {
            writer.write("welcome");
            writer.add_filter(std::make_shared<Upper_case>());
            reader.expect(3);
            reader.pause();
            EXPECT_FALSE(co_await Clock::with_timeout(1min, reader.read_frame()));
            reader.resume();
            const std::string frame(*co_await reader.read_frame());
            writer.write(", " + frame);
          });
    });
    const std::string answer = co_await Tcp::with_connection(
        Tcp::to_host_and_port("server", 7), [](auto, Reader reader, Writer writer) {
          writer.write("abcdef");
          return reader.contents();
        });
    EXPECT_EQ(answer, "welcome, ABC");
  });
}

// The other protocol begins with bytes that have come with the last ones of the first.
TEST(Net, P17_another_protocol_goes_on_with_the_same_connection) {
  Simulation().run([]() -> Deferred<> {
    const Ends ends = co_await connected_pair();
    const auto frames = [](Reader reader, Writer writer) -> Deferred<> {
      reader.expect(2);
      while (const auto frame = co_await reader.read_frame()) {
        writer.write("[" + std::string(*frame) + "]");
      }
    };
    const auto lines = [&](Reader reader, Writer writer) -> Deferred<> {
      while (const auto line = co_await reader.read_line()) {
        writer.write_line(*line);
        if (*line == "upgrade") co_return co_await frames(std::move(reader), std::move(writer));
      }
    };
    const Deferred<> served = lines(ends.here.reader, ends.here.writer);
    ends.there.writer.write("hello\nupgrade\nabcd");
    ends.there.writer.shutdown_send();
    co_await served;
    co_await ends.here.writer.close();
    EXPECT_EQ(co_await ends.there.reader.contents(), "hello\nupgrade\n[ab][cd]");
  });
}

TEST(Net, P23_addresses_have_parts_and_compare_by_all_of_them) {
  const auto address = Address::Inet::of_string("[fe80::1%7]:80");
  EXPECT_EQ(address.port(), 80);
  EXPECT_EQ(address.addr().version(), Ip_version::V6);
  EXPECT_EQ(address.addr().scope(), 7U);
  EXPECT_EQ(address.addr().bytes()[0], 0xfe);
  EXPECT_NE(address, Address::Inet::of_string("[fe80::1%7]:81"));
  EXPECT_NE(address, Address::Inet::of_string("[fe80::1%8]:80"));
  EXPECT_NE(address, Address::Inet::of_string("[fe80::2%7]:80"));
  EXPECT_EQ(to_string(address), "[fe80::1%7]:80");
}

}  // namespace
}  // namespace async
