// Server: errors of handlers, of their peers, and how a server closes.

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
#include "tests/support/goodbye.h"
#include "tests/support/recording_monitor.h"

namespace async {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::Simulation;
namespace On_handler_error = Tcp::On_handler_error;

using Policy = Tcp::Handler_error_policy<Address::Inet>;

const auto where = [](const Tcp::Server::Inet& server) {
  return Tcp::to_host_and_port("localhost", server.listening_on());
};

/// Does what its client says.
Deferred<> obey(Reader reader, Writer writer) {
  const auto order = co_await reader.read_line();
  if (order == "raise") throw std::out_of_range("raised");
  if (order == "background") {
    dont_wait_for(Clock::after(1s).map([] { throw std::out_of_range("background"); }));
    co_await reader.drain();
    co_await Clock::after(1s);
  }
  if (order == "writer") {
    writer.monitor().send(Error(std::out_of_range("writer")));
    co_await reader.drain();
  }
  writer.write_line("obeyed");
}

struct Obeying {
  Tcp::Server::Inet server;
  Recording_monitor monitor;
};
/// A server whose handler obeys, and which was made under `monitor`.
Deferred<Obeying> obeying(Policy policy) {
  const Recording_monitor monitor;
  co_return Obeying{co_await monitor.under([&] {
                      return Tcp::Server::create(
                          Tcp::on_port_chosen_by_os(), {.on_handler_error = std::move(policy)},
                          [](const Address::Inet&, Reader reader, Writer writer) {
                            return obey(std::move(reader), std::move(writer));
                          });
                    }),
                    monitor};
}

TEST(On_handler_error, raise_is_the_default) {
  Simulation().run([]() -> Deferred<> {
    const Recording_monitor monitor;
    const auto server = co_await monitor.under([] {
      return Tcp::Server::create(Tcp::on_port(7),
                                 [](const Address::Inet&, Reader, Writer) -> Deferred<> {
                                   throw std::out_of_range("raised");
                                 });
    });
    const auto connected = co_await Tcp::connect(where(server));
    EXPECT_EQ(co_await connected.reader.contents(), "");
    co_await server.close_finished();
    EXPECT_THAT(monitor.heard(), ElementsAre("raised"));
    EXPECT_EQ(server.counts().handler_errors, 1U);
  });
}

TEST(On_handler_error, raise_stops_accepting_and_leaves_open_connections_alone) {
  Simulation().run([]() -> Deferred<> {
    const auto [server, monitor] = co_await obeying(On_handler_error::raise());
    const auto other = co_await Tcp::connect(where(server));
    co_await ask(where(server), "raise");
    EXPECT_TRUE(server.is_closed());
    EXPECT_THAT(monitor.heard(), ElementsAre("raised"));
    EXPECT_TRUE(co_await error_of<Tcp::Connect_error>(Tcp::connect(where(server))));
    EXPECT_EQ(server.num_connections(), 1);
    other.writer.write_line("anything");
    EXPECT_EQ(co_await other.reader.read_line(), "obeyed");
    co_await server.close_finished_and_handlers_determined();
    server.invariant();
  });
}

TEST(On_handler_error, ignore_counts_and_goes_on) {
  Simulation().run([]() -> Deferred<> {
    const auto [server, monitor] = co_await obeying(On_handler_error::ignore());
    for (int i = 0; i < 3; ++i) co_await ask(where(server), "raise");
    EXPECT_EQ(co_await ask(where(server), "anything"), "obeyed");
    EXPECT_THAT(monitor.heard(), IsEmpty());
    EXPECT_EQ(server.counts().handler_errors, 3U);
    EXPECT_FALSE(server.is_closed());
  });
}

TEST(On_handler_error, call_is_told_who_and_what_and_the_server_goes_on) {
  Simulation().run([]() -> Deferred<> {
    std::vector<Address::Inet> from;
    Events errors;
    const auto [server, monitor] =
        co_await obeying(On_handler_error::call([&](const Address::Inet& address, const Error& e) {
          from.push_back(address);
          errors.emplace_back(e.what());
        }));
    const auto connected = co_await Tcp::connect(where(server));
    connected.writer.write_line("raise");
    co_await connected.reader.drain();
    EXPECT_THAT(from, ElementsAre(connected.socket.getsockname()));
    co_await ask(where(server), "background");
    EXPECT_EQ(co_await ask(where(server), "anything"), "obeyed");
    EXPECT_THAT(errors, ElementsAre("raised", "background"));
    EXPECT_THAT(monitor.heard(), IsEmpty());
  });
}

TEST(On_handler_error, call_that_raises_is_as_raise) {
  Simulation().run([]() -> Deferred<> {
    const auto [server, monitor] = co_await obeying(On_handler_error::call(
        [](const Address::Inet&, const Error&) { throw std::out_of_range("from the call"); }));
    co_await ask(where(server), "raise");
    co_await server.close_finished();
    EXPECT_THAT(monitor.heard(), ElementsAre("from the call"));
  });
}

TEST(On_handler_error, is_called_for_errors_in_the_background_and_of_the_writer) {
  Simulation().run([]() -> Deferred<> {
    Events errors;
    const auto [server, monitor] = co_await obeying(On_handler_error::call(
        [&](const Address::Inet&, const Error& e) { errors.emplace_back(e.what()); }));
    for (const char* order : {"background", "writer"}) {
      const Time_ns start = Clock::now();
      EXPECT_EQ(co_await ask(where(server), order), "eof: clean");
      EXPECT_LT(Clock::now() - start, 2s);
    }
    co_await Clock::after(5s);
    EXPECT_EQ(server.num_connections(), 0);
    EXPECT_THAT(errors, ElementsAre("background", "writer"));
  });
}

TEST(On_handler_error, may_close_the_server) {
  Simulation().run([]() -> Deferred<> {
    std::optional<Tcp::Server::Inet> server;
    const auto made =
        co_await obeying(On_handler_error::call([&](const Address::Inet&, const Error&) {
          dont_wait_for(server->close({.close_existing_connections = true}));
        }));
    server = made.server;
    co_await ask(where(*server), "raise");
    co_await server->close_finished_and_handlers_determined();
    server->invariant();
  });
}

TEST(A_peer, that_resets_is_no_error_of_the_handler) {
  Simulation().run([]() -> Deferred<> {
    const auto server = co_await Tcp::Server::create(
        Tcp::on_port(7), [](const Address::Inet&, Reader reader, Writer) -> Deferred<> {
          co_await reader.contents();  // raises Io_error
        });
    for (int i = 0; i < 10; ++i) {
      const auto socket = co_await Tcp::connect_sock(where(server));
      co_await socket.abort();
    }
    co_await Clock::after(1s);
    EXPECT_FALSE(server.is_closed());
    EXPECT_EQ(server.counts().peer_errors, 10U);
    EXPECT_EQ(server.counts().handler_errors, 0U);
    EXPECT_EQ(server.num_connections(), 0);
  });
}

TEST(A_peer, that_says_too_much_or_reads_nothing_is_no_error_of_the_handler) {
  Simulation().run([]() -> Deferred<> {
    const auto server = co_await Tcp::Server::create(
        Tcp::on_port(7), {.buffer_age_limit = Buffer_age_limit::at_most(10s)},
        [](const Address::Inet&, Reader reader, Writer writer) -> Deferred<> {
          co_await reader.read_line(100);
          writer.write(std::string(1'000'000, 'x'));
          co_await writer.flushed();
        });
    const auto talker = co_await Tcp::connect(where(server));
    talker.writer.write(std::string(1000, 'x'));
    const auto silent = co_await Tcp::connect(where(server));
    silent.writer.write_line("x");
    co_await Clock::after(20s);
    EXPECT_EQ(server.counts().peer_errors, 2U);
    EXPECT_EQ(server.counts().handler_errors, 0U);
    EXPECT_EQ(server.num_connections(), 0);
    EXPECT_FALSE(server.is_closed());
  });
}

TEST(A_peer, of_another_connection_is_the_handlers_error) {
  Simulation().run([]() -> Deferred<> {
    const auto [upstream, upstream_monitor] = co_await obeying(On_handler_error::ignore());
    const auto to = where(upstream);
    co_await upstream.close();
    const auto proxy = co_await Tcp::Server::create(
        Tcp::on_port(7), {.on_handler_error = On_handler_error::ignore()},
        [to](const Address::Inet&, Reader, Writer) -> Deferred<> { co_await Tcp::connect(to); });
    co_await ask(where(proxy), "x");
    EXPECT_EQ(proxy.counts().handler_errors, 1U);
    EXPECT_EQ(proxy.counts().peer_errors, 0U);
  });
}

TEST(Server_close, stops_listening_and_leaves_connections_alone) {
  Simulation().run([]() -> Deferred<> {
    const auto server = co_await Tcp::Server::create(Tcp::on_port(7), echo_handler);
    const auto connected = co_await Tcp::connect(where(server));
    co_await Clock::after(1s);
    EXPECT_FALSE(server.is_closed());
    EXPECT_FALSE(co_await Clock::with_timeout(1s, server.close_finished()));
    EXPECT_FALSE(server.is_closed());  // that closes nothing
    co_await server.close();
    EXPECT_TRUE(server.is_closed());
    EXPECT_TRUE(server.close_finished().is_determined());
    EXPECT_FALSE(server.close_finished_and_handlers_determined().is_determined());
    connected.writer.write_line("still here");
    EXPECT_EQ(co_await connected.reader.read_line(), "still here");
    const auto error = co_await error_of<Tcp::Connect_error>(Tcp::connect(where(server)));
    EXPECT_EQ(error->kind(), Tcp::Connect_error::Kind::Refused);
    co_await connected.writer.close();
    co_await server.close_finished_and_handlers_determined();
    co_await server.close();
    server.invariant();
    co_await Tcp::Server::create(Tcp::on_port(7), echo_handler);  // the port is free
  });
}

TEST(Server_close, of_existing_connections_flushes_them_and_ends_their_reads) {
  Simulation().run([]() -> Deferred<> {
    Events events;
    const auto server = co_await Tcp::Server::create(
        Tcp::on_port(7), [&](const Address::Inet&, Reader reader, Writer writer) -> Deferred<> {
          writer.write(std::string(1'000'000, 'x'));
          const Eof end = co_await reader.drain();
          events.emplace_back(to_string(end.reason));
          writer.write("discarded");
          EXPECT_EQ(co_await writer.flushed(), Flush_result::Force_closed);
        });
    const auto connected = co_await Tcp::connect(where(server));
    co_await Clock::after(1s);
    co_await server.close();
    co_await server.close({.close_existing_connections = true});  // also later
    EXPECT_EQ((co_await connected.reader.contents()).size(), 1'000'000U);
    co_await server.close_finished_and_handlers_determined();
    EXPECT_THAT(events, ElementsAre("closed"));
    EXPECT_EQ(server.counts().bytes_dropped, 9U);
    EXPECT_EQ(server.num_connections(), 0);
  });
}

TEST(Server_close, turns_clients_away_that_still_wait) {
  Simulation().run([]() -> Deferred<> {
    int num_calls = 0;
    const auto server = co_await Tcp::Server::create(
        Tcp::on_port(7), {.max_connections = 1, .max_pending_connections = 1},
        [&](const Address::Inet&, Reader reader, Writer writer) {
          ++num_calls;
          return echo(std::move(reader), std::move(writer));
        });
    const auto served = co_await Tcp::connect(where(server));
    co_await Clock::after(1s);
    const auto waits = co_await Tcp::connect(where(server));
    auto outside = error_of<Tcp::Connect_error>(Tcp::connect(where(server)));
    co_await Clock::after(1s);
    const Time_ns start = Clock::now();
    co_await server.close();
    EXPECT_EQ(co_await waits.reader.read(), std::unexpected(Eof{Eof::Reason::Reset}));
    EXPECT_EQ((co_await outside)->kind(), Tcp::Connect_error::Kind::Refused);
    EXPECT_EQ(Clock::now(), start);
    co_await served.socket.abort();
    co_await server.close_finished_and_handlers_determined();
    EXPECT_EQ(num_calls, 1);
  });
}

TEST(Server_close, by_its_own_handler_is_fine) {
  Simulation().run([]() -> Deferred<> {
    std::optional<Tcp::Server::Inet> server;
    server = co_await Tcp::Server::create(
        Tcp::on_port(7), [&](const Address::Inet&, Reader reader, Writer writer) -> Deferred<> {
          co_await reader.read_line();
          writer.write("bye");
          co_await server->close({.close_existing_connections = true});
        });
    const auto connected = co_await Tcp::connect(where(*server));
    connected.writer.write_line("close");
    EXPECT_EQ(co_await connected.reader.contents(), "bye");
    co_await server->close_finished_and_handlers_determined();
  });
}

TEST(Server_close, calls_the_handler_never_again) {
  Simulation().run([]() -> Deferred<> {
    const auto server =
        co_await Tcp::Server::create(Tcp::on_port(7), [](const Address::Inet&, Reader, Writer) {
          ADD_FAILURE();
          return determined();
        });
    // It is closed between accepting the client and calling the handler.
    const auto hook = Scheduler::add_every_cycle_start_hook([server] {
      if (server.counts().accepted == 1) dont_wait_for(server.close());
    });
    const auto connected = co_await Tcp::connect(where(server));
    EXPECT_EQ(co_await connected.reader.read(), std::unexpected(Eof{Eof::Reason::Reset}));
    co_await server.close_finished_and_handlers_determined();
    server.invariant();
  });
}

TEST(Server_close, again_and_again_returns_the_same) {
  Simulation().run([]() -> Deferred<> {
    const auto server = co_await Tcp::Server::create(Tcp::on_port(7), echo_handler);
    const auto first = server.close();
    const auto second = server.close({.close_existing_connections = true});
    EXPECT_TRUE(first.is_determined() && second.is_determined());
    EXPECT_TRUE(server.close_finished_and_handlers_determined().is_determined());
    co_await Clock::after(1s);
    server.invariant();
  });
}

TEST(The_end_of_the_scheduler, closes_servers_and_connections) {
  std::optional<Tcp::Server::Inet> outlives;
  std::optional<Tcp::Connected<Address::Inet>> client;
  Simulation simulation;
  simulation.run([&]() -> Deferred<> {
    outlives = co_await Tcp::Server::create(Tcp::on_port(7), echo_handler);
    client = co_await Tcp::connect(where(*outlives));
    co_await Clock::after(1s);
  });
  EXPECT_TRUE(outlives->is_closed());
  EXPECT_TRUE(client->reader.is_closed());
  simulation.run([&]() -> Deferred<> {  // all is free again
    const auto server = co_await Tcp::Server::create(Tcp::on_port(7), echo_handler);
    EXPECT_EQ(co_await ask(where(server), "x"), "x");
    outlives.reset();
    client.reset();
  });
}

}  // namespace
}  // namespace async
