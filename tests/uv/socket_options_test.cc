// Options of the machine's sockets: each is read back, from where the system keeps it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <chrono>
#include <cstring>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/real_sockets.h"

namespace async {
namespace {

using namespace std::chrono_literals;
using Tcp::Keepalive;
using Tcp::Socket_options;
using ::testing::AllOf;
using ::testing::Ge;
using ::testing::HasSubstr;
using Unconnected = Socket<Socket_state::Unconnected, Address::Inet>;
using Active = Socket<Socket_state::Active, Address::Inet>;

/// What the system says, without a word of the library's own about levels and numbers.
int system_says(int fd, int level, int name) {
  int value = -1;
  socklen_t size = sizeof value;
  EXPECT_EQ(getsockopt(fd, level, name, &value, &size), 0) << std::strerror(errno);
  return value;
}

/// An option, and what the system says of it then: of a client, a listener, and what is accepted.
struct Case {
  const char* name;
  Socket_options options;
  int level;
  int number;
  int expected;
};

std::vector<Case> cases() {
  const Keepalive keepalive{.after = 41s, .interval = 1100ms, .probes = 5};
  return {
      {"keepalive", {.keepalive = keepalive}, SOL_SOCKET, SO_KEEPALIVE, 1},
      {"keepalive off", {.keepalive = Keepalive::off()}, SOL_SOCKET, SO_KEEPALIVE, 0},
      {"after", {.keepalive = keepalive}, IPPROTO_TCP, TCP_KEEPIDLE, 41},
      {"interval", {.keepalive = keepalive}, IPPROTO_TCP, TCP_KEEPINTVL, 2},
      {"probes", {.keepalive = keepalive}, IPPROTO_TCP, TCP_KEEPCNT, 5},
      {"the least", {.keepalive = Keepalive{.after = 0s}}, IPPROTO_TCP, TCP_KEEPIDLE, 1},
      {"the most",
       {.keepalive = Keepalive{.after = Span::max()}},
       IPPROTO_TCP,
       TCP_KEEPIDLE,
       32767},
      {"nodelay", {}, IPPROTO_TCP, TCP_NODELAY, 1},
      {"no nodelay", {.nodelay = false}, IPPROTO_TCP, TCP_NODELAY, 0},
      {"send buffer", {.send_buffer = 30'000}, SOL_SOCKET, SO_SNDBUF, 60'000},
      {"receive buffer", {.receive_buffer = 20'000}, SOL_SOCKET, SO_RCVBUF, 40'000},
      {"user timeout", {.user_timeout = 1500ms}, IPPROTO_TCP, TCP_USER_TIMEOUT, 1500},
      {"rounded up", {.user_timeout = 1500us}, IPPROTO_TCP, TCP_USER_TIMEOUT, 2},
      {"by number", {.others = {{SOL_SOCKET, SO_RCVLOWAT, 3}}}, SOL_SOCKET, SO_RCVLOWAT, 3},
      {"reuseport", {.reuseport = true}, SOL_SOCKET, SO_REUSEPORT, 1},
      {"reuseaddr", {.reuseaddr = true}, SOL_SOCKET, SO_REUSEADDR, 1},
  };
}

TEST(Socket_options, of_a_client_are_set_before_it_connects) {
  Scheduler::go([]() -> Deferred<> {
    const auto server =
        co_await Tcp::Server::create(Tcp::on_port_chosen_by_os(), echo<Address::Inet>);
    for (const Case& one : cases()) {
      const auto socket = co_await Tcp::connect_sock(at(server), {.socket = one.options});
      EXPECT_EQ(system_says(socket.fd(), one.level, one.number), one.expected) << one.name;
      co_await socket.abort();
    }
    co_await end(server);
  });
}

TEST(Socket_options, of_a_client_are_there_when_the_first_packet_leaves) {
  Scheduler::go([]() -> Deferred<> {
    const auto server =
        co_await Tcp::Server::create(Tcp::on_port_chosen_by_os(), echo<Address::Inet>);
    // The window that is offered with the SYN is of what the buffer is then.
    const auto small = co_await Tcp::connect_sock(at(server), {.socket = {.receive_buffer = 4096}});
    tcp_info info{};
    socklen_t size = sizeof info;
    EXPECT_EQ(getsockopt(small.fd(), IPPROTO_TCP, TCP_INFO, &info, &size), 0);
    EXPECT_EQ(info.tcpi_rcv_wscale, 0);
    co_await small.abort();
    co_await end(server);
  });
}

TEST(Socket_options, are_set_on_a_listening_socket_and_on_what_it_accepts) {
  Scheduler::go([]() -> Deferred<> {
    for (const Case& one : cases()) {
      auto socket = Network::current().create_socket(Network::Family::V4);
      Tcp::set_options(**socket, Network::Family::V4, one.options);
      EXPECT_FALSE((*socket)->bind(Address::Inet(Inet_addr::localhost(), 0)));
      const auto listener = (*socket)->listen(10);
      EXPECT_EQ(system_says((*listener)->fd(), one.level, one.number), one.expected) << one.name;
      const auto address = std::get<Address::Inet>(*(*listener)->local_address());
      const auto client = co_await Tcp::connect_sock(Tcp::to_inet_address(address));
      auto accepted = (*listener)->accept();
      EXPECT_TRUE(accepted) << one.name;
      EXPECT_EQ(system_says(accepted->transport->fd(), one.level, one.number), one.expected)
          << one.name;
      // And again, later, on one that has others by then.
      Tcp::set_options(*accepted->transport, Network::Family::V4, {});
      Tcp::set_options(*accepted->transport, Network::Family::V4, one.options);
      EXPECT_EQ(system_says(accepted->transport->fd(), one.level, one.number), one.expected)
          << one.name;
      co_await client.abort();
    }
  });
}

TEST(Quickack, is_what_the_system_was_told_last) {
  Scheduler::go([]() -> Deferred<> {
    const auto server =
        co_await Tcp::Server::create(Tcp::on_port_chosen_by_os(), echo<Address::Inet>);
    for (const bool on : {false, true}) {
      const auto socket = co_await Tcp::connect_sock(at(server));
      socket.setopt(Socket_opt::quickack, on);
      EXPECT_EQ(system_says(socket.fd(), IPPROTO_TCP, TCP_QUICKACK), on ? 1 : 0);
      co_await socket.abort();
      const auto before = co_await Tcp::connect_sock(at(server), {.socket = {.quickack = on}});
      EXPECT_EQ(system_says(before.fd(), IPPROTO_TCP, TCP_QUICKACK), on ? 1 : 0);
      co_await before.abort();
    }
    co_await end(server);
  });
}

TEST(Linger, is_set_and_of_no_time_resets) {
  Scheduler::go([]() -> Deferred<> {
    const auto server =
        co_await Tcp::Server::create(Tcp::on_port_chosen_by_os(), echo<Address::Inet>);
    const auto socket = co_await Tcp::connect_sock(at(server), {.socket = {.linger = 0s}});
    ::linger value{};
    socklen_t size = sizeof value;
    EXPECT_EQ(getsockopt(socket.fd(), SOL_SOCKET, SO_LINGER, &value, &size), 0);
    EXPECT_EQ(value.l_onoff, 1);
    EXPECT_EQ(value.l_linger, 0);
    EXPECT_EQ(socket.getopt(Socket_opt::linger), std::optional<Span>(0s));
    co_await socket.abort();
    co_await end(server);
  });
}

TEST(V6only, decides_whether_ipv4_comes_in) {
  Scheduler::go([]() -> Deferred<> {
    for (const bool v6only : {false, true}) {
      auto socket = Network::current().create_socket(Network::Family::V6);
      Tcp::set_options(**socket, Network::Family::V6, {.v6only = v6only});
      EXPECT_EQ(system_says((*socket)->fd(), IPPROTO_IPV6, IPV6_V6ONLY), v6only ? 1 : 0);
      EXPECT_FALSE((*socket)->bind(Address::Inet(Inet_addr::bind_any_v6(), 0)));
      const auto listener = (*socket)->listen(10);
      const int port = std::get<Address::Inet>(*(*listener)->local_address()).port();
      const auto by_v4 =
          co_await or_error(Tcp::connect_sock(Tcp::to_host_and_port("127.0.0.1", port)));
      EXPECT_EQ(by_v4.has_value(), !v6only);
      const auto by_v6 = co_await or_error(Tcp::connect_sock(Tcp::to_host_and_port("::1", port)));
      EXPECT_TRUE(by_v6);
    }
    // It is nothing to an IPv4 socket.
    auto v4 = Network::current().create_socket(Network::Family::V4);
    EXPECT_NO_THROW(Tcp::set_options(**v4, Network::Family::V4, {.v6only = true}));
  });
}

TEST(Reuseport, lets_two_listen_on_one_port) {
  Scheduler::go([]() -> Deferred<> {
    const auto listen = [](int port, const Socket_options& options) {
      auto socket = Network::current().create_socket(Network::Family::V4);
      Tcp::set_options(**socket, Network::Family::V4, options);
      const auto error = (*socket)->bind(Address::Inet(Inet_addr::localhost(), port));
      return error ? std::unexpected(error) : (*socket)->listen(10);
    };
    const auto first = listen(0, {.reuseport = true});
    const int port = std::get<Address::Inet>(*(*first)->local_address()).port();
    EXPECT_TRUE(listen(port, {.reuseport = true}));
    EXPECT_EQ(listen(port, {}).error(), std::errc::address_in_use);
    co_return;
  });
}

TEST(Options_by_number, are_read_back_as_numbers_and_as_bytes) {
  Scheduler::go([]() -> Deferred<> {
    const auto server =
        co_await Tcp::Server::create(Tcp::on_port_chosen_by_os(), echo<Address::Inet>);
    const std::string name = "reno";
    const auto* begin = reinterpret_cast<const std::byte*>(name.data());
    const std::vector<std::byte> bytes(begin, begin + name.size());
    const auto socket = co_await Tcp::connect_sock(
        at(server), {.socket = {.others = {{IPPROTO_TCP, TCP_CONGESTION, bytes},
                                           {IPPROTO_TCP, TCP_MAXSEG, 1000}}}});
    const auto congestion = socket.getopt_raw_bytes(IPPROTO_TCP, TCP_CONGESTION);
    EXPECT_STREQ(reinterpret_cast<const char*>(congestion.data()), "reno");
    socket.setopt_raw(SOL_SOCKET, SO_PRIORITY, 5);
    EXPECT_EQ(socket.getopt_raw(SOL_SOCKET, SO_PRIORITY), 5);
    EXPECT_EQ(system_says(socket.fd(), SOL_SOCKET, SO_PRIORITY), 5);
    const auto listening = server.listening_socket();
    listening.setopt_raw(SOL_SOCKET, SO_PRIORITY, 2);
    EXPECT_EQ(listening.getopt_raw(SOL_SOCKET, SO_PRIORITY), 2);
    // tcp(7): what is read as bytes may be less than there is room for.
    EXPECT_EQ(socket.getopt_raw_bytes(SOL_SOCKET, SO_PRIORITY).size(), sizeof(int));
    co_await socket.abort();
    co_await end(server);
  });
}

TEST(An_option, that_cannot_be_set_is_an_error_that_names_it) {
  Scheduler::go([]() -> Deferred<> {
    const auto server =
        co_await Tcp::Server::create(Tcp::on_port_chosen_by_os(), echo<Address::Inet>);
    const int descriptors = num_descriptors();
    const auto what = [&](Socket_options options) -> Deferred<std::string> {
      const auto result =
          co_await or_error(Tcp::connect_sock(at(server), {.socket = std::move(options)}));
      EXPECT_FALSE(result);
      const auto* error = result.error().template as<Tcp::Connect_error>();
      EXPECT_EQ(error->attempts().size(), 1U);
      EXPECT_TRUE(error->code());
      co_return result.error().what();
    };
    EXPECT_THAT(co_await what({.keepalive = Keepalive{.probes = 1000}}),
                HasSubstr(": set socket option keepcnt: invalid argument"));
    EXPECT_THAT(co_await what({.others = {{IPPROTO_TCP, 9999, 1}}}),
                HasSubstr(": set socket option 9999 of level 6: protocol not available"));
    EXPECT_EQ(num_descriptors(), descriptors);
    const auto socket = co_await Tcp::connect_sock(at(server));
    EXPECT_THROW(socket.setopt_raw(IPPROTO_TCP, 9999, 1), Io_error);
    EXPECT_THROW(socket.getopt_raw(IPPROTO_TCP, 9999), Io_error);
    EXPECT_THROW(socket.getopt_raw_bytes(IPPROTO_TCP, 9999), Io_error);
    EXPECT_THROW(socket.set_keepalive({.probes = -1}), Io_error);
    co_await socket.abort();
    EXPECT_THROW(socket.set_keepalive({}), Io_error);
    EXPECT_THROW(socket.setopt(Socket_opt::nodelay, true), Io_error);
    co_await end(server);
  });
}

TEST(Keepalive, is_set_and_ended_on_a_connection_that_there_is) {
  Scheduler::go([]() -> Deferred<> {
    const auto server =
        co_await Tcp::Server::create(Tcp::on_port_chosen_by_os(), echo<Address::Inet>);
    const auto socket = co_await Tcp::connect_sock(at(server));
    EXPECT_EQ(system_says(socket.fd(), SOL_SOCKET, SO_KEEPALIVE), 0);
    socket.set_keepalive(Keepalive::of_total(30s));
    EXPECT_EQ(system_says(socket.fd(), SOL_SOCKET, SO_KEEPALIVE), 1);
    EXPECT_EQ(system_says(socket.fd(), IPPROTO_TCP, TCP_KEEPIDLE), 18);
    EXPECT_EQ(system_says(socket.fd(), IPPROTO_TCP, TCP_KEEPINTVL), 2);
    EXPECT_EQ(system_says(socket.fd(), IPPROTO_TCP, TCP_KEEPCNT), 6);
    socket.set_keepalive(Keepalive::off());
    EXPECT_EQ(system_says(socket.fd(), SOL_SOCKET, SO_KEEPALIVE), 0);
    co_await socket.abort();
    co_await end(server);
  });
}

}  // namespace
}  // namespace async
