// What happens when descriptors run out.
//
// It is a test of the release build because UndefinedBehaviorSanitizer needs descriptors of its own
// to look at an object; tests/uv has what can be tried with it.

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <chrono>
#include <csignal>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/child.h"
#include "tests/support/real_sockets.h"

namespace async {
namespace {

using namespace std::chrono_literals;

// A server on two ports that may have 64 descriptors.  A client that asks for it gets the number of
// times that accepting has failed; others get their line back.
int poor_server(Child::Parent parent) {
  constexpr rlimit limit{.rlim_cur = 64, .rlim_max = 64};
  if (setrlimit(RLIMIT_NOFILE, &limit) != 0) return 10;
  return Scheduler::go_main([&]() -> Deferred<int> {
    const auto counts = std::make_shared<std::function<Tcp::Server::Counts()>>();
    const auto server = co_await Tcp::Server::create(
        std::vector{Tcp::on_port_chosen_by_os(), Tcp::on_port_chosen_by_os()},
        {.max_connections = 10'000},
        [counts](Address::Inet, Reader reader, Writer writer) -> Deferred<> {
          while (auto line = co_await reader.read_line()) {
            writer.write_line(*line == "errors?" ? std::to_string((*counts)().accept_errors)
                                                 : *line);
          }
        });
    *counts = [server] { return server.counts(); };
    for (const int port : server.listening_on_all()) parent.tell(std::to_string(port));
    co_await Shutdown::requested();
    parent.tell(std::to_string(server.counts().accepted));
    co_return server.counts().handler_errors == 0 ? 0 : 11;
  });
}

using Client = Tcp::Connected<Address::Inet>;

Deferred<std::string> answer(Client client, std::string question) {
  client.writer.write_line(question);
  co_return (co_await client.reader.read_line()).value();
}

TEST(A_server_that_runs_out_of_descriptors, serves_all_its_clients_in_turn_and_does_not_spin) {
  constexpr int num_clients = 200;
  Child server(poor_server);
  std::vector<Tcp::Where_to_connect<Address::Inet>> where;
  for (int i = 0; i < 2; ++i) {
    where.push_back(Tcp::to_host_and_port("127.0.0.1", std::stoi(server.hear())));
  }
  Scheduler::go([&]() -> Deferred<> {
    std::vector<Client> clients;
    for (int i = 0; i < num_clients; ++i) clients.push_back(co_await Tcp::connect(where[i % 2]));
    // The first has been accepted, and some of the others have not.
    while (co_await answer(clients.front(), "errors?") == "0") {
    }
    // Spinning shows only while time passes.
    const auto before = server.cpu_time();
    co_await Clock::after(300ms);
    EXPECT_LT(server.cpu_time() - before, 100ms);
    for (int i = 0; i < num_clients; ++i) {
      EXPECT_EQ(co_await answer(clients[i], std::to_string(i)), std::to_string(i));
      co_await clients[i].writer.close();
    }
    const Client last = co_await Tcp::connect(where[1]);
    EXPECT_LT(std::stoi(co_await answer(last, "errors?")), 2 * num_clients);
  });
  server.signal(SIGTERM);
  EXPECT_EQ(server.hear(), std::to_string(num_clients + 1));
  EXPECT_EQ(server.wait(), 0);
}

int poor_client(int port) {
  return Scheduler::go_main([=]() -> Deferred<int> {
    std::vector<Client> clients;
    constexpr rlimit limit{.rlim_cur = 64, .rlim_max = 64};
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0) co_return 10;
    const auto where = Tcp::to_host_and_port("127.0.0.1", port);
    for (;;) {
      auto client = co_await or_error(Tcp::connect(where));
      if (!client) {
        const auto* error = client.error().as<Tcp::Connect_error>();
        if (!error || error->kind() != Tcp::Connect_error::Kind::Other) co_return 11;
        if (error->attempts().at(0).code != std::errc::too_many_files_open) co_return 12;
        break;
      }
      clients.push_back(std::move(*client));
    }
    const auto listening =
        co_await or_error(Tcp::Server::create(Tcp::on_port_chosen_by_os(), echo<Address::Inet>));
    if (listening || !listening.error().as<Tcp::Listen_error>()) co_return 13;
    // One less, and it works again.
    co_await clients.back().writer.close();
    co_return co_await ask(where, "hello") == "hello" ? 0 : 14;
  });
}

TEST(A_client_that_runs_out_of_descriptors, is_told_so) {
  Child server([](Child::Parent parent) {
    return Scheduler::go_main([=]() -> Deferred<int> {
      const auto server =
          co_await Tcp::Server::create(Tcp::on_port_chosen_by_os(), echo<Address::Inet>);
      parent.tell(std::to_string(server.listening_on()));
      co_await Shutdown::requested();
      co_return 0;
    });
  });
  const int port = std::stoi(server.hear());
  Child client([=](Child::Parent) { return poor_client(port); });
  EXPECT_EQ(client.wait(), 0);
  server.signal(SIGTERM);
  EXPECT_EQ(server.wait(), 0);
}

}  // namespace
}  // namespace async
