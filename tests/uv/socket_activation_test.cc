// Sockets that listened before the program was started.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/support/real_sockets.h"
#include "tests/support/temporary_folder.h"

namespace async {
namespace {

using ::testing::HasSubstr;

int bound_socket(int domain, int type) {
  const int fd = socket(domain, type, 0);
  if (domain == AF_INET) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  }
  return fd;
}

int port_of(int fd) {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  EXPECT_EQ(getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size), 0);
  return ntohs(address.sin_port);
}

int listening_socket() {
  const int fd = bound_socket(AF_INET, SOCK_STREAM);
  EXPECT_EQ(listen(fd, 10), 0);
  return fd;
}

int listening_file(const std::string& path) {
  const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  EXPECT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  EXPECT_EQ(listen(fd, 10), 0);
  return fd;
}

std::error_code why_not(int fd) {
  const auto adopted = Network::current().adopt_listener(fd);
  return adopted ? std::error_code() : adopted.error();
}

TEST(Adopting_a_listener, makes_it_nonblocking_and_closed_on_exec) {
  Scheduler::go([]() -> Deferred<> {
    const int fd = listening_socket();
    const auto listener = Network::current().adopt_listener(fd).value();
    EXPECT_EQ(listener->fd(), fd);
    EXPECT_NE(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
    EXPECT_EQ(fcntl(fd, F_GETFD), FD_CLOEXEC);
    listener->close();
    EXPECT_EQ(fcntl(fd, F_GETFD), -1);
    co_return;
  });
}

TEST(Adopting_a_listener, refuses_what_is_none_and_leaves_it_alone) {
  Scheduler::go([]() -> Deferred<> {
    std::array<int, 2> pipe_ends{};
    EXPECT_EQ(pipe(pipe_ends.data()), 0);
    EXPECT_EQ(why_not(pipe_ends[0]), std::errc::not_a_socket);
    EXPECT_EQ(why_not(-1), std::errc::bad_file_descriptor);
    const int does_not_listen = bound_socket(AF_INET, SOCK_STREAM);
    EXPECT_EQ(why_not(does_not_listen), std::errc::invalid_argument);
    const int datagrams = bound_socket(AF_INET, SOCK_DGRAM);
    EXPECT_EQ(why_not(datagrams), std::errc::wrong_protocol_type);
    for (const int fd : {pipe_ends[0], pipe_ends[1], does_not_listen, datagrams}) {
      EXPECT_EQ(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
      EXPECT_EQ(close(fd), 0);
    }
    co_return;
  });
}

TEST(Adopting_a_listener, leaves_the_file_of_a_unix_socket) {
  const Temporary_folder folder;
  const int fd = listening_file(folder.file("a"));
  Scheduler::go([&]() -> Deferred<> {
    const std::shared_ptr<Listener> listener = Network::current().adopt_listener(fd).value();
    const auto server = co_await Tcp::Server::create(
        Tcp::Where_to_listen<Address::Unix, std::string>::create_on_listener(
            Address::Unix(folder.file("a")), listener,
            [](const Address::Unix& actual) { return actual.path(); }),
        echo<Address::Unix>);
    EXPECT_EQ(server.listening_on(), folder.file("a"));
    EXPECT_EQ(co_await ask(Tcp::to_file(folder.file("a")), "hello"), "hello");
    co_await end(server);
  });
  EXPECT_TRUE(std::filesystem::is_socket(folder.file("a")));
}

using Variables = Tcp::Inherited_sockets::Variables;

std::string me() { return std::to_string(getpid()); }

std::string error_of(const Variables& variables) {
  try {
    Tcp::Inherited_sockets::of_variables(variables);
    return "";
  } catch (const std::exception& e) {
    return e.what();
  }
}

/// `in_a_row(fds)` moves them to descriptors one behind the other, and is the first of those.
int in_a_row(const std::vector<int>& fds) {
  int first = 0;
  for (const int fd : fds) {
    const int there = fcntl(fd, F_DUPFD, first == 0 ? 200 : first);
    if (first == 0) first = there;
    close(fd);
  }
  return first;
}

TEST(Inherited_sockets, are_none_unless_they_are_for_this_process) {
  for (const Variables& variables :
       {Variables(), Variables{.listen_fds = "1"}, Variables{.listen_pid = me()},
        Variables{.listen_pid = "1", .listen_fds = "1"},
        Variables{.listen_pid = me(), .listen_fds = "0", .listen_fdnames = ""}}) {
    EXPECT_EQ(Tcp::Inherited_sockets::of_variables(variables).size(), 0u);
  }
}

TEST(Inherited_sockets, refuse_variables_that_make_no_sense) {
  EXPECT_THAT(error_of({.listen_pid = "me", .listen_fds = "1"}), HasSubstr("LISTEN_PID is 'me'"));
  EXPECT_THAT(error_of({.listen_pid = me(), .listen_fds = "1 "}), HasSubstr("LISTEN_FDS is '1 '"));
  EXPECT_THAT(error_of({.listen_pid = me(), .listen_fds = "-1"}), HasSubstr("LISTEN_FDS is '-1'"));
  EXPECT_THAT(error_of({.listen_pid = me(), .listen_fds = "99999999999"}),
              HasSubstr("LISTEN_FDS is '99999999999'"));
  const int fd = in_a_row({listening_socket()});
  EXPECT_THAT(
      error_of(
          {.listen_pid = me(), .listen_fds = "1", .listen_fdnames = "a:b", .first_descriptor = fd}),
      HasSubstr("2 names for 1 sockets"));
  close(fd);
  EXPECT_THAT(error_of({.listen_pid = me(), .listen_fds = "1", .first_descriptor = fd}),
              HasSubstr("descriptor " + std::to_string(fd)));
}

TEST(Inherited_sockets, are_taken_out_of_the_environment) {
  setenv("LISTEN_PID", me().c_str(), 1);
  setenv("LISTEN_FDS", "0", 1);
  setenv("LISTEN_FDNAMES", "", 1);
  EXPECT_EQ(Tcp::Inherited_sockets::take().size(), 0u);
  for (const char* variable : {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"}) {
    EXPECT_EQ(std::getenv(variable), nullptr) << variable;
  }
}

TEST(Inherited_sockets, are_listened_on_with_the_clients_that_waited_there_already) {
  const Temporary_folder folder;
  const int web = listening_socket();
  const int port = port_of(web);
  const int first = in_a_row({web, listening_file(folder.file("a"))});
  Scheduler::go([&]() -> Deferred<> {
    const auto early = co_await Tcp::connect(Tcp::to_host_and_port("127.0.0.1", port));
    early.writer.write_line("early");
    auto sockets = Tcp::Inherited_sockets::of_variables({.listen_pid = me(),
                                                         .listen_fds = "2",
                                                         .listen_fdnames = "web:local",
                                                         .first_descriptor = first});
    EXPECT_EQ(sockets.size(), 2u);
    EXPECT_EQ(sockets.name(0), "web");
    EXPECT_EQ(sockets.name(1), "local");
    EXPECT_EQ(fcntl(first, F_GETFD), FD_CLOEXEC);
    EXPECT_EQ(fcntl(first + 1, F_GETFD), FD_CLOEXEC);
    const auto server = co_await Tcp::Server::create(
        Tcp::on_inherited_socket<Address::Inet>(sockets, "web"), echo<Address::Inet>);
    const auto local = co_await Tcp::Server::create(
        Tcp::on_inherited_socket<Address::Unix>(sockets, 1), echo<Address::Unix>);
    EXPECT_EQ(server.listening_on(), port);
    EXPECT_EQ(local.listening_on(), folder.file("a"));
    EXPECT_TRUE(server.listening_socket().getopt(Socket_opt::nodelay));
    EXPECT_EQ(co_await early.reader.read_line(), "early");
    EXPECT_EQ(co_await ask(Tcp::to_file(folder.file("a")), "hello"), "hello");
    co_await early.writer.close();
    co_await end(server);
    co_await end(local);
    EXPECT_TRUE(std::filesystem::is_socket(folder.file("a")));
    EXPECT_EQ(fcntl(first, F_GETFD), -1);
  });
}

TEST(Inherited_sockets, are_handed_over_once) {
  const int first = in_a_row({listening_socket()});
  Scheduler::go([&]() -> Deferred<> {
    auto sockets = Tcp::Inherited_sockets::of_variables(
        {.listen_pid = me(), .listen_fds = "1", .first_descriptor = first});
    EXPECT_EQ(sockets.name(0), "unknown");
    EXPECT_EQ(sockets.find("unknown"), 0u);
    const auto where = Tcp::on_inherited_socket<Address::Inet>(sockets, 0);
    EXPECT_THROW(Tcp::on_inherited_socket<Address::Inet>(sockets, 0), std::invalid_argument);
    EXPECT_THROW(Tcp::on_inherited_socket<Address::Inet>(sockets, 1), std::invalid_argument);
    const auto server = co_await Tcp::Server::create(where, echo<Address::Inet>);
    const auto second = co_await or_error(Tcp::Server::create(where, echo<Address::Inet>));
    EXPECT_EQ(second.error().as<Tcp::Listen_error>()->kind(),
              Tcp::Listen_error::Kind::Address_in_use);
    EXPECT_EQ(co_await ask(at(server), "hello"), "hello");
    co_await end(server);
  });
}

TEST(Inherited_sockets, of_one_name_or_of_another_family_are_refused) {
  const int first =
      in_a_row({listening_socket(), listening_socket(), bound_socket(AF_INET, SOCK_STREAM)});
  Scheduler::go([&]() -> Deferred<> {
    auto sockets = Tcp::Inherited_sockets::of_variables({.listen_pid = me(),
                                                         .listen_fds = "3",
                                                         .listen_fdnames = "a:a:c",
                                                         .first_descriptor = first});
    EXPECT_THROW(sockets.find("a"), std::invalid_argument);
    EXPECT_THROW(sockets.find("b"), std::invalid_argument);
    EXPECT_EQ(sockets.find("c"), 2u);
    EXPECT_THROW(Tcp::on_inherited_socket<Address::Unix>(sockets, 0), Io_error);
    EXPECT_THROW(Tcp::on_inherited_socket<Address::Any>(sockets, "c"), Io_error);  // only bound
    const auto server = co_await Tcp::Server::create(
        Tcp::on_inherited_socket<Address::Any>(sockets, 1), echo<Address::Any>);
    const Address::Any address = server.listening_on();
    EXPECT_EQ(co_await ask(Tcp::to_inet_address(std::get<Address::Inet>(address)), "hello"),
              "hello");
    co_await end(server);
  });
  close(first + 2);
}

}  // namespace
}  // namespace async
