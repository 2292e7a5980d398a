// Listening and connecting on the machine's own network.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/real_sockets.h"

namespace async {
namespace {

using namespace std::chrono_literals;
using Tcp::Connect_error;
using Tcp::Listen_error;
using ::testing::AnyOf;
using ::testing::HasSubstr;
using Unconnected = Socket<Socket_state::Unconnected, Address::Inet>;
using Passive = Socket<Socket_state::Passive, Address::Inet>;
using Active = Socket<Socket_state::Active, Address::Inet>;

Address::Inet localhost(int port) { return {Inet_addr::localhost(), port}; }
Address::Inet localhost_v6(int port) { return {Inet_addr::localhost_v6(), port}; }

Tcp::Where_to_listen<Address::Inet, int> on(Address::Inet address) {
  return Tcp::Where_to_listen<Address::Inet, int>::create(
      address, [](const Address::Inet& actual) { return actual.port(); });
}

Deferred<Tcp::Server::Inet> echo_server(Tcp::Where_to_listen<Address::Inet, int> where) {
  return Tcp::Server::create(std::move(where), echo<Address::Inet>);
}

template <class T>
Connect_error::Kind kind_of_failure(const Or_error<T>& result) {
  if (result) throw std::logic_error("it did not fail");
  return result.error().template as<Connect_error>()->kind();
}

TEST(A_server_on_a_port_chosen_by_the_os, is_reached_by_ipv4_and_ipv6) {
  Scheduler::go([]() -> Deferred<> {
    const auto server = co_await echo_server(Tcp::on_port_chosen_by_os());
    const int port = server.listening_on();
    EXPECT_GT(port, 0);
    EXPECT_EQ(server.listening_on_address().port(), port);
    EXPECT_EQ(co_await ask(Tcp::to_host_and_port("127.0.0.1", port), "4"), "4");
    EXPECT_EQ(co_await ask(Tcp::to_host_and_port("::1", port), "6"), "6");
    EXPECT_EQ(co_await ask(Tcp::to_inet_address(localhost(port)), "4"), "4");
    EXPECT_EQ(co_await ask(Tcp::to_inet_address(localhost_v6(port)), "6"), "6");
    co_await end(server);
  });
}

TEST(A_server_on_one_address, is_not_reached_by_the_other_family) {
  Scheduler::go([]() -> Deferred<> {
    const auto server = co_await echo_server(on(localhost_v6(0)));
    const int port = server.listening_on();
    EXPECT_EQ(server.listening_on_address(), localhost_v6(port));
    EXPECT_EQ(co_await ask(Tcp::to_inet_address(localhost_v6(port)), "6"), "6");
    const auto v4 = co_await or_error(Tcp::connect(Tcp::to_inet_address(localhost(port))));
    EXPECT_EQ(kind_of_failure(v4), Connect_error::Kind::Refused);
    co_await end(server);
  });
}

TEST(A_server_on_a_port, listens_there) {
  Scheduler::go([]() -> Deferred<> {
    int port = 0;
    {
      const auto first = co_await echo_server(Tcp::on_port_chosen_by_os());
      port = first.listening_on();
      co_await end(first);
    }
    const auto server = co_await echo_server(Tcp::on_port(port));
    EXPECT_EQ(server.listening_on(), port);
    EXPECT_EQ(co_await ask(at(server), "hello"), "hello");
    co_await end(server);
  });
}

TEST(A_server_on_a_port, can_have_it_again_though_old_connections_linger) {
  Scheduler::go([]() -> Deferred<> {
    const auto first = co_await Tcp::Server::create(
        Tcp::on_port_chosen_by_os(),
        [](Address::Inet, Reader, Writer writer) { return writer.close().map([](auto) {}); });
    const int port = first.listening_on();
    // The server closes first, so its end stays in TIME_WAIT.
    co_await Tcp::with_connection(at(first), [](auto, Reader reader, Writer) -> Deferred<> {
      EXPECT_EQ(co_await reader.contents(), "");
    });
    co_await end(first);
    const auto second = co_await echo_server(Tcp::on_port(port));
    EXPECT_EQ(second.listening_on(), port);
    co_await end(second);
  });
}

TEST(Listening, fails_where_somebody_listens_already) {
  Scheduler::go([]() -> Deferred<> {
    const auto server = co_await echo_server(Tcp::on_port_chosen_by_os());
    const auto second = co_await or_error(echo_server(Tcp::on_port(server.listening_on())));
    EXPECT_FALSE(second);
    EXPECT_EQ(second.error().as<Listen_error>()->kind(), Listen_error::Kind::Address_in_use);
    EXPECT_EQ(co_await ask(at(server), "hello"), "hello");
    co_await end(server);
  });
}

TEST(Listening, fails_on_an_address_of_another_machine) {
  Scheduler::go([]() -> Deferred<> {
    const auto server = co_await or_error(echo_server(on(Address::Inet::of_string("192.0.2.1:0"))));
    EXPECT_FALSE(server);
    EXPECT_EQ(server.error().as<Listen_error>()->kind(), Listen_error::Kind::Address_not_available);
  });
}

// A port that nobody listens on, and nobody else gets for as long as the socket lives.
struct Closed_port {
  Socket<Socket_state::Bound, Address::Inet> socket =
      Unconnected::create(Ip_version::V4).bind(localhost(0));
  int port = socket.getsockname().port();
};

TEST(Connecting, is_refused_where_nobody_listens) {
  Scheduler::go([]() -> Deferred<> {
    const Closed_port closed;
    const auto result =
        co_await or_error(Tcp::connect(Tcp::to_inet_address(localhost(closed.port))));
    EXPECT_EQ(kind_of_failure(result), Connect_error::Kind::Refused);
    const auto& attempts = result.error().as<Connect_error>()->attempts();
    EXPECT_EQ(attempts.size(), 1u);
    EXPECT_EQ(attempts.at(0).address, Address::Any(localhost(closed.port)));
    EXPECT_EQ(attempts.at(0).code, std::errc::connection_refused);
    EXPECT_THAT(result.error().what(), HasSubstr("127.0.0.1:" + std::to_string(closed.port)));
  });
}

TEST(Connecting, is_refused_after_the_server_has_closed) {
  Scheduler::go([]() -> Deferred<> {
    const auto server = co_await echo_server(on(localhost(0)));
    const auto where = at(server);
    co_await end(server);
    EXPECT_EQ(kind_of_failure(co_await or_error(Tcp::connect(where))),
              Connect_error::Kind::Refused);
  });
}

TEST(Connecting, times_out_when_nobody_answers) {
  Scheduler::go([]() -> Deferred<> {
    // Whose queue is full does not answer.
    const auto full = Unconnected::create(Ip_version::V4).bind(localhost(0)).listen(0);
    const auto where = Tcp::to_inet_address(full.getsockname());
    const auto first = co_await Tcp::connect(where);
    const auto second = co_await or_error(Tcp::connect(where, {.timeout = 50ms}));
    EXPECT_EQ(kind_of_failure(second), Connect_error::Kind::Timed_out);
    full.close();
  });
}

TEST(Connecting, is_interrupted_while_nobody_answers) {
  Scheduler::go([]() -> Deferred<> {
    const auto full = Unconnected::create(Ip_version::V4).bind(localhost(0)).listen(0);
    const auto where = Tcp::to_inet_address(full.getsockname());
    const auto first = co_await Tcp::connect(where);
    const int descriptors = num_descriptors();
    const Ivar<> interrupt;
    const auto second = or_error(Tcp::connect(where, {.interrupt = interrupt.read()}));
    for (int i = 0; i < 5; ++i) co_await Scheduler::yield();
    EXPECT_FALSE(second.is_determined());
    EXPECT_EQ(num_descriptors(), descriptors + 1);
    interrupt.fill();
    EXPECT_EQ(kind_of_failure(co_await second), Connect_error::Kind::Interrupted);
    EXPECT_EQ(num_descriptors(), descriptors);
    full.close();
  });
}

TEST(Connecting, via_a_local_interface_comes_from_there) {
  Scheduler::go([]() -> Deferred<> {
    const Ivar<Address::Inet> from;
    const auto server = co_await Tcp::Server::create(on(localhost(0)),
                                                     [from](Address::Inet address, Reader, Writer) {
                                                       from.fill(address);
                                                       return determined();
                                                     });
    const auto local = Inet_addr::of_string("127.0.0.77");
    const auto [socket, reader, writer] = co_await Tcp::connect(
        Tcp::to_inet_address(server.listening_on_address(), {.via_local_interface = local}));
    EXPECT_EQ(socket.getsockname().addr(), local);
    EXPECT_EQ(co_await from.read(), socket.getsockname());
    co_await end(server);
  });
}

TEST(Connecting, via_an_interface_that_is_not_there_fails) {
  Scheduler::go([]() -> Deferred<> {
    const auto server = co_await echo_server(on(localhost(0)));
    const auto where = [&](const char* local) {
      return Tcp::to_inet_address(server.listening_on_address(),
                                  {.via_local_interface = Inet_addr::of_string(local)});
    };
    const auto elsewhere = co_await or_error(Tcp::connect(where("192.0.2.1")));
    EXPECT_FALSE(elsewhere);
    EXPECT_EQ(elsewhere.error().as<Connect_error>()->attempts().at(0).code,
              std::errc::address_not_available);
    const auto other_family = co_await or_error(Tcp::connect(where("::1")));
    EXPECT_FALSE(other_family);
    EXPECT_EQ(server.counts().accepted, 0u);
    co_await end(server);
  });
}

TEST(The_names_of_both_ends, are_each_others) {
  Scheduler::go([]() -> Deferred<> {
    const Ivar<std::pair<Address::Inet, Address::Inet>> names;
    const auto server = co_await Tcp::Server::create_sock(
        Tcp::on_port_chosen_by_os(), {}, [names](Address::Inet from, Active socket) {
          EXPECT_EQ(from, socket.getpeername());
          names.fill(socket.getsockname(), socket.getpeername());
          return determined();
        });
    const auto socket = co_await Tcp::connect_sock(at(server));
    const auto [name_there, peer_there] = co_await names.read();
    EXPECT_EQ(socket.getpeername().port(), server.listening_on());
    EXPECT_EQ(socket.getsockname().port(), peer_there.port());
    // A socket for both families gives IPv4 addresses as such.
    EXPECT_EQ(name_there.addr(), Inet_addr::localhost());
    EXPECT_EQ(peer_there.addr(), Inet_addr::localhost());
    co_await end(server);
  });
}

TEST(Typed_sockets, listen_connect_and_accept) {
  Scheduler::go([]() -> Deferred<> {
    const Passive passive = Unconnected::create(Ip_version::V6).bind(localhost_v6(0)).listen();
    const Deferred<Active> accepting = passive.accept();
    const Active client =
        co_await Unconnected::create(Ip_version::V6).connect(passive.getsockname());
    const Active there = co_await accepting;
    EXPECT_EQ(client.getsockname(), there.getpeername());
    EXPECT_EQ(client.getpeername(), there.getsockname());
    client.writer().write_line("hello");
    EXPECT_EQ(co_await there.reader().read_line(), "hello");
    co_await there.writer().close();
    passive.close();
  });
}

TEST(Typed_sockets, that_are_closed_accept_nobody) {
  Scheduler::go([]() -> Deferred<> {
    const Passive passive = Unconnected::create(Ip_version::V4).bind(localhost(0)).listen();
    const auto where = Tcp::to_inet_address(passive.getsockname());
    passive.close();
    EXPECT_EQ(kind_of_failure(co_await or_error(Tcp::connect(where))),
              Connect_error::Kind::Refused);
    EXPECT_FALSE(co_await or_error(passive.accept()));
  });
}

TEST(Options_of_sockets, are_read_back) {
  Scheduler::go([]() -> Deferred<> {
    const auto server = co_await echo_server(Tcp::on_port_chosen_by_os());
    const auto socket = co_await Tcp::connect_sock(at(server));
    EXPECT_TRUE(socket.getopt(Socket_opt::nodelay));
    socket.setopt(Socket_opt::nodelay, false);
    EXPECT_FALSE(socket.getopt(Socket_opt::nodelay));
    socket.setopt(Socket_opt::keepidle, 77s);
    EXPECT_EQ(socket.getopt(Socket_opt::keepidle), Span(77s));
    socket.setopt(Socket_opt::user_timeout, 1500ms);
    EXPECT_EQ(socket.getopt(Socket_opt::user_timeout), Span(1500ms));
    socket.setopt(Socket_opt::sndbuf, 20'000);
    EXPECT_EQ(socket.getopt(Socket_opt::sndbuf), 40'000);
    EXPECT_EQ(socket.getopt(Socket_opt::linger), std::nullopt);
    socket.setopt(Socket_opt::linger, std::optional<Span>(3s));
    EXPECT_EQ(socket.getopt(Socket_opt::linger), std::optional<Span>(3s));
    EXPECT_FALSE(socket.getopt(Socket_opt::acceptconn));
    EXPECT_TRUE(server.listening_socket().getopt(Socket_opt::acceptconn));
    EXPECT_THROW(socket.setopt(Socket_opt::acceptconn, true), Io_error);
    co_await end(server);
  });
}

TEST(Options_of_sockets, of_accepted_connections_find_out_dead_peers) {
  Scheduler::go([]() -> Deferred<> {
    const Ivar<Active> accepted;
    const auto server = co_await Tcp::Server::create_sock(
        Tcp::on_port_chosen_by_os(), {}, [accepted](Address::Inet, Active socket) -> Deferred<> {
          accepted.fill(socket);
          co_await socket.closed();
        });
    const auto client = co_await Tcp::connect_sock(at(server));
    const Active socket = co_await accepted.read();
    EXPECT_TRUE(socket.getopt(Socket_opt::nodelay));
    EXPECT_TRUE(socket.getopt(Socket_opt::keepalive));
    EXPECT_EQ(socket.getopt(Socket_opt::keepidle), Span(60s));
    EXPECT_EQ(socket.getopt(Socket_opt::keepintvl), Span(10s));
    EXPECT_EQ(socket.getopt(Socket_opt::keepcnt), 6);
    EXPECT_EQ(socket.getopt(Socket_opt::user_timeout), Span(120s));
    co_await socket.abort();
    co_await end(server);
  });
}

}  // namespace
}  // namespace async
