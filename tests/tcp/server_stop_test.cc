// Server: stopping in good order.

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
#include "tests/support/recording_monitor.h"

namespace async {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
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

}  // namespace
}  // namespace async
