// What recursion and repetition hold in memory.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "async/async.h"
#include "async/testing/simulation.h"
#include "tests/support/bytes_in_use.h"
#include "tests/support/goodbye.h"

namespace async {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::Simulation;

constexpr int steps = 20'000;

/// Looks at the memory at some steps of a repetition.
class Memory {
 public:
  void step() {
    ++step_;
    if (step_ == steps / 10) before_ = bytes_in_use();
    if (step_ == steps) after_ = bytes_in_use();
  }
  /// `growth()` is what the last nine tenths of the steps added.
  std::ptrdiff_t growth() const {
    EXPECT_GE(step_, steps);
    return static_cast<std::ptrdiff_t>(after_ - before_);
  }

 private:
  int step_ = 0;
  std::size_t before_ = 0;
  std::size_t after_ = 0;
};

// A step that kept one cell would keep some 64 bytes.
constexpr std::ptrdiff_t constant = 16 * 1024;

/// Counts those of its copies that are alive.
class Counted {
 public:
  explicit Counted(int& alive) : alive_(&alive) { ++*alive_; }
  Counted(const Counted& other) : alive_(other.alive_) { ++*alive_; }
  Counted& operator=(const Counted&) = delete;
  ~Counted() { --*alive_; }

 private:
  int* alive_;
};

Deferred<> recursive_bind(int n, Memory& memory) {
  memory.step();
  if (n == 0) return determined();
  return determined().bind([n, &memory] { return recursive_bind(n - 1, memory); });
}

TEST(Recursive_bind, runs_in_constant_memory) {
  Simulation().run([]() -> Deferred<> {
    Memory memory;
    co_await recursive_bind(steps, memory);
    EXPECT_LT(memory.growth(), constant);
  });
}

TEST(Recursive_bind, runs_in_constant_memory_though_many_wait_for_it) {
  Simulation().run([]() -> Deferred<> {
    Memory memory;
    const Deferred<> d = recursive_bind(steps, memory);
    int calls = 0;
    for (int i = 0; i < 3; ++i) d.upon([&] { ++calls; });
    const Deferred<> mapped = d.map([&] { ++calls; });
    co_await d.bind([&] {
      ++calls;
      return determined();
    });
    EXPECT_EQ(calls, 5);
    EXPECT_LT(memory.growth(), constant);
  });
}

TEST(Recursive_bind, runs_in_constant_memory_though_it_is_dropped) {
  Simulation().run([]() -> Deferred<> {
    Memory memory;
    const Ivar<> done;
    {
      Deferred<> dropped = recursive_bind(steps, memory).map([done] { done.fill(); });
    }
    co_await done.read();
    EXPECT_LT(memory.growth(), constant);
  });
}

// Each step waits, so each is linked to the first.
Deferred<int> bind_that_waits(int n, Memory& memory) {
  memory.step();
  if (n == 0) return determined(7);
  return Scheduler::yield().bind([n, &memory] { return bind_that_waits(n - 1, memory); });
}

TEST(Recursive_bind, runs_in_constant_memory_though_each_step_waits) {
  Simulation().run([]() -> Deferred<> {
    Memory memory;
    EXPECT_EQ(co_await bind_that_waits(steps, memory), 7);
    EXPECT_LT(memory.growth(), constant);
  });
}

// Two types of callables take turns.
struct Ping_pong {
  static Deferred<> ping(int n, Memory& memory, Counted counted) {
    memory.step();
    if (n == 0) return determined();
    return Scheduler::yield().bind([n, &memory, counted] { return pong(n - 1, memory, counted); });
  }
  static Deferred<> pong(int n, Memory& memory, Counted counted) {
    memory.step();
    if (n == 0) return determined();
    return Scheduler::yield().bind([n, &memory, counted] { return ping(n - 1, memory, counted); });
  }
};

TEST(Recursive_bind, runs_in_constant_memory_though_functions_take_turns) {
  Simulation().run([]() -> Deferred<> {
    Memory memory;
    int alive = 0;
    co_await Ping_pong::ping(steps, memory, Counted(alive));
    EXPECT_LT(memory.growth(), constant);
    EXPECT_EQ(alive, 0);
  });
}

// A coroutine in each step, which the callable must outlive.
Deferred<> bind_to_coroutine(int n, Memory& memory, std::vector<int>& alive_at, Counted counted,
                             const int& alive) {
  memory.step();
  alive_at.push_back(alive);
  if (n == 0) return determined();
  return determined().bind([=, &memory, &alive_at, &alive]() -> Deferred<> {
    return Scheduler::yield().bind([=, &memory, &alive_at, &alive] {
      return bind_to_coroutine(n - 1, memory, alive_at, counted, alive);
    });
  });
}

TEST(Recursive_bind, keeps_at_most_one_callable_of_each_type) {
  Simulation().run([]() -> Deferred<> {
    Memory memory;
    int alive = 0;
    std::vector<int> alive_at;
    co_await bind_to_coroutine(steps, memory, alive_at, Counted(alive), alive);
    EXPECT_LT(memory.growth() - static_cast<std::ptrdiff_t>(alive_at.capacity() * sizeof(int)),
              constant);
    // The callables of both types, and what is on the stack.
    EXPECT_EQ(alive_at[10], alive_at[steps]);
    EXPECT_LT(alive_at[steps], 10);
    EXPECT_EQ(alive, 0);
  });
}

// The older may be what calls the newer.
struct Chain {
  Deferred<> loop(int n) {
    if (n == 4) return determined();
    const Deferred<> wait = n == 3 ? last.read() : Scheduler::yield();
    return wait.bind([this, n, probe = goodbye(events, std::to_string(n))] {
      events.push_back("call " + std::to_string(n));
      Deferred<> next = loop(n + 1);
      events.push_back("return " + std::to_string(n));
      return next;
    });
  }

