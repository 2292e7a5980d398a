// Unix sockets, and the files that they leave.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "tests/support/real_sockets.h"
#include "tests/support/temporary_folder.h"

namespace async {
namespace {

using ::testing::HasSubstr;
using Kind = Tcp::Listen_error::Kind;

Deferred<Tcp::Server::Unix> echo_server(std::string path) {
  return Tcp::Server::create(Tcp::on_file(std::move(path)), echo<Address::Unix>);
}

// A socket at `path` that is not the library's.  Closing it leaves the file, as when a program is
// killed.
int socket_at(const std::string& path, int type) {
  const int fd = socket(AF_UNIX, type, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  EXPECT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  return fd;
}

void leave_a_socket_at(const std::string& path) {
  const int fd = socket_at(path, SOCK_STREAM);
  EXPECT_EQ(listen(fd, 1), 0);
  close(fd);
}

Deferred<> expect_in_use(std::string path) {
  const auto server = co_await or_error(echo_server(path));
  if (server) {
    ADD_FAILURE() << "it listens";
    co_return;
  }
  const auto* error = server.error().as<Tcp::Listen_error>();
  EXPECT_TRUE(error && error->kind() == Kind::Address_in_use) << server.error().what();
  EXPECT_THAT(server.error().what(), HasSubstr(path));
}

TEST(A_unix_socket, carries_a_conversation) {
  const Temporary_folder folder;
  Scheduler::go([&]() -> Deferred<> {
    const auto server = co_await echo_server(folder.file("a"));
    EXPECT_EQ(server.listening_on(), folder.file("a"));
    EXPECT_EQ(server.listening_on_address(), Address::Unix(folder.file("a")));
    EXPECT_EQ(co_await ask(Tcp::to_file(server.listening_on()), "hello"), "hello");
    EXPECT_EQ(co_await ask(Tcp::to_unix_address(server.listening_on_address()), "again"), "again");
    co_await end(server);
  });
}

TEST(A_unix_socket, has_no_address_at_the_clients_end) {
  const Temporary_folder folder;
  Scheduler::go([&]() -> Deferred<> {
    const Ivar<Address::Unix> from;
    const auto server = co_await Tcp::Server::create(Tcp::on_file(folder.file("a")),
                                                     [from](Address::Unix address, Reader, Writer) {
                                                       from.fill(address);
                                                       return determined();
                                                     });
    auto [socket, reader, writer] = co_await Tcp::connect(Tcp::to_file(folder.file("a")));
    EXPECT_TRUE((co_await from.read()).is_unnamed());
    EXPECT_TRUE(socket.getsockname().is_unnamed());
    EXPECT_EQ(socket.getpeername().path(), folder.file("a"));
    co_await end(server);
  });
}

TEST(A_unix_socket, can_have_an_abstract_name) {
  Scheduler::go([]() -> Deferred<> {
    const std::string path = std::string("\0async_uv test ", 15) + std::to_string(getpid());
    const auto server = co_await echo_server(path);
    EXPECT_EQ(server.listening_on(), path);
    EXPECT_EQ(co_await ask(Tcp::to_file(path), "hello"), "hello");
    const auto second = co_await or_error(echo_server(path));
    EXPECT_FALSE(second);
    co_await end(server);
  });
}

TEST(A_unix_socket, whose_path_is_too_long_is_an_error) {
  Scheduler::go([]() -> Deferred<> {
    const std::string path = "/tmp/" + std::string(150, 'x');
    const auto server = co_await or_error(echo_server(path));
    EXPECT_THAT(server.error().what(), HasSubstr("name too long"));
    const auto client = co_await or_error(Tcp::connect(Tcp::to_file(path)));
    EXPECT_THAT(client.error().what(), HasSubstr("name too long"));
  });
}

TEST(A_unix_socket, that_nobody_listens_on_refuses) {
  const Temporary_folder folder;
  leave_a_socket_at(folder.file("a"));
  Scheduler::go([&]() -> Deferred<> {
    const auto client = co_await or_error(Tcp::connect(Tcp::to_file(folder.file("a"))));
    EXPECT_EQ(client.error().as<Tcp::Connect_error>()->kind(), Tcp::Connect_error::Kind::Refused);
  });
}

TEST(The_file_of_a_server, goes_when_the_server_closes) {
  const Temporary_folder folder;
  Scheduler::go([&]() -> Deferred<> {
    const auto server = co_await echo_server(folder.file("a"));
    EXPECT_TRUE(std::filesystem::is_socket(folder.file("a")));
    co_await server.close();
    EXPECT_FALSE(std::filesystem::exists(folder.file("a")));
  });
}

TEST(The_file_of_a_server, goes_when_the_program_ends) {
  const Temporary_folder folder;
  Scheduler::go([&]() -> Deferred<> { static_cast<void>(co_await echo_server(folder.file("a"))); });
  EXPECT_FALSE(std::filesystem::exists(folder.file("a")));
}

TEST(The_file_of_a_server, stays_if_it_is_another_ones_by_then) {
  const Temporary_folder folder;
  Scheduler::go([&]() -> Deferred<> {
    const auto server = co_await echo_server(folder.file("a"));
    std::filesystem::remove(folder.file("a"));
    const auto other = co_await echo_server(folder.file("a"));
    co_await server.close();
    EXPECT_EQ(co_await ask(Tcp::to_file(folder.file("a")), "hello"), "hello");
    co_await end(other);
  });
}

TEST(A_file_in_the_way, is_replaced_if_it_is_a_socket_on_which_nobody_listens) {
  const Temporary_folder folder;
  leave_a_socket_at(folder.file("a"));
  Scheduler::go([&]() -> Deferred<> {
    const auto server = co_await echo_server(folder.file("a"));
    EXPECT_EQ(co_await ask(Tcp::to_file(folder.file("a")), "hello"), "hello");
    co_await end(server);
  });
}

TEST(A_file_in_the_way, is_left_alone_if_somebody_listens_on_it) {
  const Temporary_folder folder;
  Scheduler::go([&]() -> Deferred<> {
    const auto server = co_await echo_server(folder.file("a"));
    co_await expect_in_use(folder.file("a"));
    EXPECT_EQ(co_await ask(Tcp::to_file(folder.file("a")), "hello"), "hello");
    co_await end(server);
  });
}

// The queue of who listens is full, so the probe is not told at once.
TEST(A_file_in_the_way, is_left_alone_if_who_listens_on_it_is_busy) {
  const Temporary_folder folder;
  Scheduler::go([&]() -> Deferred<> {
    using Unconnected = Socket<Socket_state::Unconnected, Address::Unix>;
    const auto busy = Unconnected::create().bind(Address::Unix(folder.file("a"))).listen(0);
    const auto waits = co_await Tcp::connect(Tcp::to_file(folder.file("a")));
    co_await expect_in_use(folder.file("a"));
    EXPECT_TRUE(std::filesystem::exists(folder.file("a")));
    busy.close();
  });
}

TEST(A_file_in_the_way, is_left_alone_if_it_is_no_socket) {
  const Temporary_folder folder;
  std::ofstream(folder.file("a")) << "precious";
  Scheduler::go([&]() -> Deferred<> { co_await expect_in_use(folder.file("a")); });
  std::string content;
  std::ifstream(folder.file("a")) >> content;
  EXPECT_EQ(content, "precious");
}

TEST(A_file_in_the_way, is_left_alone_if_it_is_a_socket_of_another_kind) {
  const Temporary_folder folder;
  const int fd = socket_at(folder.file("a"), SOCK_DGRAM);
  Scheduler::go([&]() -> Deferred<> { co_await expect_in_use(folder.file("a")); });
  EXPECT_TRUE(std::filesystem::is_socket(folder.file("a")));
  close(fd);
}

TEST(A_file_in_the_way, is_left_alone_if_it_is_a_link_to_a_socket) {
  const Temporary_folder folder;
  leave_a_socket_at(folder.file("a"));
  std::filesystem::create_symlink(folder.file("a"), folder.file("link"));
  Scheduler::go([&]() -> Deferred<> { co_await expect_in_use(folder.file("link")); });
  EXPECT_TRUE(std::filesystem::is_symlink(folder.file("link")));
}

}  // namespace
}  // namespace async
