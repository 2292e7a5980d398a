// What costs no allocation once the program has warmed up.

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "async/async.h"
#include "async/testing/simulation.h"
#include "tcp/tcp.h"
#include "tests/support/steady_state.h"

namespace async {
namespace {

using namespace std::chrono_literals;
using testing::Simulation;

template <class F>
std::uint64_t count(F operation) {
  return Scheduler::go([&] { return allocations_of(std::ref(operation)); });
}

TEST(Counting, sees_what_allocates) {
  EXPECT_EQ(count([]() -> Deferred<> {
              const auto one = std::make_unique<std::array<char, 100>>();
              one->front() = 'x';
              co_await Scheduler::yield();
              EXPECT_EQ(one->front(), 'x');
            }),
            Times{}.counted);
}

TEST(Nothing_is_allocated, by_an_ivar_that_is_filled_and_wakes_a_coroutine) {
  EXPECT_EQ(count([]() -> Deferred<> {
              const Ivar<int> ivar;
              const Deferred<int> waits = [](Deferred<int> d) -> Deferred<int> {
                co_return co_await d;
              }(ivar.read());
              ivar.fill(1);
              EXPECT_EQ(co_await waits, 1);
            }),
            0);
}

TEST(Nothing_is_allocated, by_upon) {
  int calls = 0;
  EXPECT_EQ(count([&]() -> Deferred<> {
              const Ivar<int> ivar;
              for (int i = 0; i < 3; ++i) ivar.read().upon([&](int n) { calls += n; });
              ivar.fill(1);
              co_await Scheduler::yield();
            }),
            0);
  EXPECT_EQ(calls, 3 * (Times{}.warm_up + Times{}.counted));
}

TEST(Nothing_is_allocated, by_map) {
  EXPECT_EQ(count([]() -> Deferred<> {
              const Ivar<int> ivar;
              Deferred<int> mapped =
                  ivar.read().map([](int n) { return n + 1; }).map([](int n) { return n + 1; });
              ivar.fill(1);
              EXPECT_EQ(co_await std::move(mapped), 3);
            }),
            0);
}

TEST(Nothing_is_allocated, by_bind) {
  EXPECT_EQ(count([]() -> Deferred<> {
              const Ivar<> ready;
              const Ivar<int> ivar;
              Deferred<int> bound = ready.read().bind(
                  [ivar] { return ivar.read().bind([](int n) { return determined(n + 1); }); });
              ready.fill();
              co_await Scheduler::yield();
              ivar.fill(1);
              EXPECT_EQ(co_await std::move(bound), 2);
            }),
            0);
}

Deferred<int> nested(int depth) {
  if (depth == 0) {
    co_await Scheduler::yield();
    co_return 0;
  }
  co_return 1 + co_await nested(depth - 1);
}

TEST(Nothing_is_allocated, by_coroutines_that_call_and_await_each_other) {
  EXPECT_EQ(count([]() -> Deferred<> { EXPECT_EQ(co_await nested(5), 5); }), 0);
  EXPECT_EQ(count([]() -> Deferred<> { co_await []() -> Deferred<> { co_return; }(); }), 0);
}

TEST(Nothing_is_allocated, by_yield) {
  EXPECT_EQ(count([] { return Scheduler::yield(); }), 0);
}

TEST(Nothing_is_allocated, by_a_job) {
  int calls = 0;
  EXPECT_EQ(count([&]() -> Deferred<> {
              Scheduler::schedule([&] { ++calls; });
              co_await Scheduler::yield();
            }),
            0);
  EXPECT_EQ(calls, Times{}.warm_up + Times{}.counted);
}

TEST(Nothing_is_allocated, by_a_timer_that_is_set_and_aborted) {
  EXPECT_EQ(count([]() -> Deferred<> {
              const auto event = Clock::Event::after(10s);
              co_await Scheduler::yield();
              EXPECT_EQ(event.abort(), Clock::Event::Outcome::Ok);
            }),
            0);
}

TEST(Nothing_is_allocated, by_timers_that_are_moved) {
  Simulation().run([]() -> Deferred<> {
    const auto event = Clock::Event::after(1h);
    EXPECT_EQ(co_await allocations_of([&]() -> Deferred<> {
                EXPECT_EQ(event.reschedule_after(1h), Clock::Event::Outcome::Ok);
                co_await Scheduler::yield();
              }),
              0u);
  });
}

TEST(Nothing_is_allocated, by_alarms_that_go_off) {
  Simulation().run([]() -> Deferred<> {
    EXPECT_EQ(co_await allocations_of([]() -> Deferred<> {
                const Deferred<> later = Clock::after(3ms);
                co_await Clock::after(1ms);
                co_await later;
              }),
              0u);
  });
}

TEST(Nothing_is_allocated, by_with_timeout) {
  EXPECT_EQ(count([]() -> Deferred<> {
              const Ivar<int> ivar;
              auto timed = Clock::with_timeout(10s, ivar.read());
              co_await Scheduler::yield();
              ivar.fill(1);
              EXPECT_EQ(co_await std::move(timed), 1);
            }),
            0);
}

TEST(Nothing_is_allocated, by_with_timeout_that_times_out) {
  Simulation().run([]() -> Deferred<> {
    const Ivar<> never_filled;
    EXPECT_EQ(co_await allocations_of([&]() -> Deferred<> {
                EXPECT_FALSE(co_await Clock::with_timeout(1ms, never_filled.read()));
              }),
              0u);
  });
}

TEST(Nothing_is_allocated, by_choose) {
  const auto race = [](const Deferred<>& closed) -> Deferred<> {
    const Ivar<int> ivar;
    auto chosen =
        choose(choice(ivar.read(), [](int n) { return n; }), choice(closed, [] { return 0; }));
    co_await Scheduler::yield();
    ivar.fill(1);
    EXPECT_EQ(co_await std::move(chosen), 1);
  };
  EXPECT_EQ(Scheduler::go([&]() -> Deferred<std::uint64_t> {
              const Ivar<> closed;
              co_return co_await allocations_of([&] { return race(closed.read()); });
            }),
            0);
}

TEST(Nothing_is_allocated, by_values_that_go_through_a_pipe) {
  EXPECT_EQ(Scheduler::go([]() -> Deferred<std::uint64_t> {
              auto [reader, writer] = Pipe::create<int>({.size_budget = 4});
              co_return co_await allocations_of([&]() -> Deferred<> {
                const Deferred<> written = writer.write(1);
                const Deferred<Read_result<int>> first = reader.read();
                const Deferred<Read_result<int>> second = reader.read();  // which waits
                co_await Scheduler::yield();
                const Deferred<> written_too = writer.write(2);
                EXPECT_EQ(co_await first, 1);
                EXPECT_EQ(co_await second, 2);
                co_await written;
                co_await written_too;
              });
            }),
            0);
}

Deferred<> echo(Address::Inet, Reader reader, Writer writer) {
  while (auto chunk = co_await reader.read_chunk()) {
    writer.write(*chunk);
    co_await writer.flushed();
  }
}

// Both ends are on this thread, so both are counted.
Deferred<std::uint64_t> allocations_of_echo() {
  auto server = co_await Tcp::Server::create(Tcp::on_port_chosen_by_os(), echo);
  auto [socket, reader, writer] =
      co_await Tcp::connect(Tcp::to_host_and_port("127.0.0.1", server.listening_on()));
  const std::string message(100, 'x');
  std::array<char, 1000> answer;
  const std::uint64_t result = co_await allocations_of([&]() -> Deferred<> {
    writer.write(message);
    std::size_t received = 0;
    while (received < message.size()) {
      received += (co_await reader.read(std::span(answer))).value();
    }
  });
  co_await writer.close();
  co_await server.close();
  co_await server.close_finished_and_handlers_determined();
  co_return result;
}

TEST(Nothing_is_allocated, by_a_message_that_is_echoed) {
  EXPECT_EQ(Scheduler::go(allocations_of_echo), 0);
}

}  // namespace
}  // namespace async
