// Server: stopping in good order, and why a server has stopped.

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

/// Does what its client says.
Deferred<> obey(Reader reader, Writer writer) {
  const auto order = co_await reader.read_line();
  if (order == "be quick") {
    co_await Tcp::Server::stopping();
    writer.write_line("bye");
  } else if (order == "take ten seconds") {
    co_await Tcp::Server::stopping();
    co_await Clock::after(10s);
    writer.write_line("bye at last");
  } else if (order == "write and wait") {
    writer.write(std::string(10'000'000, 'x'));
    co_await reader.drain();
  } else if (order == "clean up") {
    co_await reader.drain();
    co_await Clock::after(500ms);
  } else if (order == "never end") {
    co_await never();
  } else if (order == "raise") {
    co_await Tcp::Server::stopping();
    throw std::runtime_error("raised");
  }
}

Deferred<Tcp::Server::Inet> obeying() {
  return Tcp::Server::create(Tcp::on_port_chosen_by_os(),
                             {.on_handler_error = Tcp::On_handler_error::ignore()},
                             [](const Address::Inet&, Reader reader, Writer writer) {
                               return obey(std::move(reader), std::move(writer));
                             });
}

Deferred<Client> tell(Tcp::Server::Inet server, std::string order) {
  Client client = co_await Tcp::connect(where(server));
  client.writer.set_raise_when_consumer_leaves(false);
  client.writer.write_line(order);
  co_await Clock::after(10ms);
  co_return client;
}

TEST(Server_stop, of_one_without_clients_is_quick) {
  Simulation().run([]() -> Deferred<> {
    const auto server = co_await obeying();
    const Time_ns start = Clock::now();
    EXPECT_EQ(co_await server.stop(), Report());
    EXPECT_EQ(Clock::now(), start);
    EXPECT_TRUE(server.is_closed());
    EXPECT_TRUE(co_await server.stopped());
    EXPECT_TRUE(server.close_finished_and_handlers_determined().is_determined());
    server.invariant();
  });
}

TEST(Server_stop, tells_its_handlers_and_waits_for_them) {
  Simulation().run([]() -> Deferred<> {
    const auto server = co_await obeying();
    const Client quick = co_await tell(server, "be quick");
    const Client slow = co_await tell(server, "take ten seconds");
    const Time_ns start = Clock::now();
    const auto report = server.stop();
    EXPECT_TRUE(server.is_closed());
    EXPECT_EQ(co_await quick.reader.read_line(), "bye");
    EXPECT_EQ(co_await slow.reader.read_line(), "bye at last");
    EXPECT_EQ(co_await report, (Report{.finished = 2}));
    EXPECT_LE(Clock::now() - start, 11s);  // the client may take a second to close
    EXPECT_EQ(server.num_connections(), 0);
    server.invariant();
  });
}

TEST(Server_stop, aborts_those_who_are_not_done_in_time) {
  Simulation().run([]() -> Deferred<> {
    const auto server = co_await obeying();
    const Client quick = co_await tell(server, "be quick");
    const Client slow = co_await tell(server, "write and wait");
    const Client cleans_up = co_await tell(server, "clean up");
    const Time_ns start = Clock::now();
    const Report report = co_await server.stop({.wait = 5s});
    EXPECT_EQ(Clock::now() - start, 5s + 500ms);
    EXPECT_EQ(report.finished, 1);
    EXPECT_EQ(report.aborted, 2);
    EXPECT_EQ(report.still_running, 0);
    EXPECT_GT(report.bytes_dropped, 0U);
    EXPECT_EQ(report.bytes_dropped, server.counts().bytes_dropped);
    EXPECT_EQ(server.num_connections(), 0);
    EXPECT_TRUE(server.close_finished_and_handlers_determined().is_determined());
    co_await slow.reader.drain();
    EXPECT_EQ(co_await cleans_up.reader.read(), std::unexpected(Eof{Eof::Reason::Reset}));
  });
}

