// Options that sockets have from the start, and keepalive in whole seconds.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "async/testing/simulation.h"
#include "tcp/tcp.h"
#include "tests/support/echo_server.h"

namespace async {
namespace {

using namespace std::chrono_literals;
using Tcp::Keepalive;
using testing::Host;
using testing::Simulation;

Span total_of(const Keepalive& k) { return k.after.ns() + k.probes * k.interval.ns(); }

TEST(Keepalive, of_a_total_finds_out_within_that) {
  for (int total = 2; total < 1000; ++total) {
    const auto keepalive = Keepalive::of_total(total * 1s);
    EXPECT_EQ(total_of(keepalive), Span(total * 1s)) << total;
    EXPECT_GE(keepalive.interval, Span(1s)) << total;
    EXPECT_GE(keepalive.probes, 1) << total;
    EXPECT_LE(keepalive.probes, 6) << total;
  }
  EXPECT_EQ(Keepalive::of_total(120s), Keepalive());
}

TEST(Keepalive, of_a_total_that_is_no_number_of_seconds_or_extreme_is_the_nearest_there_is) {
  EXPECT_EQ(Keepalive::of_total(29'001ms), Keepalive::of_total(30s));
  for (const Span little : {Span(0s), Span(-5s), Span(1ns), Span(2s)}) {
    EXPECT_EQ(total_of(Keepalive::of_total(little)), Span(2s));
  }
  EXPECT_EQ(total_of(Keepalive::of_total(Span::max())), Span(32767s));
}

TEST(Socket_options, of_a_client_are_those_of_its_socket) {
  Simulation simulation;
  const Host server = simulation.host("server");
  simulation.run([&]() -> Deferred<> {
    co_await echo_server(server, 7);
    const auto where = Tcp::to_host_and_port("server", 7);
    const auto plain = co_await Tcp::connect_sock(where);
    EXPECT_TRUE(plain.getopt(Socket_opt::nodelay));
    EXPECT_FALSE(plain.getopt(Socket_opt::keepalive));
    co_await plain.abort();
    const auto socket = co_await Tcp::connect_sock(
        where, {.socket = {.keepalive = Keepalive::of_total(30s), .nodelay = false}});
    EXPECT_FALSE(socket.getopt(Socket_opt::nodelay));
    EXPECT_TRUE(socket.getopt(Socket_opt::keepalive));
    EXPECT_EQ(socket.getopt(Socket_opt::keepidle), Span(18s));
    EXPECT_EQ(socket.getopt(Socket_opt::keepintvl), Span(2s));
    EXPECT_EQ(socket.getopt(Socket_opt::keepcnt), 6);
    co_await socket.abort();
  });
}

TEST(Socket_options, of_a_server_are_those_of_what_it_accepts) {
  Simulation simulation;
  simulation.run([&]() -> Deferred<> {
    std::optional<Socket<Socket_state::Active, Address::Inet>> accepted;
    const auto server = co_await Tcp::Server::create_sock(
        Tcp::on_port(7), {}, [&](const Address::Inet&, auto socket) -> Deferred<> {
          accepted = socket;
          co_await socket.closed();
        });
    const auto socket = co_await Tcp::connect_sock(Tcp::to_host_and_port("localhost", 7));
    co_await Clock::after(1s);
    EXPECT_TRUE(accepted->getopt(Socket_opt::nodelay));
    EXPECT_TRUE(accepted->getopt(Socket_opt::keepalive));
    EXPECT_EQ(accepted->getopt(Socket_opt::keepidle), Span(60s));
    EXPECT_EQ(accepted->getopt(Socket_opt::user_timeout), Span(120s));
    accepted->set_keepalive(Keepalive::off());
    EXPECT_FALSE(accepted->getopt(Socket_opt::keepalive));
    EXPECT_EQ(accepted->getopt(Socket_opt::keepidle), Span(60s));
    co_await socket.abort();
    accepted.reset();
  });
}

TEST(Socket_options, of_tcp_do_nothing_to_unix_sockets) {
  Simulation simulation;
  simulation.run([&]() -> Deferred<> {
    const auto server = co_await Tcp::Server::create(
        Tcp::on_file("/run/echo"),
        [](const Address::Unix&, Reader reader, Writer writer) { return echo(reader, writer); });
    const auto socket = co_await Tcp::connect_sock(
        Tcp::to_file("/run/echo"),
        {.socket = {.keepalive = Keepalive(), .send_buffer = 10'000, .v6only = true}});
    EXPECT_EQ(socket.getopt(Socket_opt::sndbuf), 10'000);
    EXPECT_FALSE(socket.getopt(Socket_opt::nodelay));
    EXPECT_FALSE(socket.getopt(Socket_opt::keepalive));
    EXPECT_FALSE(socket.getopt(Socket_opt::v6only));
    co_await socket.abort();
  });
}

TEST(Of_fd, is_not_supported_in_a_simulation) {
  Simulation().run([]() -> Deferred<> {
    try {
      Tcp::of_fd<Address::Inet>(0);
      ADD_FAILURE();
    } catch (const Io_error& error) {
      EXPECT_EQ(error.code(), std::errc::operation_not_supported);
    }
    co_return;
  });
}

}  // namespace
}  // namespace async
