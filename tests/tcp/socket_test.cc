// Sockets whose type says what can be done with them.

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
using testing::Host;
using testing::Simulation;

template <Socket_state state>
using Inet_socket = Socket<state, Address::Inet>;
using Unconnected = Inet_socket<Socket_state::Unconnected>;
using Bound = Inet_socket<Socket_state::Bound>;
using Passive = Inet_socket<Socket_state::Passive>;
using Active = Inet_socket<Socket_state::Active>;
using Unix_unconnected = Socket<Socket_state::Unconnected, Address::Unix>;

// What a state does not allow does not compile.
template <class S>
concept Can_listen = requires(S s) { s.listen(); };
template <class S>
concept Can_connect = requires(S s, Address::Inet a) { s.connect(a); };
template <class S>
concept Can_accept = requires(S s) { s.accept(); };
template <class S>
concept Can_bind = requires(S s, Address::Inet a) { s.bind(a); };
template <class S>
concept Has_peer = requires(S s) { s.getpeername(); };
template <class S>
concept Has_name = requires(S s) { s.getsockname(); };
static_assert(Can_bind<Unconnected> && Can_connect<Unconnected> && !Can_listen<Unconnected> &&
              !Can_accept<Unconnected> && !Has_peer<Unconnected> && !Has_name<Unconnected>);
static_assert(!Can_bind<Bound> && Can_connect<Bound> && Can_listen<Bound> && !Can_accept<Bound> &&
              Has_name<Bound>);
static_assert(Can_accept<Passive> && !Can_connect<Passive> && !Can_listen<Passive> &&
              !Can_bind<Passive> && Has_name<Passive>);
static_assert(Has_peer<Active> && Has_name<Active> && !Can_accept<Active> && !Can_connect<Active> &&
              !Can_listen<Active> && !Can_bind<Active>);

const Address::Inet any_port(Inet_addr::localhost(), 0);

Passive listen() { return Unconnected::create(Ip_version::V4).bind(any_port).listen(); }

TEST(Socket, goes_from_state_to_state) {
  Simulation().run([]() -> Deferred<> {
    const Bound bound = Unconnected::create(Ip_version::V4).bind(any_port);
    EXPECT_NE(bound.getsockname().port(), 0);
    const Passive passive = bound.listen();
    EXPECT_EQ(passive.getsockname().addr(), Inet_addr::localhost());
    auto accepted = passive.accept();
    const Active active =
        co_await Unconnected::create(Ip_version::V4).connect(passive.getsockname());
    const Active other = co_await std::move(accepted);
    EXPECT_EQ(active.getpeername(), passive.getsockname());
    EXPECT_EQ(active.getsockname(), other.getpeername());
    EXPECT_EQ(other.getsockname(), passive.getsockname());
    active.writer().write_line("hello");
    EXPECT_EQ(co_await other.reader().read_line(), "hello");
    EXPECT_EQ(active.fd(), -1);
  });
}

TEST(Socket, that_is_bound_connects_from_there) {
  Simulation().run([]() -> Deferred<> {
    const Passive passive = listen();
    const Bound bound = Unconnected::create(Ip_version::V4).bind(any_port);
    const Address::Inet mine = bound.getsockname();
    const Active active = co_await bound.connect(passive.getsockname());
    EXPECT_EQ(active.getsockname(), mine);
    EXPECT_EQ((co_await passive.accept()).getpeername(), mine);
  });
}

TEST(Socket, of_unix_has_paths_for_addresses) {
  Simulation().run([]() -> Deferred<> {
    const auto passive = Unix_unconnected::create().bind(Address::Unix("/run/s")).listen();
    EXPECT_EQ(passive.getsockname().path(), "/run/s");
    const auto active = co_await Unix_unconnected::create().connect(Address::Unix("/run/s"));
    EXPECT_EQ(active.getpeername().path(), "/run/s");
    EXPECT_TRUE(active.getsockname().is_unnamed());
    const auto other = co_await passive.accept();
    EXPECT_TRUE(other.getpeername().is_unnamed());
    EXPECT_EQ(other.getsockname().path(), "/run/s");
  });
}

