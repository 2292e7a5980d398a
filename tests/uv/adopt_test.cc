// Connections of descriptors that were made elsewhere, and descriptors that no child inherits.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <optional>
#include <set>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "tests/support/real_sockets.h"

namespace async {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Unconnected = Socket<Socket_state::Unconnected, Address::Inet>;

bool is_open(int fd) { return fcntl(fd, F_GETFD) >= 0; }

/// The flags of a descriptor and of what it is of.
std::pair<int, int> flags(int fd) { return {fcntl(fd, F_GETFD), fcntl(fd, F_GETFL)}; }

/// Two sockets that are connected, made without the library, and so blocking and inherited.
struct Pair {
  Pair() { EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0); }
  int fds[2];
};

TEST(A_descriptor, that_was_made_elsewhere_becomes_a_connection) {
  Scheduler::go([]() -> Deferred<> {
    const Pair pair;
    auto one = Tcp::of_fd<Address::Unix>(pair.fds[0]);
    auto other = Tcp::of_fd<Address::Unix>(pair.fds[1]);
    for (const int fd : pair.fds) {
      EXPECT_NE(flags(fd).first & FD_CLOEXEC, 0);
      EXPECT_NE(flags(fd).second & O_NONBLOCK, 0);
    }
    EXPECT_EQ(one.socket.fd(), pair.fds[0]);
    EXPECT_TRUE(one.socket.getpeername().is_unnamed());
    one.writer.write_line("hello");
    EXPECT_EQ(co_await other.reader.read_line(), "hello");
    co_await one.writer.close();
    EXPECT_FALSE(is_open(pair.fds[0]));
    EXPECT_FALSE(co_await other.reader.read_line());
    co_await other.writer.close();
    EXPECT_FALSE(is_open(pair.fds[1]));
  });
}

TEST(A_descriptor, of_a_tcp_connection_has_its_addresses) {
  Scheduler::go([]() -> Deferred<> {
    const auto server =
        co_await Tcp::Server::create(Tcp::on_port_chosen_by_os(), echo<Address::Inet>);
    const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in in{};
    in.sin_family = AF_INET;
    in.sin_port = htons(static_cast<std::uint16_t>(server.listening_on()));
    in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(fd, reinterpret_cast<sockaddr*>(&in), sizeof in), 0);
    const auto [socket, reader, writer] = Tcp::of_fd<Address::Inet>(fd);
    EXPECT_EQ(socket.getpeername(), Address::Inet(Inet_addr::localhost(), server.listening_on()));
    writer.write_line("hello");
    EXPECT_EQ(co_await reader.read_line(), "hello");
    co_await writer.close();
    EXPECT_FALSE(is_open(fd));
    co_await end(server);
  });
}

TEST(A_descriptor, that_is_blocking_does_not_hold_up_the_loop) {
  Scheduler::go([]() -> Deferred<> {
    const Pair pair;
    const auto one =
        Tcp::of_fd<Address::Unix>(pair.fds[0], {.buffer_age_limit = Buffer_age_limit::unlimited()});
    // Far more than the system takes, which nobody reads; and a read of what nobody writes.
    one.writer.write(std::string(8'000'000, 'x'));
    const auto reading = one.reader.read_line();
    for (int i = 0; i < 100; ++i) co_await Scheduler::yield();
    EXPECT_FALSE(one.writer.flushed().is_determined());
    EXPECT_FALSE(reading.is_determined());
    co_await one.socket.abort();
    ::close(pair.fds[1]);
  });
}

TEST(A_descriptor, whose_last_handle_goes_is_closed) {
  Scheduler::go([]() -> Deferred<> {
    const Pair pair;
    static_cast<void>(Tcp::of_fd<Address::Unix>(pair.fds[0]));
    char byte = 0;
    // The end comes once the connection has been closed.
    while (recv(pair.fds[1], &byte, 1, MSG_DONTWAIT) < 0) co_await Scheduler::yield();
    ::close(pair.fds[1]);
    while (is_open(pair.fds[0])) co_await Scheduler::yield();
  });
}

/// `refuses<A>(fd)` is why `fd` is no connection; it is as it was then.
template <class A>
std::error_code refuses(int fd) {
  const auto before = flags(fd);
  try {
    Tcp::of_fd<A>(fd);
  } catch (const Io_error& error) {
    EXPECT_THAT(error.what(), HasSubstr("make a connection of descriptor " + std::to_string(fd)));
    EXPECT_EQ(flags(fd), before);
    return error.code();
  }
  return {};
}

TEST(A_descriptor, that_is_no_connection_is_refused_and_left_as_it_was) {
  Scheduler::go([]() -> Deferred<> {
    EXPECT_EQ(refuses<Address::Inet>(-1), std::errc::bad_file_descriptor);
    int pipe[2];
    EXPECT_EQ(::pipe(pipe), 0);
    EXPECT_EQ(refuses<Address::Inet>(pipe[0]), std::errc::not_a_socket);
    const int unconnected = ::socket(AF_INET, SOCK_STREAM, 0);
    EXPECT_EQ(refuses<Address::Inet>(unconnected), std::errc::not_connected);
    const int datagrams = ::socket(AF_INET, SOCK_DGRAM, 0);
    EXPECT_EQ(refuses<Address::Inet>(datagrams), std::errc::wrong_protocol_type);
    const auto passive =
        Unconnected::create(Ip_version::V4).bind(Address::Inet(Inet_addr::localhost(), 0)).listen();
    EXPECT_EQ(refuses<Address::Inet>(passive.fd()), std::errc::not_connected);
    passive.close();
    const Pair pair;
    EXPECT_EQ(refuses<Address::Inet>(pair.fds[0]), std::errc::address_family_not_supported);
    for (const int fd : {pipe[0], pipe[1], unconnected, datagrams, pair.fds[0], pair.fds[1]}) {
      EXPECT_TRUE(is_open(fd));
      ::close(fd);
    }
    co_return;
  });
}

