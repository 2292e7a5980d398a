// Server: who may connect, and what an observer is told.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "async/testing/simulation.h"
#include "tcp/tcp.h"
#include "tests/support/echo_server.h"
#include "tests/support/goodbye.h"
#include "tests/support/recording_monitor.h"

namespace async {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using testing::Host;
using ::testing::IsEmpty;
using testing::Simulation;
using Client = Tcp::Connected<Address::Inet>;

const auto there = Tcp::to_host_and_port("server", 7);

std::vector<Cidr> networks(const std::vector<std::string>& all) {
  std::vector<Cidr> networks;
  for (const std::string& one : all) networks.push_back(Cidr::of_string(one));
  return networks;
}

/// What a client sees that says nothing.
Deferred<std::string> knock() {
  const Client client = co_await Tcp::connect(there);
  const auto line = co_await client.reader.read_line();
  co_return line ? *line : std::string(to_string(line.error().reason));
}

/// Writes down what it is told of a server, and then does something.
class Recorder final : public Tcp::Observer {
 public:
  explicit Recorder(Events& events) : events_(events) {}

  void accepted(const Connection_info& connection) override {
    connections.push_back(connection);
    told("accepted " + to_string(connection.remote));
  }
  void refused(const Address::Any& from, const Error& why) override {
    told("refused " + to_string(from) + ": " + why.what());
  }
  void peer_error(const Connection_info& connection, const Error& error) override {
    const bool is_known = connections.at(0).number == connection.number;
    told(std::string(is_known ? "peer error " : "another's error ") + to_string(connection.remote) +
         (error.as<Limit_exceeded>() ? ": limit exceeded" : ": something else"));
  }

  std::vector<Connection_info> connections;
  std::function<void()> then = [] {};

 private:
  void told(std::string event) {
    events_.push_back(std::move(event));
    then();
  }

