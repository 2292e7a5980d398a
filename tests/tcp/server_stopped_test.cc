// Server: what handlers are told of the end of their server, and why a server has stopped.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
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
using ::testing::IsEmpty;
using testing::Simulation;
using Client = Tcp::Connected<Address::Inet>;
using Report = Tcp::Server::Stop_report;

const auto where = [](const Tcp::Server::Inet& server) {
  return Tcp::to_host_and_port("localhost", server.listening_on());
};

Deferred<Tcp::Server::Inet> echoing() {
  return Tcp::Server::create(Tcp::on_port_chosen_by_os(), echo_handler);
}

Deferred<Client> tell(Tcp::Server::Inet server, std::string line) {
  Client client = co_await Tcp::connect(where(server));
  client.writer.write_line(line);
  co_await Clock::after(10ms);
  co_return client;
}

TEST(Stopping, never_comes_where_there_is_no_server) {
  Simulation().run([]() -> Deferred<> {
    const auto here = Tcp::Server::stopping();
    const auto server = co_await echoing();
    co_await server.stop();
    co_await Clock::after(1h);
    EXPECT_FALSE(here.is_determined());
    EXPECT_FALSE(Tcp::Server::stopping().is_determined());
  });
}

TEST(Stopping, is_seen_by_all_that_a_handler_has_started) {
  Simulation().run([]() -> Deferred<> {
    Events events;
    const auto server = co_await Tcp::Server::create(
        Tcp::on_port(7), [&](const Address::Inet&, Reader reader, Writer) -> Deferred<> {
          Clock::every(1s, {.stop = Tcp::Server::stopping()}, [] {});
          Scheduler::schedule([&events] {
            return Tcp::Server::stopping().map([&events] { events.emplace_back("in a job"); });
          });
          // Whatever time, and under whatever monitor.
          dont_wait_for(try_with([&events]() -> Deferred<> {
                          co_await Clock::after(1s);
                          co_await Tcp::Server::stopping();
                          events.emplace_back("later");
                        }).map([](const auto&) {}));
          co_await reader.drain();
        });
    const Client client = co_await tell(server, "x");
    co_await Clock::after(10s);
    EXPECT_THAT(events, IsEmpty());
    const auto report = server.stop();
    co_await Clock::after(1s);
    EXPECT_THAT(events, ElementsAre("in a job", "later"));
    co_await client.writer.close();
    EXPECT_EQ(co_await report, (Report{.finished = 1}));
  });
}

TEST(Stopping, is_that_of_the_innermost_server) {
  Simulation().run([]() -> Deferred<> {
    std::optional<Tcp::Server::Inet> inner;
    Events events;
    const auto outer = co_await Tcp::Server::create(
        Tcp::on_port(7), [&](const Address::Inet&, Reader reader, Writer) -> Deferred<> {
          inner = co_await Tcp::Server::create(
              Tcp::on_port(8), [&](const Address::Inet&, Reader, Writer) -> Deferred<> {
                co_await Tcp::Server::stopping();
                events.emplace_back("inner");
              });
          dont_wait_for(Tcp::Server::stopping().map([&events] { events.emplace_back("outer"); }));
          co_await reader.drain();
        });
    const Client first = co_await tell(outer, "x");
    const Client second = co_await tell(*inner, "x");
    EXPECT_EQ(co_await inner->stop(), (Report{.finished = 1}));
    EXPECT_THAT(events, ElementsAre("inner"));
    const auto report = outer.stop();
    co_await first.writer.close();
    co_await report;
    EXPECT_THAT(events, ElementsAre("inner", "outer"));
  });
}

TEST(Stopping, comes_at_the_latest_when_the_server_is_no_more) {
  Simulation().run([]() -> Deferred<> {
    const Ivar<> told;
    auto server = std::make_optional(co_await Tcp::Server::create(
        Tcp::on_port(7), [told](const Address::Inet&, Reader reader, Writer) -> Deferred<> {
          dont_wait_for(Tcp::Server::stopping().map([told] { told.fill(); }));
          co_await reader.drain();
        }));
    const Client client = co_await tell(*server, "x");
    co_await server->close();
    server.reset();
    co_await Clock::after(1s);
    EXPECT_FALSE(told.is_full());
    co_await client.writer.close();
    co_await told.read();
  });
}

TEST(Stopped, has_no_error_when_the_server_was_closed) {
  Simulation().run([]() -> Deferred<> {
    const auto server = co_await echoing();
    const auto stopped = server.stopped();
    co_await Clock::after(1h);
    EXPECT_FALSE(stopped.is_determined());
    co_await server.close();
    EXPECT_TRUE(co_await stopped);
    co_await server.stop_with(Error("too late"));
    EXPECT_TRUE(co_await server.stopped());
  });
}