TEST(Server_stop, says_which_handlers_do_not_end_at_all) {
  Simulation().run([]() -> Deferred<> {
    const auto server = co_await obeying();
    const Client stubborn = co_await tell(server, "never end");
    const Client quick = co_await tell(server, "be quick");
    const Time_ns start = Clock::now();
    EXPECT_EQ(co_await server.stop({.wait = 5s}),
              (Report{.finished = 1, .aborted = 1, .still_running = 1}));
    EXPECT_EQ(Clock::now() - start, 6s);
    EXPECT_EQ(co_await stubborn.reader.read(), std::unexpected(Eof{Eof::Reason::Reset}));
    EXPECT_EQ(server.num_connections(), 1);
    EXPECT_FALSE(server.close_finished_and_handlers_determined().is_determined());
    server.invariant();
  });
}

TEST(Server_stop, counts_the_bytes_of_handlers_that_still_run) {
  Simulation().run([]() -> Deferred<> {
    const auto server = co_await Tcp::Server::create(
        Tcp::on_port(7), [](const Address::Inet&, Reader, Writer writer) -> Deferred<> {
          writer.write(std::string(50'000'000, 'x'));
          co_await never();
        });
    const Client client = co_await Tcp::connect(where(server));
    co_await Clock::after(1s);
    const Report report =
        co_await server.stop({.wait = 1s, .wait_after_abort = std::chrono::milliseconds(0)});
    EXPECT_EQ(report.still_running, 1);
    EXPECT_GT(report.bytes_dropped, 1'000'000U);
    EXPECT_EQ(server.counts().bytes_dropped, 0U);  // that is told by clients that are gone
  });
}

TEST(Server_stop, again_returns_the_same_and_only_a_shorter_bound_counts) {
  Simulation().run([]() -> Deferred<> {
    const auto server = co_await obeying();
    const Client client = co_await tell(server, "clean up");
    const Time_ns start = Clock::now();
    const auto first = server.stop({.wait = 10s});
    co_await Clock::after(1s);
    const auto longer = server.stop({.wait = 1h});
    co_await Clock::after(1s);
    const auto shorter = server.stop({.wait = 3s});
    EXPECT_EQ(co_await first, (Report{.aborted = 1}));
    EXPECT_EQ(Clock::now() - start, 5s + 500ms);
    EXPECT_TRUE(longer.is_determined() && shorter.is_determined());
    EXPECT_EQ(co_await longer, (Report{.aborted = 1}));
    EXPECT_EQ(co_await server.stop({.wait = 0s}), (Report{.aborted = 1}));
  });
}

TEST(Server_stop, that_does_not_wait_still_lets_handlers_say_what_they_can_at_once) {
  Simulation().run([]() -> Deferred<> {
    const auto server = co_await obeying();
    const Client quick = co_await tell(server, "be quick");
    const Client never_ends = co_await tell(server, "never end");
    const Report report = co_await server.stop({.wait = 0s, .wait_after_abort = 0s});
    EXPECT_EQ(report.finished + report.aborted, 2);
    EXPECT_EQ(report.still_running, 1);
    EXPECT_EQ(server.num_connections(), 1);
  });
}

TEST(Server_stop, after_close_tells_the_handlers_as_well) {
  Simulation().run([]() -> Deferred<> {
    const auto server = co_await obeying();
    const Client quick = co_await tell(server, "be quick");
    co_await server.close();
    co_await Clock::after(1h);
    EXPECT_EQ(server.num_connections(), 1);
    EXPECT_EQ(co_await server.stop(), (Report{.finished = 1}));
    EXPECT_EQ(co_await quick.reader.read_line(), "bye");
  });
}

