// Server: pausing, and dropping clients when all places are taken.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <optional>
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
using ::testing::HasSubstr;
using testing::Host;
using testing::Simulation;
using Client = Tcp::Connected<Address::Inet>;

Tcp::Where_to_connect<Address::Inet> to(int port) {
  return Tcp::to_host_and_port("localhost", port);
}

Deferred<std::string> answer(Client client, std::string question) {
  client.writer.write_line(question);
  co_return (co_await client.reader.read_line()).value_or("eof");
}

TEST(A_paused_server, lets_clients_wait_until_it_goes_on) {
  Simulation().run([]() -> Deferred<> {
    const auto server =
        co_await Tcp::Server::create(std::vector{Tcp::on_port(7), Tcp::on_port(8)}, echo_handler);
    const Client before = co_await Tcp::connect(to(7));
    EXPECT_EQ(co_await answer(before, "1"), "1");
    EXPECT_FALSE(server.is_paused());
    server.pause();
    server.pause();
    EXPECT_TRUE(server.is_paused());
    std::vector<Deferred<std::string>> answers;
    for (const int port : {7, 8}) answers.push_back(ask(to(port), "2"));
    co_await Clock::after(1h);
    EXPECT_EQ(server.counts().accepted, 1U);
    EXPECT_EQ(co_await answer(before, "still here"), "still here");
    server.invariant();
    server.resume();
    server.resume();
    EXPECT_FALSE(server.is_paused());
    EXPECT_THAT(co_await all(std::move(answers)), ElementsAre("2", "2"));
  });
}

TEST(A_paused_server, can_be_closed_and_does_not_go_on_then) {
  Simulation().run([]() -> Deferred<> {
    const auto server = co_await Tcp::Server::create(Tcp::on_port(7), echo_handler);
    server.pause();
    const Client waits = co_await Tcp::connect(to(7));
    co_await server.close();
    EXPECT_FALSE(server.is_paused());
    EXPECT_EQ(co_await waits.reader.read(), std::unexpected(Eof{Eof::Reason::Reset}));
    server.resume();
    server.pause();
    EXPECT_TRUE(server.is_closed());
    EXPECT_FALSE(server.is_paused());
    server.invariant();
  });
}

// In the middle of accepting a crowd.
TEST(A_paused_server, may_be_paused_and_resumed_by_its_handlers) {
  Simulation().run([]() -> Deferred<> {
    std::optional<Tcp::Server::Inet> server;
    server = co_await Tcp::Server::create(
        Tcp::on_port(7), [&](const Address::Inet&, Reader reader, Writer writer) -> Deferred<> {
          server->pause();
          co_await echo(reader, writer);
          server->resume();
        });
    std::vector<Deferred<std::string>> answers;
    for (int i = 0; i < 50; ++i) answers.push_back(ask(to(7), "x"));
    co_await Clock::after(0s);
    while (server->counts().accepted == 0) co_await Scheduler::yield();
    EXPECT_EQ(server->counts().accepted, 1U);
    EXPECT_EQ((co_await all(std::move(answers))).size(), 50U);
  });
}

TEST(A_paused_server, does_not_go_on_because_a_descriptor_was_freed_or_a_client_has_left) {
  Simulation simulation({.max_descriptors = 3});
  const Host host = simulation.host("server");
  simulation.run([&]() -> Deferred<> {
    const auto server = co_await host.within([] {
      return Tcp::Server::create(Tcp::on_port(7), {.max_connections = 100}, echo_handler);
    });
    const auto there = Tcp::to_host_and_port("server", 7);
    const auto one = co_await simulation.host("one").within([&] { return Tcp::connect(there); });
    const auto two = co_await simulation.host("two").within([&] { return Tcp::connect(there); });
    const auto three =
        co_await simulation.host("three").within([&] { return Tcp::connect(there); });
    co_await Clock::after(10s);
    EXPECT_EQ(server.num_connections(), 2);
    EXPECT_GT(server.counts().accept_errors, 0U);
    server.pause();
    co_await one.writer.close();
    co_await Clock::after(1h);
    EXPECT_EQ(server.num_connections(), 1);
    server.resume();
    EXPECT_EQ(co_await answer(three, "hello"), "hello");
  });
}

TEST(Drop_incoming_connections, closes_those_beyond_the_limit_at_once) {
  Captured_log log;
  Simulation().run([]() -> Deferred<> {
    const auto server = co_await Tcp::Server::create(
        Tcp::on_port(7), {.max_connections = 2, .drop_incoming_connections = true}, echo_handler);
    const Client first = co_await Tcp::connect(to(7));
    const Client second = co_await Tcp::connect(to(7));
    EXPECT_EQ(co_await answer(second, "2"), "2");
    for (int i = 0; i < 100; ++i) {
      const Client third = co_await Tcp::connect(to(7));
      EXPECT_EQ(co_await third.reader.read(), std::unexpected(Eof{Eof::Reason::Reset}));
    }
    EXPECT_EQ(server.num_connections(), 2);
    EXPECT_EQ(server.counts().accepted, 2U);
    EXPECT_EQ(server.counts().dropped, 100U);
    server.invariant();
    EXPECT_EQ(co_await answer(first, "1"), "1");
    co_await first.writer.close();
    co_await Clock::after(1s);
    EXPECT_EQ(co_await ask(to(7), "x"), "x");
    EXPECT_EQ(server.counts().dropped, 100U);
  });
  EXPECT_THAT(log.infos(), ::testing::Contains(HasSubstr("new clients are turned away")));
}

TEST(Drop_incoming_connections, does_nothing_while_the_server_is_paused) {
  Simulation().run([]() -> Deferred<> {
    const auto server = co_await Tcp::Server::create(
        Tcp::on_port(7), {.max_connections = 1, .drop_incoming_connections = true}, echo_handler);
    const Client first = co_await Tcp::connect(to(7));
    EXPECT_EQ(co_await answer(first, "1"), "1");
    server.pause();
    const Client second = co_await Tcp::connect(to(7));
    co_await Clock::after(1s);
    EXPECT_EQ(server.counts().dropped, 0U);
    server.resume();
    EXPECT_EQ(co_await answer(second, "2"), "eof");
    EXPECT_EQ(server.counts().dropped, 1U);
  });
}

}  // namespace
}  // namespace async