TEST(Socket, has_options_that_can_be_read_back) {
  Simulation().run([]() -> Deferred<> {
    const Unconnected unconnected = Unconnected::create(Ip_version::V4);
    unconnected.setopt(Socket_opt::reuseaddr, true);
    EXPECT_TRUE(unconnected.getopt(Socket_opt::reuseaddr));
    EXPECT_FALSE(unconnected.getopt(Socket_opt::broadcast));
    const Passive passive = listen();
    passive.setopt(Socket_opt::rcvbuf, 10'000);
    EXPECT_EQ(passive.getopt(Socket_opt::rcvbuf), 10'000);
    const Active active =
        co_await Unconnected::create(Ip_version::V4).connect(passive.getsockname());
    active.setopt(Socket_opt::nodelay, true);
    active.setopt(Socket_opt::nodelay, false);
    EXPECT_FALSE(active.getopt(Socket_opt::nodelay));
    active.setopt(Socket_opt::keepidle, 60s);
    EXPECT_EQ(active.getopt(Socket_opt::keepidle), Span(60s));
    active.setopt(Socket_opt::user_timeout, 1500ms);
    EXPECT_EQ(active.getopt(Socket_opt::user_timeout), Span(1500ms));
    EXPECT_EQ(active.getopt(Socket_opt::linger), std::nullopt);
    active.setopt(Socket_opt::linger, std::optional<Span>(5s));
    EXPECT_EQ(active.getopt(Socket_opt::linger), Span(5s));
    active.setopt(Socket_opt::linger, std::nullopt);
    EXPECT_EQ(active.getopt(Socket_opt::linger), std::nullopt);
  });
}

TEST(Socket, throws_if_it_cannot_have_an_address) {
  Simulation().run([]() -> Deferred<> {
    const Passive passive = listen();
    const auto unconnected = Unconnected::create(Ip_version::V4);
    EXPECT_THROW(unconnected.bind(passive.getsockname()), Io_error);
    EXPECT_THROW(unconnected.bind(Address::Inet::of_string("203.0.113.1:80")), Io_error);
    unconnected.bind(any_port);  // still can
    co_return;
  });
}

TEST(Socket, throws_if_there_is_no_descriptor) {
  Simulation({.max_descriptors = 1}).run([]() -> Deferred<> {
    std::optional<Unconnected> socket(Unconnected::create(Ip_version::V4));
    EXPECT_THROW(Unconnected::create(Ip_version::V4), Io_error);
    EXPECT_THROW(Unix_unconnected::create(), Io_error);
    socket.reset();
    static_cast<void>(Unconnected::create(Ip_version::V6));
    co_return;
  });
}

TEST(Socket, fails_to_connect_to_nobody) {
  Simulation().run([]() -> Deferred<> {
    const auto nobody = Address::Inet(Inet_addr::localhost(), 9);
    const auto error =
        co_await error_of<Io_error>(Unconnected::create(Ip_version::V4).connect(nobody));
    EXPECT_STREQ(error->what(), "connect to 127.0.0.1:9: connection refused");
  });
}

TEST(Accept, waits_for_the_next_connection) {
  Simulation().run([]() -> Deferred<> {
    const Passive passive = listen();
    for (int i = 0; i < 3; ++i) {
      auto accepted = passive.accept();
      co_await Clock::after(1s);
      EXPECT_FALSE(accepted.is_determined());
      const Active active =
          co_await Unconnected::create(Ip_version::V4).connect(passive.getsockname());
      EXPECT_EQ((co_await std::move(accepted)).getpeername(), active.getsockname());
    }
  });
}

TEST(Accept, twice_at_once_fails) {
  Simulation().run([]() -> Deferred<> {
    const Passive passive = listen();
    auto first = passive.accept();
    EXPECT_TRUE(co_await error_of<std::logic_error>(passive.accept()));
    const Active active =
        co_await Unconnected::create(Ip_version::V4).connect(passive.getsockname());
    co_await std::move(first);
  });
}

TEST(Accept, while_a_server_does_fails) {
  Simulation().run([]() -> Deferred<> {
    const auto server = co_await Tcp::Server::create(Tcp::on_port(7), echo_handler);
    const auto listening = server.listening_socket();
    EXPECT_EQ(listening.getsockname(), server.listening_on_address());
    EXPECT_TRUE(co_await error_of<std::logic_error>(listening.accept()));
    EXPECT_EQ(co_await ask(Tcp::to_host_and_port("localhost", 7), "x"), "x");
  });
}

TEST(Accept, fails_when_the_socket_is_closed_before_or_meanwhile) {
  Simulation().run([]() -> Deferred<> {
    const Passive passive = listen();
    auto waiting = error_of<Io_error>(passive.accept());
    co_await Clock::after(1s);
    EXPECT_FALSE(waiting.is_determined());
    passive.close();
    passive.close();
    EXPECT_EQ((co_await waiting)->code(), std::errc::bad_file_descriptor);
    EXPECT_TRUE(co_await error_of<Io_error>(passive.accept()));
    EXPECT_THROW(passive.getsockname(), Io_error);
  });
}

TEST(Listening_socket, that_somebody_closes_closes_the_server) {
  Simulation().run([]() -> Deferred<> {
    const auto server = co_await Tcp::Server::create(Tcp::on_port(7), echo_handler);
    server.listening_socket().close();
    co_await server.close_finished();
    co_await server.close_finished_and_handlers_determined();
    server.invariant();
  });
}

TEST(Listening_socket, that_somebody_closes_closes_a_server_that_is_full) {
  Simulation().run([]() -> Deferred<> {
    const auto server =
        co_await Tcp::Server::create(Tcp::on_port(7), {.max_connections = 1}, echo_handler);
    const auto client = co_await Tcp::connect(Tcp::to_host_and_port("localhost", 7));
    co_await Clock::after(1s);
    EXPECT_EQ(server.num_connections(), 1);
    server.listening_socket().close();
    co_await server.close_finished();
    co_await client.writer.close();
    co_await server.close_finished_and_handlers_determined();
    server.invariant();
  });
}

TEST(Closed, is_determined_when_the_descriptor_is_closed_whoever_does_it) {
  Simulation().run([]() -> Deferred<> {
    const Passive passive = listen();
    const Active a = co_await Unconnected::create(Ip_version::V4).connect(passive.getsockname());
    EXPECT_FALSE(a.closed().is_determined());
    co_await a.writer().close();
    EXPECT_EQ((co_await a.closed()).outcome, Flush_result::Flushed);
    EXPECT_THROW(a.getsockname(), Io_error);
    EXPECT_EQ(a.getpeername(), passive.getsockname());  // known all the same
    const Active b = co_await Unconnected::create(Ip_version::V4).connect(passive.getsockname());
    b.writer().write("dropped");
    const Close_result aborted{
        .outcome = Flush_result::Force_closed, .bytes_dropped = 7, .reason = Close_reason::Aborted};
    EXPECT_EQ(co_await b.abort(), aborted);
    EXPECT_EQ(co_await b.closed(), aborted);
  });
}

TEST(Socket, may_outlive_its_scheduler_and_its_simulation) {
  std::optional<Passive> passive;
  std::optional<Active> active;
  std::optional<Bound> bound;
  std::optional<Unconnected> unconnected;
  {
    Simulation simulation;
    simulation.run([&]() -> Deferred<> {
      passive = listen();
      active = co_await Unconnected::create(Ip_version::V4).connect(passive->getsockname());
      unconnected = Unconnected::create(Ip_version::V4);
      bound = Unconnected::create(Ip_version::V4).bind(any_port);
    });
  }
  passive->close();
}

}  // namespace
}  // namespace async
