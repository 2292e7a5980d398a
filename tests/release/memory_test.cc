// Ten million turns in constant memory.

#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>

#include "async/async.h"
#include "async/testing/simulation.h"
#include "tests/support/bytes_in_use.h"

namespace async {
namespace {

using namespace std::chrono_literals;
using testing::Simulation;

constexpr int turns = 10'000'000;

/// Looks at the memory after a tenth of the turns, and after all.
class Memory {
 public:
  void turn() {
    ++turn_;
    if (turn_ == turns / 10) before_ = bytes_in_use();
    if (turn_ == turns) after_ = bytes_in_use();
  }
  std::ptrdiff_t growth() const {
    EXPECT_GE(turn_, turns);
    return static_cast<std::ptrdiff_t>(after_ - before_);
  }

 private:
  int turn_ = 0;
  std::size_t before_ = 0;
  std::size_t after_ = 0;
};

// One bit for each turn would be more than that.
constexpr std::ptrdiff_t constant = 256 * 1024;

template <class F>
void expect_constant(F main) {
  Memory memory;
  Scheduler::go([&] { return main(memory); });
  EXPECT_LT(memory.growth(), constant);
}

Deferred<> recursive_bind(int n, Memory& memory) {
  memory.turn();
  if (n == 0) return determined();
  return determined().bind([n, &memory] { return recursive_bind(n - 1, memory); });
}

TEST(Ten_million_turns, of_a_recursive_bind) {
  expect_constant([](Memory& memory) { return recursive_bind(turns, memory); });
}

// Each link waits for a cell that is filled later.
Deferred<int> recursive_bind_that_waits(int n, Ivar<>& next, Memory& memory) {
  memory.turn();
  if (n == 0) return determined(7);
  next = Ivar<>();
  return next.read().bind(
      [n, &next, &memory] { return recursive_bind_that_waits(n - 1, next, memory); });
}

TEST(Ten_million_turns, of_a_recursive_bind_that_waits) {
  expect_constant([](Memory& memory) -> Deferred<> {
    Ivar<> next;
    const Deferred<int> end = recursive_bind_that_waits(turns, next, memory);
    while (!end.is_determined()) {
      const Ivar<> filled = next;
      if (!filled.fill_if_empty()) co_await Scheduler::yield_until_no_jobs_remain();
    }
    EXPECT_EQ(co_await end, 7);
  });
}

TEST(Ten_million_turns, of_repeat_until_finished) {
  expect_constant([](Memory& memory) {
    return repeat_until_finished(turns,
                                 [&memory](int n) -> Deferred<Repeat_or_finished<int, void>> {
                                   memory.turn();
                                   if (n == 0) co_return Finished();
                                   co_return Repeat{n - 1};
                                 });
  });
}

TEST(Ten_million_turns, of_with_timeout_on_a_deferred_that_lives_long) {
  Memory memory;
  Simulation().run([&]() -> Deferred<> {
    const Ivar<> closed;
    for (int i = 0; i < turns; ++i) {
      memory.turn();
      EXPECT_FALSE(co_await Clock::with_timeout(1ms, closed.read()));
    }
  });
  EXPECT_LT(memory.growth(), constant);
}

// The timers are set, and taken back; some are in the way of others when they are.
TEST(Ten_million_turns, of_with_timeout_that_is_in_time) {
  expect_constant([](Memory& memory) -> Deferred<> {
    for (int i = 0; i < turns; ++i) {
      memory.turn();
      const Ivar<> ivar;
      auto timed = Clock::with_timeout(1s * (1 + i % 100), ivar.read());
      ivar.fill();
      EXPECT_TRUE(co_await timed);
    }
  });
}

TEST(Ten_million_turns, of_choose_against_a_deferred_that_lives_long) {
  expect_constant([](Memory& memory) -> Deferred<> {
    const Ivar<> closed;
    for (int i = 0; i < turns; ++i) {
      memory.turn();
      const Ivar<int> ivar;
      auto chosen = choose(choice(ivar.read(), [](int n) { return n; }),
                           choice(closed.read(), [] { return -1; }));
      ivar.fill(i);
      EXPECT_EQ(co_await chosen, i);
    }
  });
}

}  // namespace
}  // namespace async
