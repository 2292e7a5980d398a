// What the options of clients and servers hand on to their connections.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
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

/// Writes down what it is told, without the addresses.
class Recorder final : public Tcp::Observer {
 public:
  void connected(const Connection_info&) override { events.emplace_back("connected"); }
  void accepted(const Connection_info&) override { events.emplace_back("accepted"); }
  void sent(const Connection_info&, std::size_t n) override { add("sent", n); }
  void received(const Connection_info&, std::size_t n) override { add("received", n); }
  void throttled(const Connection_info&) override { events.emplace_back("throttled"); }
  void unthrottled(const Connection_info&) override { events.emplace_back("unthrottled"); }
  void closed(const Connection_info&, const Close_result& result) override {
    events.push_back("closed: " + std::string(to_string(result.reason)));
  }

  std::vector<std::string> events;

 private:
  void add(const std::string& what, std::size_t n) {
    events.push_back(what + " " + std::to_string(n));
  }
};

Tcp::Where_to_connect<Address::Inet> there() { return Tcp::to_host_and_port("server", 7); }

TEST(An_observer_of_options, hears_of_the_whole_life_of_a_connection_on_either_side) {
  Simulation simulation;
  const Host host = simulation.host("server");
  simulation.run([&]() -> Deferred<> {
    const auto of_server = std::make_shared<Recorder>();
    const auto of_client = std::make_shared<Recorder>();
    const auto server = co_await host.within([&] {
      return Tcp::Server::create(Tcp::on_port(7), {.observer = of_server}, echo_handler);
    });
    EXPECT_EQ(co_await ask(there(), "hello", {.observer = of_client}), "hello");
    co_await server.close();
    co_await server.close_finished_and_handlers_determined();
    co_await Scheduler::yield();
    auto without_connecting = of_client->events;
    std::erase_if(without_connecting, [](const std::string& e) { return e == "connecting"; });
    EXPECT_THAT(without_connecting,
                ElementsAre("connected", "sent 6", "received 6", "closed: closed"));
    EXPECT_THAT(of_server->events,
                ElementsAre("accepted", "received 6", "sent 6", "closed: closed"));
  });
}

TEST(Idle_timeout_of_options, closes_the_connection_of_a_client) {
  Simulation simulation;
  const Host host = simulation.host("server");
  simulation.run([&]() -> Deferred<> {
    co_await echo_server(host, 7);
    const auto connected = co_await Tcp::connect(there(), {.idle_timeout = Span(10s)});
    const Time_ns start = Clock::now();
    EXPECT_EQ((co_await connected.socket.closed()).reason, Close_reason::Idle);
    EXPECT_EQ(Clock::now() - start, 10s);
  });
}

TEST(Idle_timeout_of_options, frees_the_place_of_a_silent_client) {
  Simulation simulation;
  const Host host = simulation.host("server");
  simulation.run([&]() -> Deferred<> {
    const auto server = co_await host.within([] {
      return Tcp::Server::create(Tcp::on_port(7), {.max_connections = 1, .idle_timeout = Span(10s)},
                                 echo_handler);
    });
    const auto silent = co_await Tcp::connect(there());
    const Time_ns start = Clock::now();
    EXPECT_EQ(co_await ask(there(), "hello"), "hello");
    EXPECT_LT(Clock::now() - start, 12s);
    EXPECT_GE(Clock::now() - start, 9s);
    EXPECT_EQ(server.counts().accepted, 2U);
    EXPECT_EQ(server.counts().handler_errors, 0U);
  });
}

TEST(Max_lifetime_of_options, ends_clients_and_those_of_a_server) {
  Simulation simulation;
  const Host host = simulation.host("server");
  simulation.run([&]() -> Deferred<> {
    for (const bool of_client : {true, false}) {
      std::optional<Span> lifetime = Span(10s);
      const auto server = co_await host.within([&] {
        return Tcp::Server::create(
            Tcp::on_port(7), {.max_lifetime = of_client ? std::nullopt : lifetime}, echo_handler);
      });
      const auto connected =
          co_await Tcp::connect(there(), {.max_lifetime = of_client ? lifetime : std::nullopt});
      const Time_ns start = Clock::now();
      while (true) {
        connected.writer.write("x");
        if (!co_await connected.reader.read()) break;
        co_await Clock::after(100ms);
        if (connected.writer.is_closed()) break;
      }
      EXPECT_GE(Clock::now() - start, 9900ms);
      EXPECT_LT(Clock::now() - start, 10500ms);
      co_await connected.writer.close();
      co_await server.close();
      co_await server.close_finished_and_handlers_determined();
    }
  });
}

}  // namespace
}  // namespace async
