// max_connections, as the kernel sees it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/support/real_sockets.h"

namespace async {
namespace {

// How many connections wait in the queue of who listens on `port`, as ss(8) shows it.
int num_waiting(int port) {
  const std::string command = "ss -ltnH 'sport = :" + std::to_string(port) + "'";
  std::FILE* const output = popen(command.c_str(), "r");
  std::array<char, 1000> line{};
  const bool is_there = std::fgets(line.data(), line.size(), output) != nullptr;
  pclose(output);
  if (!is_there) throw std::runtime_error("ss does not show it");
  std::istringstream fields(line.data());
  std::string state;
  int waiting = -1;
  fields >> state >> waiting;
  return waiting;
}

using Client = Tcp::Connected<Address::Inet>;

Deferred<std::string> answer(Client client, std::string question) {
  client.writer.write_line(question);
  co_return (co_await client.reader.read_line()).value();
}

TEST(The_client_after_max_connections, waits_in_the_kernels_queue_until_another_one_ends) {
  Scheduler::go([]() -> Deferred<> {
    const auto server = co_await Tcp::Server::create(Tcp::on_port_chosen_by_os(),
                                                     {.max_connections = 2}, echo<Address::Inet>);
    const Client first = co_await Tcp::connect(at(server));
    const Client second = co_await Tcp::connect(at(server));
    EXPECT_EQ(co_await answer(first, "1"), "1");
    EXPECT_EQ(co_await answer(second, "2"), "2");
    EXPECT_EQ(num_waiting(server.listening_on()), 0);
    const int descriptors = num_descriptors();

    const Client third = co_await Tcp::connect(at(server));
    const auto third_answer = answer(third, "3");
    // As long as the server does anything else, and longer.
    for (int i = 0; i < 20; ++i) {
      EXPECT_EQ(co_await answer(first, "1 again"), "1 again");
      co_await Scheduler::yield();
    }
    EXPECT_EQ(num_waiting(server.listening_on()), 1);
    EXPECT_EQ(num_descriptors(), descriptors + 1);  // which is the client's own
    EXPECT_EQ(server.counts().accepted, 2u);
    EXPECT_EQ(server.num_connections(), 2);
    EXPECT_FALSE(third_answer.is_determined());

    co_await second.writer.close();
    EXPECT_EQ(co_await third_answer, "3");
    EXPECT_EQ(num_waiting(server.listening_on()), 0);
    EXPECT_EQ(server.counts().accepted, 3u);
    EXPECT_EQ(server.num_connections(), 2);
    server.invariant();
    co_await first.writer.close();
    co_await third.writer.close();
    co_await end(server);
  });
}

// Place is not free before the handler is determined and the descriptor closed.
TEST(The_client_after_max_connections, waits_for_the_handler_as_well) {
  Scheduler::go([]() -> Deferred<> {
    const Ivar<> finish;
    const auto server = co_await Tcp::Server::create(
        Tcp::on_port_chosen_by_os(), {.max_connections = 1},
        [finish](Address::Inet from, Reader reader, Writer writer) -> Deferred<> {
          co_await echo(from, reader, writer);
          co_await finish.read();
        });
    const Client first = co_await Tcp::connect(at(server));
    EXPECT_EQ(co_await answer(first, "1"), "1");
    const Client second = co_await Tcp::connect(at(server));
    co_await first.writer.close();
    for (int i = 0; i < 20; ++i) co_await Scheduler::yield();
    EXPECT_EQ(num_waiting(server.listening_on()), 1);
    finish.fill();
    EXPECT_EQ(co_await answer(second, "2"), "2");
    EXPECT_EQ(num_waiting(server.listening_on()), 0);
    co_await second.writer.close();
    co_await end(server);
  });
}

TEST(Max_pending_connections, is_the_length_of_the_kernels_queue) {
  Scheduler::go([]() -> Deferred<> {
    const auto server = co_await Tcp::Server::create(
        Tcp::on_port_chosen_by_os(), {.max_connections = 1, .max_pending_connections = 3},
        echo<Address::Inet>);
    const Client first = co_await Tcp::connect(at(server));
    EXPECT_EQ(co_await answer(first, "1"), "1");
    std::vector<Client> waiting;
    for (int i = 0; i < 4; ++i) waiting.push_back(co_await Tcp::connect(at(server)));
    EXPECT_EQ(num_waiting(server.listening_on()), 4);  // Linux lets one more in
    const auto refused =
        co_await or_error(Tcp::connect(at(server), {.timeout = std::chrono::milliseconds(50)}));
    EXPECT_FALSE(refused);
    co_await first.writer.close();
    for (const Client& client : waiting) {
      EXPECT_EQ(co_await answer(client, "hello"), "hello");
      co_await client.writer.close();
    }
    co_await end(server);
  });
}

}  // namespace
}  // namespace async
