// Authority: the right to connect and to listen, which only ever gets narrower.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include "async/testing/simulation.h"
#include "tcp/tcp.h"
#include "tests/support/echo_server.h"

namespace async {
namespace {

using Tcp::Authority;
using Tcp::Connect_authority;
using Tcp::Listen_authority;
using testing::Host;
using testing::Simulation;

static_assert(!std::is_default_constructible_v<Authority>);
static_assert(!std::is_default_constructible_v<Connect_authority>);
static_assert(!std::is_default_constructible_v<Listen_authority>);
static_assert(!std::is_constructible_v<Connect_authority, Tcp::Access>);
static_assert(!std::is_constructible_v<Connect_authority, Listen_authority>);

Cidr range(const char* text) { return Cidr::of_string(text); }

Tcp::Where_to_listen<Address::Inet, int> on(const char* address) {
  return Tcp::Where_to_listen<Address::Inet, int>::create(
      Address::Inet::of_string(address), [](const Address::Inet& a) { return a.port(); });
}

template <class T>
Deferred<std::optional<Tcp::Connect_error::Kind>> kind_of(Deferred<T> deferred) {
  const auto error = co_await error_of<Tcp::Connect_error>(std::move(deferred));
  co_return error ? std::optional(error->kind()) : std::nullopt;
}

TEST(Authority_to_connect, connects_to_what_it_permits_and_to_nothing_else) {
  Simulation simulation;
  const Host one = simulation.host("one", {Inet_addr::of_string("10.1.0.1")});
  const Host two = simulation.host("two", {Inet_addr::of_string("10.2.0.1")});
  simulation.run([&]() -> Deferred<> {
    co_await echo_server(one, 7);
    co_await echo_server(two, 7);
    const Connect_authority all = Authority::ambient().to_connect();
    const Connect_authority some = all.narrowed_by({.allowed = {range("10.1.0.0/16")}});
    const auto hello = [](auto, Reader reader, Writer writer) -> Deferred<std::string> {
      writer.write_line("hello");
      co_return *co_await reader.read_line();
    };
    const auto forbidden = std::optional(Tcp::Connect_error::Kind::Forbidden);
    const auto to_one = Tcp::to_host_and_port("one", 7);
    const auto to_two = Tcp::to_host_and_port("two", 7);
    EXPECT_EQ(co_await all.with_connection(to_one, hello), "hello");
    EXPECT_EQ(co_await all.with_connection(to_two, {}, hello), "hello");
    EXPECT_EQ(co_await some.with_connection(to_one, hello), "hello");
    EXPECT_EQ(co_await kind_of(some.with_connection(to_two, hello)), forbidden);
    EXPECT_EQ(co_await kind_of(some.connect(to_two)), forbidden);
    EXPECT_EQ(co_await kind_of(some.connect_sock(to_two)), forbidden);
    co_await (co_await some.connect(to_one)).socket.abort();
    co_await (co_await some.connect_sock(to_one)).abort();
    // The options of one connection narrow it further, and never widen it.
    EXPECT_EQ(co_await kind_of(some.connect(to_one, {.access = {.denied = {range("10.1.0.1")}}})),
              forbidden);
    EXPECT_EQ(
        co_await kind_of(some.connect(to_two, {.access = {.allowed = {range("10.0.0.0/8")}}})),
        forbidden);
    // Nor does narrowing it by something else.
    const auto none = some.narrowed_by({.allowed = {range("10.2.0.0/16")}});
    EXPECT_EQ(co_await kind_of(none.connect(to_one)), forbidden);
    EXPECT_EQ(co_await kind_of(none.connect(to_two)), forbidden);
  });
}

TEST(Authority_to_listen, listens_on_what_it_permits_and_on_nothing_else) {
  Simulation simulation;
  simulation.host("localhost", {Inet_addr::of_string("10.1.0.1")});
  simulation.run([&]() -> Deferred<> {
    const Listen_authority all = Authority::ambient().to_listen();
    const Listen_authority loopback =
        all.narrowed_by({.allowed = {range("127.0.0.0/8"), range("::1")}});
    const auto kind =
        [](Deferred<Tcp::Server::Inet> server) -> Deferred<std::optional<Tcp::Listen_error::Kind>> {
      const auto error = co_await error_of<Tcp::Listen_error>(std::move(server));
      co_return error ? std::optional(error->kind()) : std::nullopt;
    };
    const auto denied = std::optional(Tcp::Listen_error::Kind::Access_denied);
    const auto server = co_await loopback.create_server(on("127.0.0.1:7"), echo_handler);
    EXPECT_EQ(co_await ask(Tcp::to_host_and_port("127.0.0.1", 7), "hello"), "hello");
    const auto by_sock = [](const Address::Inet&, auto socket) {
      return echo(socket.reader(), socket.writer());
    };
    co_await loopback.create_server_sock(on("[::1]:8"), by_sock);
    EXPECT_EQ(co_await ask(Tcp::to_host_and_port("::1", 8), "hello"), "hello");
    EXPECT_EQ(co_await kind(loopback.create_server(on("10.1.0.1:7"), echo_handler)), denied);
    EXPECT_EQ(co_await kind(loopback.create_server_sock(on("10.1.0.1:7"), {}, by_sock)), denied);
    // That would be on all addresses.
    EXPECT_EQ(co_await kind(loopback.create_server(Tcp::on_port(9), echo_handler)), denied);
    EXPECT_EQ(co_await kind(loopback.create_server(on("0.0.0.0:9"), {}, echo_handler)), denied);
    EXPECT_EQ(co_await kind(all.create_server(Tcp::on_port(9), echo_handler)), std::nullopt);
    const auto error = co_await error_of<Tcp::Listen_error>(
        loopback.create_server(on("10.1.0.1:7"), echo_handler));
    EXPECT_STREQ(error->what(), "listen on 10.1.0.1:7: permission denied by access policy");
  });
}

TEST(Authority, that_is_narrowed_hands_on_no_more_than_it_has) {
  Simulation simulation;
  const Host server = simulation.host("server", {Inet_addr::of_string("10.1.0.1")});
  simulation.run([&]() -> Deferred<> {
    co_await echo_server(server, 7);
    const auto authority = Authority::ambient().narrowed_by({.denied = {range("10.0.0.0/8")}});
    EXPECT_EQ(co_await kind_of(authority.to_connect().connect(Tcp::to_host_and_port("server", 7))),
              std::optional(Tcp::Connect_error::Kind::Forbidden));
    EXPECT_TRUE(co_await error_of<Tcp::Listen_error>(
        authority.to_listen().create_server(on("10.0.0.1:7"), echo_handler)));
  });
}

}  // namespace
}  // namespace async
