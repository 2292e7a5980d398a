// The observer of connecting: who is told what, and in which order.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "async/testing/simulation.h"
#include "tcp/tcp.h"
#include "tests/support/echo_server.h"

namespace async {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using testing::Host;
using testing::Simulation;
using ::testing::StartsWith;
using Kind = Tcp::Connect_error::Kind;

/// Writes down what it is told, with the time.
class Recorder final : public Tcp::Observer {
 public:
  void connecting(const std::string& peer, std::size_t in_flight) override {
    add("connecting " + peer + " " + std::to_string(in_flight));
    if (when_connecting) when_connecting();
  }
  void attempt_failed(const std::string&, const Address::Any& address,
                      std::error_code why) override {
    add("failed " + to_string(address) + " " + why.message());
  }
  void connected(const Connection_info& connection) override {
    add("connected " + to_string(connection.local) + " " + to_string(connection.remote));
    numbers.push_back(connection.number);
  }
  void connect_failed(const std::string& peer, const Error& error) override {
    const auto* why = error.as<Tcp::Connect_error>();
    add("connect_failed " + peer + " " + std::string(why ? to_string(why->kind()) : "?"));
  }

  std::vector<std::string> events;
  std::vector<std::uint64_t> numbers;
  std::function<void()> when_connecting;

 private:
  void add(const std::string& event) {
    events.push_back(to_string(Span(Clock::now() - start_)) + " " + event);
  }
  const Time_ns start_ = Clock::now();
};

Inet_addr addr(const char* text) { return Inet_addr::of_string(text); }

TEST(An_observer, is_told_how_connecting_goes_on_and_that_it_worked) {
  Simulation simulation;
  simulation.host("refuses", {addr("10.1.0.1")});
  const Host server = simulation.host("server", {addr("10.2.0.1")});
  const auto hole = addr("10.9.0.1");
  simulation.set_black_hole(hole);
  simulation.host("localhost", {addr("10.0.0.1")});
  simulation.set_name("name", {addr("10.1.0.1"), hole, addr("10.3.0.1"), addr("10.2.0.1")});
  simulation.run([&]() -> Deferred<> {
    co_await echo_server(server, 7);
    const auto observer = std::make_shared<Recorder>();
    const auto socket =
        co_await Tcp::connect_sock(Tcp::to_host_and_port("name", 7), {.observer = observer});
    EXPECT_THAT(
        observer->events,
        ElementsAre("0s connecting name:7 1", "2ms failed 10.1.0.1:7 connection refused",
                    "2ms connecting name:7 1", "252ms connecting name:7 2",
                    "252ms failed 10.3.0.1:7 no route to host", "252ms connecting name:7 1",
                    "252ms connecting name:7 2", "254ms connected 10.0.0.1:49154 10.2.0.1:7"));
    EXPECT_EQ(observer->numbers.size(), 1U);
    co_await socket.abort();
    co_await Scheduler::yield();
    // Nobody holds on to it once the connection is closed.
    EXPECT_EQ(observer.use_count(), 1);
  });
}

TEST(An_observer, is_told_once_that_it_failed_and_why) {
  Simulation simulation;
  simulation.host("refuses", {addr("10.1.0.1")});
  simulation.set_black_hole(addr("10.9.0.1"));
  simulation.run([&]() -> Deferred<> {
    const auto told = [](const char* host,
                         Tcp::Connect_options options) -> Deferred<std::vector<std::string>> {
      const auto observer = std::make_shared<Recorder>();
      options.observer = observer;
      EXPECT_FALSE(
          co_await or_error(Tcp::connect(Tcp::to_host_and_port(host, 7), std::move(options))));
      EXPECT_EQ(observer.use_count(), 1);
      co_await Clock::after(1min);
      co_return observer->events;
    };
    EXPECT_THAT(co_await told("refuses", {}),
                ElementsAre("0s connecting refuses:7 1", "2ms failed 10.1.0.1:7 connection refused",
                            "2ms connect_failed refuses:7 refused"));
    EXPECT_THAT(co_await told("nowhere", {}),
                ElementsAre("0s connect_failed nowhere:7 name resolution"));
    EXPECT_THAT(
        co_await told("10.9.0.1", {.timeout = 1s}),
        ElementsAre("0s connecting 10.9.0.1:7 1", "1s connect_failed 10.9.0.1:7 timed out"));
    EXPECT_THAT(co_await told("10.9.0.1", {.interrupt = determined()}),
                ElementsAre("0s connect_failed 10.9.0.1:7 interrupted"));
    EXPECT_THAT(co_await told("10.1.0.1", {.access = {.denied = {Cidr::of_string("10.0.0.0/8")}}}),
                ElementsAre("0s failed 10.1.0.1:7 permission denied by access policy",
                            "0s connect_failed 10.1.0.1:7 forbidden"));
    EXPECT_THAT(co_await told("10.1.0.1", {.reader_buffer_size = 0}),
                ElementsAre("0s connect_failed 10.1.0.1:7 ?"));
  });
}

TEST(An_observer, that_interrupts_while_connecting_ends_it) {
  Simulation simulation;
  const Host here = simulation.host("localhost");
  simulation.set_black_hole(addr("10.9.0.1"));
  simulation.run([&]() -> Deferred<> {
    const auto observer = std::make_shared<Recorder>();
    const Ivar<> stop;
    observer->when_connecting = [stop] { stop.fill_if_empty(); };
    const auto error = co_await error_of<Tcp::Connect_error>(
        Tcp::connect(Tcp::to_inet_address(Address::Inet(addr("10.9.0.1"), 7)),
                     {.interrupt = stop.read(), .observer = observer}));
    EXPECT_EQ(error->kind(), Kind::Interrupted);
    EXPECT_EQ(here.num_descriptors(), 0);
    EXPECT_EQ(observer->events.size(), 2U);
  });
}

TEST(An_observer, that_raises_raises_in_the_monitor_of_who_connects) {
  Simulation simulation;
  const Host server = simulation.host("server");
  simulation.run([&]() -> Deferred<> {
    co_await echo_server(server, 7);
    const auto result = co_await try_with([]() -> Deferred<> {
      const auto observer = std::make_shared<Recorder>();
      observer->when_connecting = [] { throw std::runtime_error("not like that"); };
      co_await ask(Tcp::to_host_and_port("server", 7), "hello", {.observer = observer});
    });
    EXPECT_STREQ(result.error().what(), "not like that");
  });
}

TEST(An_observer, may_be_shared_by_many_connections_whose_numbers_differ) {
  Simulation simulation;
  const Host server = simulation.host("server");
  simulation.run([&]() -> Deferred<> {
    co_await echo_server(server, 7);
    const auto observer = std::make_shared<Recorder>();
    std::vector<Deferred<std::string>> answers;
    for (int i = 0; i < 10; ++i) {
      answers.push_back(ask(Tcp::to_host_and_port("server", 7), "hello", {.observer = observer}));
    }
    co_await all(std::move(answers));
    auto numbers = observer->numbers;
    std::sort(numbers.begin(), numbers.end());
    EXPECT_EQ(numbers.size(), 10U);
    EXPECT_EQ(std::unique(numbers.begin(), numbers.end()), numbers.end());
  });
}

}  // namespace
}  // namespace async