  Events events;
  Ivar<> last;
};

TEST(Recursive_bind, lets_the_older_callable_go_when_the_newer_has_returned) {
  Simulation().run([]() -> Deferred<> {
    Chain chain;
    const Deferred<> d = chain.loop(0);
    for (int i = 0; i < 10; ++i) co_await Scheduler::yield();
    EXPECT_THAT(chain.events, ElementsAre("call 0", "return 0", "call 1", "return 1", "0 gone",
                                          "call 2", "return 2", "1 gone"));
    chain.events.clear();
    chain.last.fill();
    co_await d;
    EXPECT_THAT(chain.events, ElementsAre("call 3", "return 3", "2 gone", "3 gone"));
  });
}

struct Stateless {
  ~Stateless() { ++destroyed; }
  Deferred<> operator()() const { return Clock::after(std::chrono::seconds(1)); }
  static inline int destroyed = 0;
};

TEST(Recursive_bind, drops_a_stateless_callable_at_once) {
  Simulation().run([]() -> Deferred<> {
    const Deferred<> d = determined().bind(Stateless());
    co_await Scheduler::yield();
    const int after_call = Stateless::destroyed;
    EXPECT_FALSE(d.is_determined());
    co_await d;
    EXPECT_EQ(Stateless::destroyed, after_call);
  });
}

TEST(Repetition, runs_in_constant_memory) {
  Simulation().run([]() -> Deferred<> {
    Memory ready;
    co_await repeat_until_finished(steps, [&](int n) -> Deferred<Repeat_or_finished<int, void>> {
      ready.step();
      if (n == 0) co_return Finished();
      co_return Repeat{n - 1};
    });
    Memory waiting;
    co_await repeat_until_finished(steps, [&](int n) -> Deferred<Repeat_or_finished<int, void>> {
      waiting.step();
      co_await Scheduler::yield();
      if (n == 0) co_return Finished();
      co_return Repeat{n - 1};
    });
    Memory endless;
    const Ivar<> done;
    forever([&endless, done, n = 0]() mutable -> Deferred<> {
      endless.step();
      if (++n == steps) done.fill();
      return n < steps ? Scheduler::yield() : never();
    });
    co_await done.read();
    Memory loop;
    for (int i = 0; i < steps; ++i) {
      loop.step();
      co_await Scheduler::yield();
    }
    EXPECT_LT(ready.growth(), constant);
    EXPECT_LT(waiting.growth(), constant);
    EXPECT_LT(endless.growth(), constant);
    EXPECT_LT(loop.growth(), constant);
  });
}

// What races against a deferred that lives long leaves nothing behind on it.
TEST(Repetition, of_races_runs_in_constant_memory) {
  Simulation().run([]() -> Deferred<> {
    const Ivar<> closed;
    Memory memory;
    for (int i = 0; i < steps; ++i) {
      memory.step();
      co_await any_unit(closed.read(), Scheduler::yield());
      const auto timed = co_await Clock::with_timeout(std::chrono::hours(1), Scheduler::yield());
      EXPECT_TRUE(timed);
    }
    EXPECT_LT(memory.growth(), constant);
  });
}

TEST(Repetition, of_try_with_runs_in_constant_memory) {
  Simulation().run([]() -> Deferred<> {
    Memory memory;
    for (int i = 0; i < steps; ++i) {
      memory.step();
      const auto result = co_await try_with([i]() -> Deferred<int> {
        co_await Scheduler::yield();
        co_return i;
      });
      EXPECT_EQ(result, i);
    }
    EXPECT_LT(memory.growth(), constant);
  });
}

}  // namespace
}  // namespace async
