// Programs as a whole: how they end, and several schedulers and threads in one process.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <future>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/child.h"
#include "tests/support/real_sockets.h"

namespace async {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t much = 5'000'000;

// Sends much to everybody, and ends when it is told to.
int generous_server(Child::Parent parent) {
  return Scheduler::go_main([=]() -> Deferred<int> {
    Shutdown::at_shutdown([=] {
      parent.tell("shutting down");
      return determined();
    });
    const auto server = co_await Tcp::Server::create(
        Tcp::on_port_chosen_by_os(), [](Address::Inet, Reader reader, Writer writer) -> Deferred<> {
          writer.write(std::string(much, 'x'));
          co_await reader.drain();
        });
    parent.tell(std::to_string(server.listening_on()));
    co_await Shutdown::requested();
    co_await server.close();
    co_return 0;
  });
}

TEST(A_program_that_is_sent_sigterm, flushes_what_it_has_written_and_ends_with_0) {
  Child server(generous_server);
  const int port = std::stoi(server.hear());
  Scheduler::go([&]() -> Deferred<> {
    const auto [socket, reader, writer] =
        co_await Tcp::connect(Tcp::to_host_and_port("127.0.0.1", port));
    EXPECT_EQ((co_await reader.read(1)).value(), "x");  // so it has been written
    server.signal(SIGTERM);
    EXPECT_EQ(server.hear(), "shutting down");
    EXPECT_EQ((co_await reader.contents()).size(), much - 1);
  });
  EXPECT_EQ(server.wait(), 0);
}

TEST(A_program_that_is_sent_sigterm_twice, ends_with_the_status_of_that) {
  Child server([](Child::Parent parent) {
    return Scheduler::go_main([=]() -> Deferred<int> {
      const auto server =
          co_await Tcp::Server::create(Tcp::on_port_chosen_by_os(), echo<Address::Inet>);
      const Deferred<> requested = Shutdown::requested();
      parent.tell(std::to_string(server.listening_on()));
      co_await requested;
      parent.tell("once");
      co_await server.close_finished_and_handlers_determined();  // for ever
      co_return 0;
    });
  });
  EXPECT_NE(server.hear(), "");
  server.signal(SIGTERM);
  EXPECT_EQ(server.hear(), "once");
  server.signal(SIGTERM);
  EXPECT_EQ(server.wait(), 128 + SIGTERM);
}

TEST(A_program_that_does_not_ask_for_signals, is_ended_by_them) {
  Child server([](Child::Parent parent) {
    return Scheduler::go_main([=]() -> Deferred<int> {
      const auto server =
          co_await Tcp::Server::create(Tcp::on_port_chosen_by_os(), echo<Address::Inet>);
      parent.tell(std::to_string(server.listening_on()));
      co_return co_await never<int>();
    });
  });
  EXPECT_NE(server.hear(), "");
  server.signal(SIGTERM);
  EXPECT_EQ(server.wait(), -1 - SIGTERM);
}

TEST(A_handlers_error, ends_the_program_with_status_1_by_default) {
  Child server([](Child::Parent parent) {
    Log::set_sink([](Log::Level, std::string_view) {});
    return Scheduler::go_main([=]() -> Deferred<int> {
      const auto server = co_await Tcp::Server::create(
          Tcp::on_port_chosen_by_os(), [](Address::Inet, Reader reader, Writer) -> Deferred<> {
            static_cast<void>(co_await reader.read_line());
            throw std::runtime_error("boom");
          });
      parent.tell(std::to_string(server.listening_on()));
      co_return co_await never<int>();
    });
  });
  const auto where = Tcp::to_host_and_port("127.0.0.1", std::stoi(server.hear()));
  Scheduler::go([&]() -> Deferred<> { EXPECT_FALSE(co_await ask(where, "boom")); });
  EXPECT_EQ(server.wait(), 1);
}

TEST(Other_threads, use_the_network_of_a_scheduler_through_thread_safe) {
  constexpr int num_threads = 4;
  constexpr int num_questions = 50;
  Scheduler::go([]() -> Deferred<> {
    const auto server =
        co_await Tcp::Server::create(Tcp::on_port_chosen_by_os(), echo<Address::Inet>);
    const auto scheduler = Thread_safe::this_scheduler();
    const Ivar<> all_done;
    int right = 0;
    int threads_done = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < num_threads; ++i) {
      threads.emplace_back([&, i] {
        for (int j = 0; j < num_questions; ++j) {
          const std::string question = std::to_string(i) + " " + std::to_string(j);
          const auto line =
              Thread_safe::block_on_async(scheduler, [&] { return ask(at(server), question); });
          Thread_safe::run_in_async(scheduler, [&right, is_right = line == question] {
            if (is_right) ++right;
          });
        }
        Thread_safe::run_in_async(scheduler, [&] {
          if (++threads_done == num_threads) all_done.fill();
        });
      });
    }
    co_await all_done.read();
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(right, num_threads * num_questions);
    co_await end(server);
  });
}

// Serves on a thread of its own until a client says "stop".
class Server_on_a_thread {
 public:
  Server_on_a_thread() : thread_([this] { Scheduler::go([this] { return run(); }); }) {}
  Server_on_a_thread(const Server_on_a_thread&) = delete;
  Server_on_a_thread& operator=(const Server_on_a_thread&) = delete;
  ~Server_on_a_thread() { thread_.join(); }

  int port() { return port_.get_future().get(); }

 private:
  Deferred<> run() {
    const Ivar<> stop;
    const auto server = co_await Tcp::Server::create(
        Tcp::on_port_chosen_by_os(),
        [stop](Address::Inet, Reader reader, Writer writer) -> Deferred<> {
          while (auto line = co_await reader.read_line()) {
            writer.write_line(*line);
            if (*line == "stop") stop.fill();
          }
        });
    port_.set_value(server.listening_on());
    co_await stop.read();
    co_await end(server);
  }

  std::promise<int> port_;
  std::thread thread_;
};

TEST(Socket, may_outlive_its_scheduler) {
  using Unconnected = Socket<Socket_state::Unconnected, Address::Inet>;
  std::optional<Unconnected> unconnected;
  std::optional<Socket<Socket_state::Passive, Address::Inet>> passive;
  Scheduler::go([] { return determined(); });  // libuv keeps two descriptors from the first time on
  const int before = num_descriptors();
  Scheduler::go([&] {
    unconnected = Unconnected::create(Ip_version::V4);
    passive =
        Unconnected::create(Ip_version::V4).bind(Address::Inet(Inet_addr::localhost(), 0)).listen();
    return determined();
  });
  EXPECT_EQ(num_descriptors(), before);
  passive->close();
}

TEST(Schedulers_on_several_threads, serve_each_other) {
  Server_on_a_thread first;
  Server_on_a_thread second;
  const int first_port = first.port();
  const int second_port = second.port();
  Scheduler::go([=]() -> Deferred<> {
    for (int i = 0; i < 100; ++i) {
      for (const int port : {first_port, second_port}) {
        const auto where = Tcp::to_host_and_port("localhost", port);
        EXPECT_EQ(co_await ask(where, std::to_string(i)), std::to_string(i));
      }
    }
    for (const int port : {first_port, second_port}) {
      EXPECT_EQ(co_await ask(Tcp::to_host_and_port("localhost", port), "stop"), "stop");
    }
  });
}

}  // namespace
}  // namespace async
