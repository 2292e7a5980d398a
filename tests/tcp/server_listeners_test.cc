// Server: several addresses, and crowds on them.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "async/testing/simulation.h"
#include "tcp/tcp.h"
#include "tests/support/captured_log.h"
#include "tests/support/echo_server.h"

namespace async {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using testing::Host;
using ::testing::IsEmpty;
using testing::Simulation;
using Client = Tcp::Connected<Address::Inet>;
using Kind = Tcp::Listen_error::Kind;

Tcp::Where_to_listen<Address::Inet, int> on(const std::string& address) {
  return Tcp::Where_to_listen<Address::Inet, int>::create(
      Address::Inet::of_string(address), [](const Address::Inet& actual) { return actual.port(); });
}

Tcp::Where_to_connect<Address::Inet> to(int port) {
  return Tcp::to_host_and_port("localhost", port);
}

Deferred<std::string> answer(Client client, std::string question) {
  client.writer.write_line(question);
  co_return (co_await client.reader.read_line()).value_or("eof");
}

TEST(A_server_on_several_addresses, serves_the_clients_of_all) {
  Simulation().run([]() -> Deferred<> {
    const Tcp::Server::Inet server = co_await Tcp::Server::create(
        std::vector{Tcp::on_port(7), on("127.0.0.1:8"), on("[::1]:0")}, echo_handler);
    const std::vector<int> ports = server.listening_on_all();
    EXPECT_EQ(ports.size(), 3U);
    EXPECT_EQ(server.listening_on(), 7);
    EXPECT_EQ(ports[0], 7);
    EXPECT_EQ(ports[1], 8);
    EXPECT_EQ(to_string(server), "server on [::]:7 and 127.0.0.1:8 and [::1]:" +
                                     std::to_string(ports[2]) + ", 0 of 10000 connections");
    for (const int port : ports) EXPECT_EQ(co_await ask(to(port), "hello"), "hello");
    EXPECT_EQ(server.counts().accepted, 3U);
    co_await server.close();
    for (const int port : ports) {
      const auto error = co_await error_of<Tcp::Connect_error>(Tcp::connect(to(port)));
      EXPECT_EQ(error->kind(), Tcp::Connect_error::Kind::Refused);
    }
    server.invariant();
    co_await Tcp::Server::create(std::vector{on("127.0.0.1:8"), Tcp::on_port(7)}, echo_handler);
  });
}

TEST(A_server_on_several_addresses, may_mix_kinds_of_them) {
  Simulation().run([]() -> Deferred<> {
    std::vector<Address::Any> from;
    const Tcp::Server::Any server = co_await Tcp::Server::create(
        std::vector{Tcp::on_port(7).as_any(), Tcp::on_file("/run/echo").as_any()},
        {.on_handler_error = Tcp::On_handler_error::ignore()},
        [&](const Address::Any& address, Reader reader, Writer writer) {
          from.push_back(address);
          return echo(std::move(reader), std::move(writer));
        });
    EXPECT_THAT(server.listening_on_all(),
                ElementsAre(Address::Any(Address::Inet::of_string("[::]:7")),
                            Address::Any(Address::Unix("/run/echo"))));
    EXPECT_EQ(co_await ask(to(7), "by port"), "by port");
    EXPECT_EQ(co_await ask(Tcp::to_file("/run/echo"), "by file"), "by file");
    EXPECT_TRUE(std::holds_alternative<Address::Inet>(from.at(0)));
    EXPECT_TRUE(std::holds_alternative<Address::Unix>(from.at(1)));
  });
}

TEST(A_server_on_several_addresses, gives_its_handler_the_socket_of_either_kind) {
  Simulation().run([]() -> Deferred<> {
    const auto server = co_await Tcp::Server::create_sock(
        std::vector{Tcp::on_file("/run/a"), Tcp::on_file("/run/b")},
        [](const Address::Unix&, auto socket) { return echo(socket.reader(), socket.writer()); });
    EXPECT_THAT(server.listening_on_all(), ElementsAre("/run/a", "/run/b"));
    EXPECT_EQ(co_await ask(Tcp::to_file("/run/b"), "hello"), "hello");
    const auto any = co_await Tcp::Server::create_sock(
        std::vector{Tcp::on_port(7).as_any()}, [](const Address::Any& from, auto socket) {
          EXPECT_EQ(socket.getpeername(), from);
          EXPECT_EQ(std::get<Address::Inet>(socket.getsockname()).port(), 7);
          return echo(socket.reader(), socket.writer());
        });
    EXPECT_EQ(co_await ask(to(7), "hello"), "hello");
  });
}

TEST(A_server_on_several_addresses, listens_nowhere_if_it_cannot_on_one) {
  Simulation().run([]() -> Deferred<> {
    const auto other = co_await Tcp::Server::create(Tcp::on_port(8), echo_handler);
    const auto in_use = co_await error_of<Tcp::Listen_error>(Tcp::Server::create(
        std::vector{Tcp::on_port(7), Tcp::on_port(8), Tcp::on_port(9)}, echo_handler));
    EXPECT_EQ(in_use->kind(), Kind::Address_in_use);
    EXPECT_EQ(to_string(in_use->address()), "[::]:8");
    EXPECT_TRUE(co_await error_of<Tcp::Connect_error>(Tcp::connect(to(7))));
    const auto twice = co_await error_of<Tcp::Listen_error>(
        Tcp::Server::create(std::vector{Tcp::on_port(7), Tcp::on_port(7)}, echo_handler));
    EXPECT_EQ(twice->kind(), Kind::Address_in_use);
    EXPECT_TRUE(co_await error_of<std::invalid_argument>(Tcp::Server::create(
        std::vector<Tcp::Where_to_listen<Address::Inet, int>>(), echo_handler)));
    co_await Tcp::Server::create(std::vector{Tcp::on_port(7), Tcp::on_port(9)}, echo_handler);
  });
}

TEST(A_server_on_several_addresses, closes_when_one_of_its_sockets_is_closed) {
  Simulation().run([]() -> Deferred<> {
    const auto server =
        co_await Tcp::Server::create(std::vector{Tcp::on_port(7), Tcp::on_port(8)}, echo_handler);
    server.listening_socket().close();
    EXPECT_TRUE(server.is_closed());
    EXPECT_TRUE(co_await server.stopped());
    EXPECT_TRUE(co_await error_of<Tcp::Connect_error>(Tcp::connect(to(8))));
    server.invariant();
  });
}

TEST(A_server_on_several_addresses, shares_max_connections_among_them) {
  Simulation().run([]() -> Deferred<> {
    const auto server = co_await Tcp::Server::create(std::vector{Tcp::on_port(7), Tcp::on_port(8)},
                                                     {.max_connections = 3}, echo_handler);
    std::vector<Client> clients;
    for (int i = 0; i < 4; ++i) {
      clients.push_back(co_await Tcp::connect(to(7)));
      clients.push_back(co_await Tcp::connect(to(8)));
      co_await Clock::after(1s);
      EXPECT_EQ(server.num_connections(), std::min(3, 2 * i + 2));
    }
    server.invariant();
    for (const Client& client : clients) {
      EXPECT_EQ(co_await answer(client, "my turn"), "my turn");
      co_await client.socket.abort();
      co_await Clock::after(1s);
      EXPECT_LE(server.num_connections(), 3);
    }
    EXPECT_EQ(server.counts().accepted, 8U);
  });
}

// However many wait on one of them.
TEST(A_server_on_several_addresses, lets_the_clients_of_all_have_their_turn) {
  Simulation().run([]() -> Deferred<> {
    std::vector<int> served;
    const auto server = co_await Tcp::Server::create_sock(
        std::vector{Tcp::on_port(7), Tcp::on_port(8)}, {.max_connections = 1},
        [&](const Address::Inet&, auto socket) -> Deferred<> {
          served.push_back(socket.getsockname().port());
          co_await Clock::after(1s);
        });
    std::vector<Client> clients;
    for (int i = 0; i < 10; ++i) clients.push_back(co_await Tcp::connect(to(7)));
    for (int i = 0; i < 3; ++i) clients.push_back(co_await Tcp::connect(to(8)));
    co_await Clock::after(1min);
    EXPECT_EQ(served.size(), 13U);
    served.resize(7);
    EXPECT_THAT(served, ElementsAre(7, 7, 8, 7, 8, 7, 8));
  });
}

TEST(A_server_on_several_addresses, survives_without_descriptors) {
  Captured_log log;
  Simulation simulation({.max_descriptors = 10});
  const Host host = simulation.host("server");
  simulation.run([&]() -> Deferred<> {
    const auto server = co_await host.within([] {
      return Tcp::Server::create(
          std::vector{Tcp::on_port(7), Tcp::on_port(8)}, {.max_connections = 1000},
          [](const Address::Inet&, Reader reader, Writer writer) -> Deferred<> {
            co_await Clock::after(1s);
            co_await echo(reader, writer);
          });
    });
    std::vector<Deferred<std::string>> answers;
    for (int i = 0; i < 20; ++i) {
      simulation.host("client " + std::to_string(i)).within([&] {
        for (int k = 0; k < 5; ++k) {
          answers.push_back(ask(Tcp::to_host_and_port("server", 7 + k % 2), "x"));
        }
      });
    }
    for (const std::string& answer : co_await all(std::move(answers))) EXPECT_EQ(answer, "x");
    EXPECT_EQ(server.counts().accepted, 100U);
    EXPECT_GT(server.counts().accept_errors, 0U);
    EXPECT_LT(server.counts().accept_errors, 200U);  // it does not spin
    co_await Clock::after(2s);
    EXPECT_EQ(server.num_connections(), 0);
    server.invariant();
  });
  EXPECT_THAT(log.errors(), IsEmpty());
}

TEST(A_listener, is_taken_over_by_one_server) {
  Simulation().run([]() -> Deferred<> {
    auto socket = Network::current().create_socket(Network::Family::V4).value();
    const Address::Inet address(Inet_addr::localhost(), 7);
    static_cast<void>(socket->bind(address));
    const std::shared_ptr<Listener> listener = socket->listen(1).value();
    const auto where = Tcp::Where_to_listen<Address::Inet, int>::create_on_listener(
        address, listener, [](const Address::Inet& actual) { return actual.port(); });
    const auto server = co_await Tcp::Server::create(where, echo_handler);
    EXPECT_EQ(co_await ask(to(7), "hello"), "hello");
    const auto second =
        co_await error_of<Tcp::Listen_error>(Tcp::Server::create(where, echo_handler));
    EXPECT_EQ(second->kind(), Kind::Address_in_use);
    EXPECT_EQ(co_await ask(to(7), "hello"), "hello");
    co_await server.close();
    EXPECT_TRUE(listener->is_closed());
    const auto third =
        co_await error_of<Tcp::Listen_error>(Tcp::Server::create(where, echo_handler));
    EXPECT_EQ(third->kind(), Kind::Other);
  });
}

TEST(A_listener, that_others_cannot_be_listened_with_is_free_again) {
  Simulation().run([]() -> Deferred<> {
    auto socket = Network::current().create_socket(Network::Family::V4).value();
    const Address::Inet address(Inet_addr::localhost(), 7);
    static_cast<void>(socket->bind(address));
    const auto where = Tcp::Where_to_listen<Address::Inet, int>::create_on_listener(
        address, socket->listen(1).value(),
        [](const Address::Inet& actual) { return actual.port(); });
    EXPECT_TRUE(co_await error_of<Tcp::Listen_error>(
        Tcp::Server::create(std::vector{where, on("127.0.0.1:7")}, echo_handler)));
    co_await Tcp::Server::create(where, echo_handler);
    EXPECT_EQ(co_await ask(to(7), "hello"), "hello");
  });
}

TEST(A_burst_of_clients, is_served_to_the_last) {
  Simulation().run([]() -> Deferred<> {
    const auto server =
        co_await Tcp::Server::create(std::vector{Tcp::on_port(7), Tcp::on_port(8)}, echo_handler);
    std::vector<Deferred<std::string>> answers;
    for (int i = 0; i < 500; ++i) answers.push_back(ask(to(7 + i % 2), std::to_string(i)));
    int i = 0;
    for (const std::string& answer : co_await all(std::move(answers))) {
      EXPECT_EQ(answer, std::to_string(i++));
    }
    EXPECT_EQ(server.counts().accepted, 500U);
  });
}

// Those who come at random, stay for a while, and leave in all ways.
TEST(Ten_thousand_clients, never_have_more_handlers_than_max_connections) {
  Simulation().run([]() -> Deferred<> {
    int alive = 0;
    int most = 0;
    const auto server = co_await Tcp::Server::create(
        std::vector{Tcp::on_port(7), Tcp::on_port(8)},
        {.max_connections = 20, .on_handler_error = Tcp::On_handler_error::ignore()},
        [&](const Address::Inet&, Reader reader, Writer writer) -> Deferred<> {
          most = std::max(most, ++alive);
          const auto line = co_await reader.read_line();
          co_await Clock::after(3ms);
          writer.write_line(line.value_or(""));
          --alive;
          if (line == "raise") throw std::runtime_error("raised");
        });
    const auto one = [&](int i) -> Deferred<> {
      co_await Clock::after(std::chrono::microseconds(i * 37 % 1'000'000));
      const Client client = co_await Tcp::connect(to(7 + i % 2), {.timeout = 1h});
      if (i % 5 != 0) co_await answer(client, i % 3 == 0 ? "raise" : "x");
      if (i % 2 == 0) co_await client.socket.abort();
    };
    std::vector<Deferred<>> all_of_them;
    for (int i = 0; i < 10'000; ++i) all_of_them.push_back(one(i));
    co_await all_unit(std::move(all_of_them));
    co_await Clock::after(1min);
    EXPECT_EQ(most, 20);
    EXPECT_EQ(alive, 0);
    EXPECT_EQ(server.num_connections(), 0);
    EXPECT_EQ(server.counts().accepted, 10'000U);
    server.invariant();
  });
}

}  // namespace
}  // namespace async
