// Server: accepting, limits, counts, and what a handler sees.

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
#include "tests/support/captured_log.h"
#include "tests/support/echo_server.h"
#include "tests/support/goodbye.h"

namespace async {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::Host;
using ::testing::IsEmpty;
using testing::Simulation;

const auto where = [](const Tcp::Server::Inet& server) {
  return Tcp::to_host_and_port("localhost", server.listening_on());
};

TEST(Server, calls_its_handler_for_each_client) {
  Simulation simulation;
  const Host client = simulation.host("client");
  simulation.run([&]() -> Deferred<> {
    std::vector<Address::Inet> from;
    const auto server = co_await Tcp::Server::create(
        Tcp::on_port(7), [&](const Address::Inet& address, Reader reader, Writer writer) {
          from.push_back(address);
          EXPECT_FALSE(writer.raise_when_consumer_leaves());
          return echo(std::move(reader), std::move(writer));
        });
    std::vector<Address::Inet> mine;
    const auto here = simulation.host("localhost").addrs()[0];
    co_await client.within([&]() -> Deferred<> {
      for (int i = 0; i < 10; ++i) {
        co_await Tcp::with_connection(Tcp::to_inet_address(Address::Inet(here, 7)),
                                      [&](auto socket, Reader reader, Writer writer) -> Deferred<> {
                                        mine.push_back(socket.getsockname());
                                        writer.write_line("hello");
                                        EXPECT_EQ(co_await reader.read_line(), "hello");
                                      });
      }
    });
    EXPECT_EQ(from, mine);
    EXPECT_EQ(server.counts().accepted, 10U);
    co_await Clock::after(2s);
    EXPECT_EQ(server.num_connections(), 0);
    server.invariant();
  });
}

TEST(Server, serves_a_thousand_clients_at_once) {
  Simulation simulation;
  const Host client = simulation.host("client");
  simulation.run([&]() -> Deferred<> {
    const auto server = co_await Tcp::Server::create(Tcp::on_port(7), echo_handler);
    const auto address = Address::Inet(simulation.host("localhost").addrs()[0], 7);
    std::vector<Deferred<std::string>> answers;
    client.within([&] {
      for (int i = 0; i < 1000; ++i) {
        answers.push_back(ask(Tcp::to_inet_address(address), std::to_string(i)));
      }
    });
    int i = 0;
    for (const std::string& answer : co_await all(std::move(answers))) {
      EXPECT_EQ(answer, std::to_string(i++));
    }
    EXPECT_EQ(server.counts().accepted, 1000U);
  });
}

TEST(Server, flushes_and_closes_when_its_handler_is_determined) {
  Simulation().run([]() -> Deferred<> {
    const auto server = co_await Tcp::Server::create(
        Tcp::on_port(7), [](const Address::Inet&, Reader, Writer writer) -> Deferred<> {
          co_await Clock::after(1s);
          writer.write(std::string(1'000'000, 'x'));
        });
    const auto connected = co_await Tcp::connect(where(server));
    EXPECT_EQ((co_await connected.reader.contents()).size(), 1'000'000U);
    co_await Clock::after(2s);
    EXPECT_EQ(server.num_connections(), 0);
    EXPECT_EQ(server.counts().bytes_dropped, 0U);
  });
}

TEST(Server, create_sock_gives_its_handler_the_socket) {
  Simulation().run([]() -> Deferred<> {
    const auto server = co_await Tcp::Server::create_sock(
        Tcp::on_port(7), [](const Address::Inet& from, auto socket) {
          EXPECT_EQ(socket.getpeername(), from);
          EXPECT_EQ(socket.getsockname().port(), 7);
          return echo(socket.reader(), socket.writer());
        });
    EXPECT_EQ(co_await ask(where(server), "hello"), "hello");
  });
}

TEST(Server, on_a_file_shows_the_path) {
  Simulation().run([]() -> Deferred<> {
    const Tcp::Server::Unix server = co_await Tcp::Server::create(
        Tcp::on_file("/run/echo"), [](const Address::Unix& from, Reader reader, Writer writer) {
          EXPECT_TRUE(from.is_unnamed());
          return echo(std::move(reader), std::move(writer));
        });
    EXPECT_EQ(server.listening_on(), "/run/echo");
    EXPECT_EQ(server.listening_on_address().path(), "/run/echo");
    EXPECT_THAT(to_string(server), HasSubstr("server on /run/echo, 0 of "));
    EXPECT_EQ(co_await ask(Tcp::to_file(server.listening_on()), "hello"), "hello");
    co_await server.close();
    // The name is free again.
    co_await Tcp::Server::create(Tcp::on_file("/run/echo"),
                                 [](const Address::Unix&, Reader, Writer) { return determined(); });
  });
}

TEST(Server, prints_what_it_is_and_how_full) {
  Simulation().run([]() -> Deferred<> {
    const auto server =
        co_await Tcp::Server::create(Tcp::on_port(80), {.max_connections = 3}, echo_handler);
    EXPECT_EQ(to_string(server), "server on [::]:80, 0 of 3 connections");
    EXPECT_EQ(server.listening_on(), 80);
    EXPECT_EQ(to_string(server.listening_on_address()), "[::]:80");
    const auto connected = co_await Tcp::connect(where(server));
    co_await Clock::after(1s);
    EXPECT_EQ(to_string(server), "server on [::]:80, 1 of 3 connections");
    co_await server.close();
    EXPECT_EQ(to_string(server), "server on [::]:80, 1 of 3 connections, closed");
    EXPECT_EQ(server.listening_on(), 80);
  });
}

TEST(Server, fails_to_listen_where_somebody_does) {
  Simulation().run([]() -> Deferred<> {
    using Kind = Tcp::Listen_error::Kind;
    const auto server = co_await Tcp::Server::create(Tcp::on_port_chosen_by_os(), echo_handler);
    const int port = server.listening_on();
    const auto in_use =
        co_await error_of<Tcp::Listen_error>(Tcp::Server::create(Tcp::on_port(port), echo_handler));
    EXPECT_EQ(in_use->kind(), Kind::Address_in_use);
    EXPECT_EQ(in_use->code(), std::errc::address_in_use);
    EXPECT_EQ(to_string(in_use->address()), "[::]:" + std::to_string(port));
    EXPECT_THAT(in_use->what(), HasSubstr("listen on [::]:"));
    const auto elsewhere = Tcp::Where_to_listen<Address::Inet, int>::create(
        Address::Inet::of_string("203.0.113.1:80"), [](const Address::Inet&) { return 0; });
    const auto not_mine =
        co_await error_of<Tcp::Listen_error>(Tcp::Server::create(elsewhere, echo_handler));
    EXPECT_EQ(not_mine->kind(), Kind::Address_not_available);
    EXPECT_EQ(to_string(Kind::Address_in_use), "address in use");
    EXPECT_EQ(to_string(Kind::Access_denied), "access denied");
    EXPECT_EQ(to_string(Kind::Address_not_available), "address not available");
    EXPECT_EQ(to_string(Kind::Other), "other");
  });
}

TEST(Server, refuses_options_that_make_no_sense) {
  Simulation().run([]() -> Deferred<> {
    for (const int n : {0, -1}) {
      EXPECT_TRUE(co_await error_of<std::invalid_argument>(
          Tcp::Server::create(Tcp::on_port(7), {.max_connections = n}, echo_handler)));
      EXPECT_TRUE(co_await error_of<std::invalid_argument>(
          Tcp::Server::create(Tcp::on_port(7), {.max_accepts_per_batch = n}, echo_handler)));
    }
    EXPECT_TRUE(co_await error_of<std::invalid_argument>(
        Tcp::Server::create(Tcp::on_port(7), {.reader_buffer_size = 0}, echo_handler)));
    co_await Tcp::Server::create(Tcp::on_port(7), echo_handler);  // the port is still free
  });
}

TEST(Server, has_a_default_of_connections_that_its_descriptors_allow) {
  for (const auto [descriptors, connections] : {std::pair(1000, 900), std::pair(20'000, 10'000)}) {
    Simulation({.max_descriptors = descriptors}).run([connections]() -> Deferred<> {
      const auto server = co_await Tcp::Server::create(Tcp::on_port(7), echo_handler);
      EXPECT_EQ(server.max_connections(), connections);
    });
  }
}

TEST(Server, lets_clients_beyond_max_connections_wait_and_serves_them_in_turn) {
  Simulation simulation;
  const Host client = simulation.host("client");
  simulation.run([&]() -> Deferred<> {
    Events events;
    const auto server = co_await Tcp::Server::create(
        Tcp::on_port(7), {.max_connections = 2},
        [&](const Address::Inet&, Reader reader, Writer) -> Deferred<> {
          const auto name = co_await reader.read_line();
          events.push_back("begin " + *name);
          co_await reader.drain();
          events.push_back("end " + *name);
        });
    const auto address = Address::Inet(simulation.host("localhost").addrs()[0], 7);
    std::vector<Tcp::Connected<Address::Inet>> clients;
    co_await client.within([&]() -> Deferred<> {
      for (const char* name : {"1", "2", "3", "4"}) {
        clients.push_back(co_await Tcp::connect(Tcp::to_inet_address(address)));
        clients.back().writer.write_line(name);
      }
    });
    co_await Clock::after(10s);
    EXPECT_THAT(events, ElementsAre("begin 1", "begin 2"));
    EXPECT_EQ(server.num_connections(), 2);
    EXPECT_EQ(server.counts().accepted, 2U);  // the others are in the system's queue
    server.invariant();
    co_await clients[1].writer.close();
    co_await Clock::after(10s);
    EXPECT_THAT(events, ElementsAre("begin 1", "begin 2", "end 2", "begin 3"));
    EXPECT_EQ(server.num_connections(), 2);
    co_await clients[0].writer.close();
    co_await clients[2].writer.close();
    co_await clients[3].writer.close();
    co_await Clock::after(10s);
    EXPECT_EQ(events.size(), 8U);
    EXPECT_EQ(server.num_connections(), 0);
    server.invariant();
  });
}

TEST(Server, holds_a_place_until_the_handler_is_determined_and_the_connection_closed) {
  Simulation().run([]() -> Deferred<> {
    const Ivar<> go_on;
    const auto server = co_await Tcp::Server::create(
        Tcp::on_port(7), {.max_connections = 1},
        [&](const Address::Inet&, Reader, Writer writer) -> Deferred<> {
          co_await writer.close();
          co_await go_on.read();
        });
    const auto connected = co_await Tcp::connect(where(server));
    EXPECT_EQ(co_await connected.reader.contents(), "");
    co_await Clock::after(1h);
    EXPECT_EQ(server.num_connections(), 1);
    go_on.fill();
    co_await Clock::after(1s);
    EXPECT_EQ(server.num_connections(), 0);
  });
}

TEST(Server, lets_the_system_refuse_clients_beyond_its_queue) {
  Simulation().run([]() -> Deferred<> {
    const auto server = co_await Tcp::Server::create(
        Tcp::on_port(7), {.max_connections = 1, .max_pending_connections = 1}, echo_handler);
    const auto served = co_await Tcp::connect(where(server));
    co_await Clock::after(1s);
    const auto waits = co_await Tcp::connect(where(server));
    const auto error =
        co_await error_of<Tcp::Connect_error>(Tcp::connect(where(server), {.timeout = 5s}));
    EXPECT_EQ(error->kind(), Tcp::Connect_error::Kind::Timed_out);
    co_await served.socket.abort();
    waits.writer.write_line("my turn");
    EXPECT_EQ(co_await waits.reader.read_line(), "my turn");
    co_await waits.socket.abort();
    co_await Clock::after(1s);
    // Who has given up is not accepted.
    EXPECT_EQ(server.counts().accepted, 2U);
    EXPECT_EQ(server.num_connections(), 0);
  });
}

TEST(Server, accepts_all_of_a_crowd_one_at_a_time) {
  Simulation().run([]() -> Deferred<> {
    const auto server =
        co_await Tcp::Server::create(Tcp::on_port(7), {.max_accepts_per_batch = 1}, echo_handler);
    std::vector<Deferred<std::string>> answers;
    for (int i = 0; i < 50; ++i) answers.push_back(ask(where(server), "x"));
    EXPECT_EQ((co_await all(std::move(answers))).size(), 50U);
  });
}

TEST(Server, survives_without_descriptors_and_serves_all_in_turn) {
  Captured_log log;
  Simulation simulation({.max_descriptors = 16});
  const Host host = simulation.host("server");
  simulation.run([&]() -> Deferred<> {
    const auto server = co_await host.within([] {
      return Tcp::Server::create(
          Tcp::on_port(7), {.max_connections = 1000},
          [](const Address::Inet&, Reader reader, Writer writer) -> Deferred<> {
            co_await Clock::after(1s);
            co_await echo(reader, writer);
          });
    });
    std::vector<Deferred<std::string>> answers;
    for (int i = 0; i < 20; ++i) {
      simulation.host("client " + std::to_string(i)).within([&] {
        for (int k = 0; k < 10; ++k)
          answers.push_back(ask(Tcp::to_host_and_port("server", 7), "x"));
      });
    }
    for (const std::string& answer : co_await all(std::move(answers))) EXPECT_EQ(answer, "x");
    EXPECT_EQ(server.counts().accepted, 200U);
    EXPECT_GT(server.counts().accept_errors, 0U);
    EXPECT_LT(server.counts().accept_errors, 400U);  // it does not spin
    co_await Clock::after(2s);
    EXPECT_EQ(server.num_connections(), 0);
    server.invariant();
  });
  EXPECT_THAT(log.errors(), IsEmpty());
}

TEST(Server, goes_on_when_nobody_holds_it) {
  Simulation().run([]() -> Deferred<> {
    static_cast<void>(co_await Tcp::Server::create(Tcp::on_port(7), echo_handler));
    co_await Clock::after(1h);
    EXPECT_EQ(co_await ask(Tcp::to_host_and_port("localhost", 7), "hello"), "hello");
  });
}

TEST(Server, keeps_its_handler_until_it_is_closed_and_all_are_determined) {
  Events events;
  Simulation().run([&]() -> Deferred<> {
    auto server = std::make_optional(co_await Tcp::Server::create(
        Tcp::on_port(7),
        [&events, probe = goodbye(events, "handler")](const Address::Inet&, Reader reader,
                                                      Writer writer) -> Deferred<> {
          co_await echo(reader, writer);
          co_await Clock::after(1s);
          events.emplace_back("end");
        }));
    const auto connected = co_await Tcp::connect(where(*server));
    co_await Clock::after(1s);
    const auto done = server->close_finished_and_handlers_determined();
    co_await server->close();
    server.reset();
    EXPECT_THAT(events, IsEmpty());
    co_await connected.socket.abort();
    co_await done;
    co_await Scheduler::yield();
    EXPECT_THAT(events, ElementsAre("end", "handler gone"));
  });
}

TEST(Server, counts_the_bytes_that_its_handlers_could_not_send) {
  Simulation().run([]() -> Deferred<> {
    const auto server = co_await Tcp::Server::create(
        Tcp::on_port(7), [](const Address::Inet&, Reader, Writer writer) -> Deferred<> {
          co_await Clock::after(1s);
          writer.write("abc");
          co_await writer.consumer_left();
          writer.write("def");
        });
    const auto connected = co_await Tcp::connect(where(server));
    co_await connected.socket.abort();
    co_await Clock::after(5s);
    EXPECT_EQ(server.num_connections(), 0);
    EXPECT_EQ(server.counts().bytes_dropped, 6U);
    EXPECT_EQ(server.counts().handler_errors, 0U);
  });
}

}  // namespace
}  // namespace async