TEST(Server_stop, is_over_when_the_connections_are_closed_by_other_means) {
  Simulation().run([]() -> Deferred<> {
    const auto server = co_await obeying();
    const Client client = co_await tell(server, "clean up");
    const auto report = server.stop();
    co_await Clock::after(1s);
    co_await server.close({.close_existing_connections = true});
    EXPECT_EQ(co_await report, (Report{.finished = 1}));
  });
}

TEST(Server_stop, counts_a_peer_that_leaves_as_finished) {
  Simulation().run([]() -> Deferred<> {
    const auto server = co_await obeying();
    const Client client = co_await tell(server, "clean up");
    const auto report = server.stop();
    co_await client.socket.abort();
    EXPECT_EQ(co_await report, (Report{.finished = 1}));
  });
}

TEST(Server_stop, survives_a_handler_that_raises_meanwhile) {
  Simulation().run([]() -> Deferred<> {
    const Recording_monitor monitor;
    const auto server = co_await monitor.under([] {
      return Tcp::Server::create(Tcp::on_port(7),
                                 [](const Address::Inet&, Reader reader, Writer writer) {
                                   return obey(std::move(reader), std::move(writer));
                                 });
    });
    const Client client = co_await tell(server, "raise");
    EXPECT_EQ(co_await server.stop(), (Report{.finished = 1}));
    EXPECT_THAT(monitor.heard(), ElementsAre("raised"));
    EXPECT_TRUE(co_await server.stopped());  // it had stopped before
  });
}

TEST(Server_stop, may_be_begun_by_a_handler) {
  Simulation().run([]() -> Deferred<> {
    std::optional<Tcp::Server::Inet> server;
    std::optional<Deferred<Report>> report;
    server = co_await Tcp::Server::create(
        Tcp::on_port(7), [&](const Address::Inet&, Reader reader, Writer writer) -> Deferred<> {
          co_await reader.read_line();
          report = server->stop();
          EXPECT_TRUE(Tcp::Server::stopping().is_determined());
          writer.write("bye");
        });
    const Client client = co_await tell(*server, "stop");
    EXPECT_EQ(co_await client.reader.contents(), "bye");
    EXPECT_EQ(co_await *report, (Report{.finished = 1}));
    EXPECT_EQ(co_await server->stop(), (Report{.finished = 1}));
  });
}

TEST(Server_stop, turns_those_away_whose_handler_was_not_called) {
  Simulation().run([]() -> Deferred<> {
    const auto server =
        co_await Tcp::Server::create(Tcp::on_port(7), [](const Address::Inet&, Reader, Writer) {
          ADD_FAILURE();
          return determined();
        });
    std::optional<Deferred<Report>> report;
    const auto hook = Scheduler::add_every_cycle_start_hook([&] {
      if (server.counts().accepted == 1 && !report) report = server.stop();
    });
    const auto connected = co_await Tcp::connect(where(server));
    EXPECT_EQ(co_await connected.reader.read(), std::unexpected(Eof{Eof::Reason::Reset}));
    EXPECT_EQ(co_await *report, Report());
    server.invariant();
  });
}

TEST(Stopping, never_comes_where_there_is_no_server) {
  Simulation().run([]() -> Deferred<> {
    const auto here = Tcp::Server::stopping();
    const auto server = co_await obeying();
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
    const auto server = co_await obeying();
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
    const auto closed = co_await obeying().bind(
        [](Tcp::Server::Inet server) { return server.close().map([server] { return server; }); });
    EXPECT_TRUE(closed.is_closed());
    EXPECT_TRUE(co_await error_of<Tcp::Connect_error>(Tcp::connect(where(closed))));
    const auto stopped = co_await obeying();
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
  Simulation().run([&]() -> Deferred<> {
    outlives = co_await obeying();
    const Client client = co_await tell(*outlives, "never end");
    report = outlives->stop();
    static_cast<void>(outlives->stop());
    co_await Clock::after(1s);
  });
  EXPECT_TRUE(outlives->is_closed());
  EXPECT_FALSE(report->is_determined());
}

}  // namespace
}  // namespace async