TEST(Stop_with, says_why_and_leaves_connections_alone) {
  Simulation().run([]() -> Deferred<> {
    const Recording_monitor monitor;
    const auto server =
        co_await monitor.under([] { return Tcp::Server::create(Tcp::on_port(7), echo_handler); });
    const Client client = co_await tell(server, "before");
    EXPECT_EQ(co_await client.reader.read_line(), "before");
    co_await server.stop_with(Error(std::out_of_range("the disk is full")));
    EXPECT_TRUE(server.is_closed());
    co_await server.stop_with(Error("another error"));
    const auto stopped = co_await server.stopped();
    EXPECT_STREQ(stopped.error().what(), "the disk is full");
    EXPECT_TRUE(stopped.error().as<std::out_of_range>());
    EXPECT_TRUE(co_await error_of<Tcp::Connect_error>(Tcp::connect(where(server))));
    client.writer.write_line("after");
    EXPECT_EQ(co_await client.reader.read_line(), "after");
    EXPECT_THAT(monitor.heard(), IsEmpty());
    server.invariant();
  });
}

TEST(Stop_with, may_be_called_by_a_handler) {
  Simulation().run([]() -> Deferred<> {
    std::optional<Tcp::Server::Inet> server;
    server = co_await Tcp::Server::create(
        Tcp::on_port(7), [&](const Address::Inet&, Reader reader, Writer writer) -> Deferred<> {
          const auto line = co_await reader.read_line();
          co_await server->stop_with(Error(*line));
          writer.write("bye");
        });
    const Client client = co_await tell(*server, "told to");
    EXPECT_EQ(co_await client.reader.contents(), "bye");
    EXPECT_STREQ((co_await server->stopped()).error().what(), "told to");
  });
}

TEST(Stopped, has_the_error_of_a_handler_that_has_stopped_it) {
  Simulation().run([]() -> Deferred<> {
    const Recording_monitor monitor;
    const auto server = co_await monitor.under([] {
      return Tcp::Server::create(Tcp::on_port(7),
                                 [](const Address::Inet&, Reader reader, Writer) -> Deferred<> {
                                   co_await reader.read_line();
                                   throw std::out_of_range("raised");
                                 });
    });
    const Client client = co_await tell(server, "x");
    const auto stopped = co_await server.stopped();
    EXPECT_STREQ(stopped.error().what(), "raised");
    EXPECT_THAT(monitor.heard(), ElementsAre("raised"));
  });
}

TEST(A_server_that_has_just_been_made, may_be_closed_at_once) {
  Simulation().run([]() -> Deferred<> {
    const auto closed = co_await echoing().bind(
        [](Tcp::Server::Inet server) { return server.close().map([server] { return server; }); });
    EXPECT_TRUE(closed.is_closed());
    EXPECT_TRUE(co_await error_of<Tcp::Connect_error>(Tcp::connect(where(closed))));
    const auto stopped = co_await echoing();
    EXPECT_EQ(co_await stopped.stop(), Report());
  });
}

// The socket is ready in the turn in which the server is closed.
TEST(A_server_that_is_closed, forgets_clients_that_were_just_coming) {
  Simulation().run([]() -> Deferred<> {
    int num_calls = 0;
    const auto server = co_await Tcp::Server::create(std::vector{Tcp::on_port(7), Tcp::on_port(8)},
                                                     [&](const Address::Inet&, Reader, Writer) {
                                                       ++num_calls;
                                                       return determined();
                                                     });
    std::vector<Client> clients;
    for (const int port : {7, 8}) {
      clients.push_back(co_await Tcp::connect(Tcp::to_host_and_port("localhost", port)));
    }
    server.pause();
    server.resume();  // so that both are ready at the end of this turn
    co_await server.close();
    co_await Clock::after(1s);
    EXPECT_EQ(num_calls, static_cast<int>(server.counts().accepted));
    EXPECT_EQ(server.num_connections(), 0);
    server.invariant();
  });
}

TEST(The_end_of_the_scheduler, comes_over_a_server_that_is_being_stopped) {
  std::optional<Tcp::Server::Inet> outlives;
  std::optional<Deferred<Report>> report;
  std::optional<Client> client;
  Simulation().run([&]() -> Deferred<> {
    outlives = co_await echoing();
    client = co_await tell(*outlives, "x");
    report = outlives->stop();
    static_cast<void>(outlives->stop());
    co_await Clock::after(1s);
  });
  EXPECT_TRUE(outlives->is_closed());
  EXPECT_FALSE(report->is_determined());
}

}  // namespace
}  // namespace async
