// Where_to_connect and Where_to_listen as values, and what they name.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "async/testing/simulation.h"
#include "tcp/tcp.h"
#include "tests/support/echo_server.h"

namespace async {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using testing::Host;
using testing::Simulation;

TEST(Where_to_connect, prints_as_whom_it_means) {
  EXPECT_EQ(to_string(Tcp::to_host_and_port("example.com", 80)), "example.com:80");
  EXPECT_EQ(to_string(Tcp::to_host_and_port("192.0.2.1", 80)), "192.0.2.1:80");
  EXPECT_EQ(to_string(Tcp::to_host_and_port("2001:db8::1", 80)), "[2001:db8::1]:80");
  EXPECT_EQ(to_string(Tcp::to_inet_address(Address::Inet::of_string("192.0.2.1:80"))),
            "192.0.2.1:80");
  EXPECT_EQ(to_string(Tcp::to_file("/tmp/socket")), "/tmp/socket");
  EXPECT_EQ(to_string(Tcp::to_unix_address(Address::Unix(std::string("\0name", 5)))), "@name");
}

TEST(Where_to_connect, refuses_what_is_nowhere) {
  EXPECT_THROW(Tcp::to_host_and_port("", 80), std::invalid_argument);
  EXPECT_THROW(Tcp::to_host_and_port("host", -1), std::invalid_argument);
  EXPECT_THROW(Tcp::to_host_and_port("host", 65536), std::invalid_argument);
  EXPECT_THROW(Tcp::to_host_and_port("192.0.2.1", 65536), std::invalid_argument);
  EXPECT_THROW(Tcp::to_file(""), std::invalid_argument);
}

TEST(Where_to_connect, is_parsed_and_not_looked_up_if_it_is_numeric) {
  Simulation simulation;
  const Host server = simulation.host("server", {Inet_addr::of_string("192.0.2.1")});
  simulation.run([&]() -> Deferred<> {
    co_await echo_server(server, 7);
    EXPECT_EQ(co_await ask(Tcp::to_host_and_port("192.0.2.1", 7), "hello"), "hello");
  });
  EXPECT_THAT(simulation.trace(), ::testing::Not(HasSubstr("resolve")));
}

TEST(Where_to_connect, is_looked_up_each_time_it_is_used) {
  Simulation simulation;
  const Host one = simulation.host("one");
  const Host two = simulation.host("two");
  simulation.run([&]() -> Deferred<> {
    co_await echo_server(one, 1);
    const auto where = Tcp::to_host_and_port("moves", 1);
    simulation.set_name("moves", one.addrs());
    EXPECT_EQ(co_await ask(where, "hello"), "hello");
    simulation.set_name("moves", two.addrs());
    EXPECT_TRUE(co_await error_of<Tcp::Connect_error>(ask(where, "hello")));
    co_await echo_server(two, 1);
    EXPECT_EQ(co_await ask(where, "hello"), "hello");
  });
}

TEST(Where_to_connect, reaches_a_server_by_each_kind_of_address) {
  Simulation simulation;
  const Host host = simulation.host("server");
  simulation.run([&]() -> Deferred<> {
    co_await echo_server(host, 7);
    EXPECT_EQ(co_await ask(Tcp::to_host_and_port("server", 7), "name"), "name");
    for (const Inet_addr& addr : host.addrs()) {
      EXPECT_EQ(co_await ask(Tcp::to_inet_address(Address::Inet(addr, 7)), "addr"), "addr");
    }
    const auto on_file = co_await Tcp::Server::create(
        Tcp::on_file("/run/echo"),
        [](const Address::Unix&, Reader reader, Writer writer) { return echo(reader, writer); });
    EXPECT_EQ(co_await ask(Tcp::to_file("/run/echo"), "file"), "file");
    EXPECT_EQ(co_await ask(Tcp::to_unix_address(Address::Unix("/run/echo")), "unix"), "unix");
    // A file is of one machine.
    co_await host.within([]() -> Deferred<> {
      EXPECT_TRUE(co_await error_of<Tcp::Connect_error>(ask(Tcp::to_file("/run/echo"), "x")));
    });
  });
}

TEST(Where_to_connect, goes_via_a_local_interface) {
  Simulation simulation;
  const auto one = Inet_addr::of_string("10.1.0.1");
  const auto two = Inet_addr::of_string("10.1.0.2");
  const Host client = simulation.host("client", {one, two});
  const Host server = simulation.host("server");
  std::vector<Inet_addr> from;
  simulation.run([&]() -> Deferred<> {
    const auto listening = co_await server.within([&] {
      return Tcp::Server::create(Tcp::on_port(7), [&](const Address::Inet& a, Reader, Writer) {
        from.push_back(a.addr());
        return determined();
      });
    });
    co_await client.within([&]() -> Deferred<> {
      for (const Inet_addr& addr : {two, one}) {
        const Tcp::Via_options via{.via_local_interface = addr};
        const auto socket = co_await Tcp::connect_sock(Tcp::to_host_and_port("server", 7, via));
        EXPECT_EQ(socket.getsockname().addr(), addr);
        co_await socket.abort();
        const auto address = Address::Inet(server.addrs()[0], 7);
        co_await (co_await Tcp::connect_sock(Tcp::to_inet_address(address, via))).abort();
      }
      const Tcp::Via_options not_mine{.via_local_interface = Inet_addr::of_string("10.9.9.9")};
      const auto error = co_await error_of<Tcp::Connect_error>(
          Tcp::connect(Tcp::to_host_and_port("server", 7, not_mine)));
      EXPECT_EQ(error->kind(), Tcp::Connect_error::Kind::Unreachable);
    });
    EXPECT_THAT(from, ::testing::ElementsAre(two, two, one, one));
  });
}

TEST(Where_to_listen, prints_as_its_address) {
  EXPECT_EQ(to_string(Tcp::on_port(80)), "[::]:80");
  EXPECT_EQ(to_string(Tcp::on_port_chosen_by_os()), "[::]:0");
  EXPECT_EQ(to_string(Tcp::on_file("/run/socket")), "/run/socket");
  const auto created = Tcp::Where_to_listen<Address::Inet, std::string>::create(
      Address::Inet::of_string("192.0.2.1:80"), [](const Address::Inet&) { return ""; });
  EXPECT_EQ(to_string(created), "192.0.2.1:80");
}

TEST(Where_to_listen, refuses_what_is_nowhere) {
  EXPECT_THROW(Tcp::on_port(-1), std::invalid_argument);
  EXPECT_THROW(Tcp::on_port(65536), std::invalid_argument);
  EXPECT_THROW(Tcp::on_file(""), std::invalid_argument);
}

TEST(Where_to_listen, chooses_how_the_server_shows_its_address) {
  Simulation().run([]() -> Deferred<> {
    const auto where = Tcp::Where_to_listen<Address::Inet, std::string>::create(
        Address::Inet(Inet_addr::localhost(), 0),
        [](const Address::Inet& actual) { return "port " + std::to_string(actual.port()); });
    const auto server = co_await Tcp::Server::create(where, echo_handler);
    const int port = server.listening_on_address().port();
    EXPECT_GT(port, 0);
    EXPECT_EQ(server.listening_on(), "port " + std::to_string(port));
    EXPECT_EQ(server.listening_on_address().addr(), Inet_addr::localhost());
  });
}

TEST(Where_to_listen, on_port_takes_clients_on_every_address) {
  Simulation simulation;
  const Host server = simulation.host("server");
  simulation.run([&]() -> Deferred<> {
    const Tcp::Server::Inet listening = co_await echo_server(server, 0);
    const int port = listening.listening_on();
    for (const Inet_addr& addr : server.addrs()) {
      EXPECT_EQ(co_await ask(Tcp::to_inet_address(Address::Inet(addr, port)), "x"), "x");
    }
    co_await server.within([port]() -> Deferred<> {
      for (const auto& addr : {Inet_addr::localhost(), Inet_addr::localhost_v6()}) {
        EXPECT_EQ(co_await ask(Tcp::to_inet_address(Address::Inet(addr, port)), "x"), "x");
      }
    });
  });
}

TEST(Where_to_listen, on_all_addresses_does_without_ipv6_where_there_is_none) {
  Simulation simulation;
  const Host old = simulation.host("old", {Inet_addr::of_string("10.0.0.9")});
  simulation.run([&]() -> Deferred<> {
    co_await echo_server(old, 7);
    EXPECT_EQ(co_await ask(Tcp::to_host_and_port("old", 7), "hello"), "hello");
  });
}

}  // namespace
}  // namespace async