  Events& events_;
};

TEST(Access, that_denies_a_client_closes_it_before_anything_else) {
  Simulation simulation;
  const Host host = simulation.host("server");
  const Host good = simulation.host("good", {Inet_addr::of_string("10.1.0.1")});
  const Host bad = simulation.host("bad", {Inet_addr::of_string("10.6.6.6")});
  simulation.run([&]() -> Deferred<> {
    int num_calls = 0;
    const auto server = co_await host.within([&] {
      return Tcp::Server::create(
          Tcp::on_port(7),
          {.access = {.allowed = networks({"10.0.0.0/8"}), .denied = networks({"10.6.0.0/16"})}},
          [&](const Address::Inet&, Reader reader, Writer writer) {
            ++num_calls;
            return echo(std::move(reader), std::move(writer));
          });
    });
    EXPECT_EQ(co_await good.within([] { return ask(there, "hello"); }), "hello");
    EXPECT_EQ(co_await bad.within(knock), "reset");
    EXPECT_EQ(server.counts().accepted, 1U);
    EXPECT_EQ(server.counts().denied, 1U);
    EXPECT_EQ(num_calls, 1);
    co_await Clock::after(5s);
    EXPECT_EQ(server.num_connections(), 0);
    server.invariant();
  });
}

TEST(Access, that_denies_clients_leaves_the_places_to_others) {
  Simulation simulation;
  const Host host = simulation.host("server");
  const Host good = simulation.host("good", {Inet_addr::of_string("10.1.0.1")});
  const Host bad = simulation.host("bad", {Inet_addr::of_string("10.6.6.6")});
  simulation.run([&]() -> Deferred<> {
    const auto server = co_await host.within([&] {
      return Tcp::Server::create(
          Tcp::on_port(7), {.max_connections = 1, .access = {.denied = networks({"10.6.0.0/16"})}},
          echo_handler);
    });
    std::vector<Deferred<std::string>> denied;
    for (int i = 0; i < 200; ++i) denied.push_back(bad.within(knock));
    const auto answer = good.within([] { return ask(there, "hello"); });
    for (const std::string& one : co_await all(std::move(denied))) EXPECT_EQ(one, "reset");
    EXPECT_EQ(co_await answer, "hello");
    EXPECT_EQ(server.counts().denied, 200U);
    EXPECT_EQ(server.counts().dropped, 0U);
    server.invariant();
  });
}

TEST(Access, is_asked_before_a_full_server_drops_a_client) {
  Simulation simulation;
  const Host host = simulation.host("server");
  const Host good = simulation.host("good", {Inet_addr::of_string("10.1.0.1")});
  const Host bad = simulation.host("bad", {Inet_addr::of_string("10.6.6.6")});
  simulation.run([&]() -> Deferred<> {
    const auto server = co_await host.within([&] {
      return Tcp::Server::create(Tcp::on_port(7),
                                 {.max_connections = 1,
                                  .drop_incoming_connections = true,
                                  .access = {.denied = networks({"10.6.0.0/16"})}},
                                 echo_handler);
    });
    const Client first = co_await good.within([] { return Tcp::connect(there); });
    EXPECT_EQ(co_await bad.within(knock), "reset");
    EXPECT_EQ(co_await good.within(knock), "reset");
    EXPECT_EQ(server.counts().denied, 1U);
    EXPECT_EQ(server.counts().dropped, 1U);
  });
}

TEST(Access, does_not_concern_unix_sockets) {
  Simulation().run([]() -> Deferred<> {
    const auto server = co_await Tcp::Server::create(
        Tcp::on_file("/run/a"), {.access = {.allowed = networks({"10.0.0.0/8"})}},
        [](const Address::Unix&, Reader reader, Writer writer) {
          return echo(std::move(reader), std::move(writer));
        });
    EXPECT_EQ(co_await ask(Tcp::to_file("/run/a"), "hello"), "hello");
  });
}

struct Observed {
  Events events;
  std::shared_ptr<Recorder> recorder = std::make_shared<Recorder>(events);
};

TEST(An_observer_of_a_server, is_told_of_everyone_before_the_handler_is_called) {
  Simulation simulation;
  const Host host = simulation.host("server");
  const Host client = simulation.host("client", {Inet_addr::of_string("10.1.0.1")});
  Observed observed;
  simulation.run([&]() -> Deferred<> {
    Events& events = observed.events;
    const auto server = co_await host.within([&] {
      return Tcp::Server::create(
          Tcp::on_port(7),
          {.max_connections = 1, .drop_incoming_connections = true, .observer = observed.recorder},
          [&](const Address::Inet&, Reader reader, Writer) -> Deferred<> {
            events.emplace_back("handler");
            co_await reader.read_line(10);
            co_await reader.drain();
          });
    });
    const Client first = co_await client.within([] { return Tcp::connect(there); });
    co_await Clock::after(1s);
    const std::string from = to_string(first.socket.getsockname());
    EXPECT_THAT(events, ElementsAre("accepted " + from, "handler"));
    const Connection_info info = observed.recorder->connections.at(0);
    EXPECT_EQ(std::get<Address::Inet>(info.local), first.socket.getpeername());
    EXPECT_EQ(std::get<Address::Inet>(info.remote), first.socket.getsockname());
    events.clear();
    const Client second = co_await client.within([] { return Tcp::connect(there); });
    co_await Clock::after(1s);
    EXPECT_THAT(events, ElementsAre("refused " + to_string(second.socket.getsockname()) +
                                    ": the server is full"));
    events.clear();
    first.writer.write(std::string(100, 'x'));
    co_await Clock::after(1s);
    EXPECT_THAT(events, ElementsAre("peer error " + from + ": limit exceeded"));
    EXPECT_EQ(server.num_connections(), 0);
    EXPECT_EQ(server.counts().peer_errors, 1U);
  });
}

TEST(An_observer_of_a_server, is_told_of_those_whom_access_denies) {
  Simulation simulation;
  const Host host = simulation.host("server");
  const Host bad = simulation.host("bad", {Inet_addr::of_string("10.6.6.6")});
  Observed observed;
  simulation.run([&]() -> Deferred<> {
    const auto server = co_await host.within([&] {
      return Tcp::Server::create(
          Tcp::on_port(7),
          {.access = {.denied = networks({"10.6.0.0/16"})}, .observer = observed.recorder},
          echo_handler);
    });
    const Client client = co_await bad.within([] { return Tcp::connect(there); });
    co_await client.reader.drain();
    EXPECT_THAT(observed.events, ElementsAre("refused " + to_string(client.socket.getsockname()) +
                                             ": access denied"));
  });
}

TEST(An_observer_of_a_server, is_told_of_those_whose_upgrade_fails) {
  class Failing final : public Tcp::Upgrade {
   public:
    Deferred<std::unique_ptr<Transport>> upgrade(std::unique_ptr<Transport>, std::string,
                                                 const Tcp::Stop&) const override {
      throw std::runtime_error("no cipher in common");
    }
  };
  Observed observed;
  Simulation().run([&]() -> Deferred<> {
    const auto server = co_await Tcp::Server::create(
        Tcp::on_port(7), {.tls = std::make_shared<Failing>(), .observer = observed.recorder},
        echo_handler);
    const Client client = co_await Tcp::connect(Tcp::to_host_and_port("localhost", 7));
    co_await client.reader.drain();
    co_await Clock::after(1s);
    EXPECT_THAT(observed.events, ElementsAre("refused " + to_string(client.socket.getsockname()) +
                                             ": no cipher in common"));
    EXPECT_EQ(server.counts().upgrade_errors, 1U);
  });
}

TEST(An_observer_of_a_server, may_close_the_server_and_the_handler_is_not_called_then) {
  Observed observed;
  Simulation().run([&]() -> Deferred<> {
    const auto server = co_await Tcp::Server::create(
        Tcp::on_port(7), {.observer = observed.recorder}, [](const Address::Inet&, Reader, Writer) {
          ADD_FAILURE();
          return determined();
        });
    observed.recorder->then = [&] { dont_wait_for(server.close()); };
    const Client client = co_await Tcp::connect(Tcp::to_host_and_port("localhost", 7));
    EXPECT_EQ(co_await client.reader.read(), std::unexpected(Eof{Eof::Reason::Reset}));
    co_await server.close_finished_and_handlers_determined();
    server.invariant();
    observed.recorder->then = [] {};
  });
}

TEST(An_observer_of_a_server, that_raises_when_it_is_told_of_a_client_ends_its_connection) {
  Observed observed;
  Simulation().run([&]() -> Deferred<> {
    Events errors;
    const auto server = co_await Tcp::Server::create(
        Tcp::on_port(7),
        {.on_handler_error = Tcp::On_handler_error::call(
             [&](const Address::Inet&, const Error& e) { errors.emplace_back(e.what()); }),
         .observer = observed.recorder},
        [](const Address::Inet&, Reader, Writer) {
          ADD_FAILURE();
          return determined();
        });
    observed.recorder->then = [] { throw std::runtime_error("observer"); };
    const Client client = co_await Tcp::connect(Tcp::to_host_and_port("localhost", 7));
    co_await client.reader.drain();
    co_await Clock::after(5s);
    EXPECT_THAT(errors, ElementsAre("observer"));
    EXPECT_EQ(server.num_connections(), 0);
    EXPECT_FALSE(server.is_closed());
  });
}

TEST(An_observer_of_a_server, that_raises_for_a_client_that_was_refused_tells_the_servers_monitor) {
  Observed observed;
  Simulation().run([&]() -> Deferred<> {
    const Recording_monitor monitor;
    const auto server = co_await monitor.under([&] {
      return Tcp::Server::create(
          Tcp::on_port(7),
          {.access = {.denied = networks({"0.0.0.0/0", "::/0"})}, .observer = observed.recorder},
          echo_handler);
    });
    observed.recorder->then = [] { throw std::runtime_error("observer"); };
    const Client client = co_await Tcp::connect(Tcp::to_host_and_port("localhost", 7));
    co_await client.reader.drain();
    EXPECT_THAT(monitor.heard(), ElementsAre("observer"));
    EXPECT_FALSE(server.is_closed());
  });
}

TEST(An_observer_of_a_server, is_held_until_the_server_is_gone) {
  Observed observed;
  const std::weak_ptr<Recorder> watched = observed.recorder;
  Simulation().run([&]() -> Deferred<> {
    {
      const auto server = co_await Tcp::Server::create(
          Tcp::on_port(7), {.observer = std::exchange(observed.recorder, nullptr)}, echo_handler);
      EXPECT_FALSE(watched.expired());
      const Client client = co_await Tcp::connect(Tcp::to_host_and_port("localhost", 7));
      co_await server.close({.close_existing_connections = true});
      co_await server.close_finished_and_handlers_determined();
    }
    co_await Clock::after(1s);
    EXPECT_TRUE(watched.expired());
  });
}

TEST(Refused, says_why) {
  using Kind = Tcp::Refused::Kind;
  EXPECT_STREQ(Tcp::Refused(Kind::Access_denied).what(), "access denied");
  EXPECT_EQ(Tcp::Refused(Kind::Server_full).kind(), Kind::Server_full);
  EXPECT_EQ(to_string(Kind::Server_closed), "the server is closed");
}

}  // namespace
}  // namespace async