TEST(A_descriptor, that_somebody_watches_already_is_refused_and_left_as_it_was) {
  Scheduler::go([]() -> Deferred<> {
    const Pair pair;
    const auto one = Tcp::of_fd<Address::Unix>(pair.fds[0]);
    const auto reading = one.reader.read_line();
    EXPECT_EQ(refuses<Address::Unix>(pair.fds[0]), std::errc::file_exists);
    EXPECT_EQ(write(pair.fds[1], "still\n", 6), 6);
    EXPECT_EQ(co_await reading, "still");
    co_await one.socket.abort();
    ::close(pair.fds[1]);
  });
}

TEST(A_descriptor, that_was_closed_is_not_closed_again_when_another_has_its_number) {
  Scheduler::go([]() -> Deferred<> {
    const Pair pair;
    const int number = pair.fds[0];
    std::optional connected = Tcp::of_fd<Address::Unix>(number);
    co_await connected->socket.abort();
    const int sentinel = fcntl(pair.fds[1], F_DUPFD, number);
    EXPECT_EQ(sentinel, number);
    co_await connected->writer.close();
    connected.reset();
    for (int i = 0; i < 10; ++i) co_await Scheduler::yield();
    EXPECT_TRUE(is_open(sentinel));
    ::close(sentinel);
    ::close(pair.fds[1]);
  });
}

/// The open descriptors, and the flags of one as the system shows them.
std::set<int> descriptors() {
  std::set<int> result;
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(opendir("/proc/self/fd"), closedir);
  while (const dirent* entry = readdir(directory.get())) {
    if (entry->d_name[0] != '.') result.insert(std::stoi(entry->d_name));
  }
  result.erase(dirfd(directory.get()));
  return result;
}
int shown_flags(int fd) {
  std::ifstream info("/proc/self/fdinfo/" + std::to_string(fd));
  for (std::string word; info >> word;) {
    if (word == "flags:" && info >> word) return std::stoi(word, nullptr, 8);
  }
  return 0;
}

TEST(Descriptors, that_the_library_makes_are_all_closed_on_exec) {
  const std::set<int> before = descriptors();
  Scheduler::go([&]() -> Deferred<> {
    const auto server =
        co_await Tcp::Server::create(Tcp::on_port_chosen_by_os(), echo<Address::Inet>);
    const auto client = co_await Tcp::connect(at(server));
    client.writer.write_line("hello");
    EXPECT_EQ(co_await client.reader.read_line(), "hello");
    const auto unconnected = Unconnected::create(Ip_version::V6);
    const Pair pair;
    const auto adopted = Tcp::of_fd<Address::Unix>(pair.fds[0]);
    // The way of a name goes through the resolver's threads, and chooses among addresses.
    EXPECT_TRUE(
        co_await or_error(Tcp::connect(Tcp::to_host_and_port("localhost", server.listening_on()))));
    std::set<int> ours;
    for (const int fd : descriptors()) {
      if (!before.contains(fd) && fd != pair.fds[1]) ours.insert(fd);
    }
    // What the loop waits by, the server, both ends of a connection, and those two.
    EXPECT_GE(ours.size(), 6U);
    for (const int fd : ours) EXPECT_NE(shown_flags(fd) & O_CLOEXEC, 0) << fd;
    EXPECT_EQ(shown_flags(pair.fds[1]) & O_CLOEXEC, 0);
    ::close(pair.fds[1]);
    co_await client.socket.abort();
    co_await adopted.socket.abort();
    co_await end(server);
  });
}

/// A port that nobody listens on, and that others get only if they share it.
struct Shared_port {
  Shared_port() {
    const auto unbound = Unconnected::create(Ip_version::V4);
    unbound.setopt(Socket_opt::reuseaddr, true);
    socket.emplace(unbound.bind(Address::Inet(Inet_addr::localhost(), 0)));
    port = socket->getsockname().port();
  }
  std::optional<Socket<Socket_state::Bound, Address::Inet>> socket;
  int port;
};

TEST(A_connection_with_itself, is_refused) {
  Scheduler::go([]() -> Deferred<> {
    // Nobody listens where it goes, so the system would connect it with itself.
    const Shared_port shared;
    const int port = shared.port;
    const auto result = co_await or_error(Tcp::connect(Tcp::to_host_and_port(
        "127.0.0.1", port, {.via_local_interface = Inet_addr::localhost(), .bind_to_port = port})));
    EXPECT_FALSE(result);
    EXPECT_EQ(result.error().as<Tcp::Connect_error>()->kind(), Tcp::Connect_error::Kind::Refused);
  });
}

TEST(A_local_port, is_where_a_connection_comes_from) {
  Scheduler::go([]() -> Deferred<> {
    const auto server =
        co_await Tcp::Server::create(Tcp::on_port_chosen_by_os(), echo<Address::Inet>);
    const Shared_port shared;
    const int port = shared.port;
    const auto socket = co_await Tcp::connect_sock(
        Tcp::to_host_and_port("127.0.0.1", server.listening_on(), {.bind_to_port = port}));
    EXPECT_EQ(socket.getsockname(), Address::Inet(Inet_addr::localhost(), port));
    co_await socket.abort();
    co_await end(server);
  });
}

}  // namespace
}  // namespace async
