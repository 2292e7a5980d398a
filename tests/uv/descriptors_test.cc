// Descriptors: that none is lost.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/bytes_in_use.h"
#include "tests/support/real_sockets.h"

namespace async {
namespace {

using namespace std::chrono_literals;

using Active = Socket<Socket_state::Active, Address::Inet>;

// Every third connection is reset by the server, the others by the client: before anything was
// said, or in the middle of much.
Deferred<> fragile(Address::Inet, Active socket) {
  const Reader reader = socket.reader();
  const Writer writer = socket.writer();
  const auto line = co_await reader.read_line();
  if (line == "0") {
    writer.write(std::string(100'000, 'x'));
    co_await socket.abort();
  } else if (line) {
    writer.write_line(*line);
    while (auto chunk = co_await reader.read_chunk()) {
      writer.write(*chunk);
      co_await writer.flushed();
    }
  }
}

Deferred<> use_and_reset(Tcp::Server::Inet server, int i) {
  const auto [socket, reader, writer] = co_await Tcp::connect(at(server));
  writer.set_raise_when_consumer_leaves(false);
  if (i % 3 != 2) {
    writer.write_line(std::to_string(i % 3));
    const auto line = co_await reader.read_line();
    if (i % 3 == 1) {
      EXPECT_EQ(line, "1");
      writer.write(std::string(100'000, 'x'));
      EXPECT_TRUE(co_await reader.really_read(1000));
    }
  }
  socket.setopt(Socket_opt::linger, std::optional<Span>(0s));
  co_await socket.abort();
}

Deferred<> use_and_reset_a_thousand(Tcp::Server::Inet server) {
  for (int i = 0; i < 1000; i += 50) {
    std::vector<Deferred<>> some;
    for (int j = 0; j < 50; ++j) some.push_back(use_and_reset(server, i + j));
    co_await all_unit(std::move(some));
  }
  while (server.num_connections() > 0) co_await Scheduler::yield();
  server.invariant();
}

TEST(Two_thousand_connections_that_are_reset, leave_no_descriptor_and_no_memory) {
  Scheduler::go([]() -> Deferred<> {
    const auto server = co_await Tcp::Server::create_sock(Tcp::on_port_chosen_by_os(), {}, fragile);
    const int descriptors = num_descriptors();
    co_await use_and_reset_a_thousand(server);
    EXPECT_EQ(num_descriptors(), descriptors);
    const auto bytes = static_cast<std::ptrdiff_t>(bytes_in_use());
    co_await use_and_reset_a_thousand(server);
    EXPECT_EQ(num_descriptors(), descriptors);
    // A thousand things of any kind are more.
    EXPECT_LT(static_cast<std::ptrdiff_t>(bytes_in_use()) - bytes, 32'000);
    EXPECT_EQ(server.counts().accepted, 2000u);
    EXPECT_EQ(server.counts().handler_errors, 0u);
    co_await end(server);
  });
}

TEST(Descriptors, are_all_closed_when_the_program_ends) {
  Scheduler::go([] { return determined(); });  // libuv keeps two for the process
  const int descriptors = num_descriptors();
  Scheduler::go([]() -> Deferred<> {
    const auto server =
        co_await Tcp::Server::create(Tcp::on_port_chosen_by_os(), echo<Address::Inet>);
    static std::vector<Tcp::Connected<Address::Inet>>
        clients;  // handles that outlive the scheduler
    for (int i = 0; i < 10; ++i) clients.push_back(co_await Tcp::connect(at(server)));
  });
  EXPECT_EQ(num_descriptors(), descriptors);
}

}  // namespace
}  // namespace async
