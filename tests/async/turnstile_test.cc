#include "async/internal/turnstile.h"

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <utility>
#include <vector>

#include "async/async.h"
#include "async/internal/engine.h"
#include "async/testing/simulation.h"
#include "tests/support/turns.h"

namespace async {
namespace {

internal::Turnstile& turnstile() { return internal::engine().turnstile; }

/// In simulation calculating takes no time, so that a slice is used up at once or never.
constexpr Span none;
constexpr Span ample = std::chrono::hours(1);

TEST(Turnstile, lets_the_first_in_a_turn_pass_at_once) {
  testing::Simulation().run([]() -> Deferred<> {
    turnstile().slice = none;
    EXPECT_TRUE(turnstile().pass().is_determined());
    EXPECT_FALSE(turnstile().pass().is_determined());
    co_await Clock::after(std::chrono::seconds(1));
    EXPECT_TRUE(turnstile().pass().is_determined());
  });
}

using Passed = std::vector<std::pair<int, int>>;  // who, and in which turn

Deferred<Passed> let_five_pass(std::function<void()> calculate) {
  const Turns turns;
  Passed passed;
  const auto go_through = [&](int i) -> Deferred<> {
    co_await turnstile().pass();
    passed.emplace_back(i, turns.count());
    calculate();
    turnstile().leave();
  };
  std::vector<Deferred<>> all;
  for (int i = 0; i < 5; ++i) all.push_back(go_through(i));
  for (const auto& one : all) co_await one;
  co_return passed;
}

TEST(Turnstile, lets_all_pass_at_once_whose_time_is_within_the_slice) {
  testing::Simulation().run([]() -> Deferred<> {
    turnstile().slice = ample;
    EXPECT_EQ(co_await let_five_pass([] {}), (Passed{{0, 0}, {1, 0}, {2, 0}, {3, 0}, {4, 0}}));
  });
}

TEST(Turnstile, lets_one_pass_in_each_turn_if_each_takes_all_of_the_slice) {
  testing::Simulation().run([]() -> Deferred<> {
    turnstile().slice = none;
    EXPECT_EQ(co_await let_five_pass([] {}), (Passed{{0, 0}, {1, 1}, {2, 2}, {3, 3}, {4, 4}}));
  });
}

TEST(Turnstile, lets_those_who_wait_pass_in_one_turn_as_long_as_the_slice_lasts) {
  testing::Simulation().run([]() -> Deferred<> {
    turnstile().slice = none;
    int calculated = 0;
    const Passed passed = co_await let_five_pass([&] {
      // The second one finds that there is time, and the fourth one that there is none.
      if (++calculated == 2) turnstile().slice = ample;
      if (calculated == 4) turnstile().slice = none;
    });
    EXPECT_EQ(passed, (Passed{{0, 0}, {1, 1}, {2, 1}, {3, 1}, {4, 2}}));
  });
}

TEST(Turnstile, measures_by_the_clock) {
  Scheduler::go([]() -> Deferred<> {
    turnstile().slice = std::chrono::milliseconds(1);
    const Passed passed = co_await let_five_pass([] {
      const Time_ns end = Clock::now() + turnstile().slice;
      while (Clock::now() < end) {
      }
    });
    EXPECT_EQ(passed, (Passed{{0, 0}, {1, 1}, {2, 2}, {3, 3}, {4, 4}}));
  });
}

TEST(Turnstile, lets_the_next_one_pass_in_the_next_turn_if_one_does_not_come_to_calculate) {
  testing::Simulation().run([]() -> Deferred<> {
    turnstile().slice = none;
    const Turns turns;
    static_cast<void>(turnstile().pass());
    static_cast<void>(turnstile().pass());  // nobody waits for that any more
    turnstile().slice = ample;
    co_await turnstile().pass();
    EXPECT_EQ(turns.count(), 2);
  });
}

TEST(Turnstile, lets_jobs_and_other_events_come_in_between) {
  int jobs = 0;
  testing::Simulation().run([&]() -> Deferred<> {
    turnstile().slice = none;
    static_cast<void>(turnstile().pass());
    const auto count = [](int* jobs) -> Deferred<> {
      for (;;) {
        co_await Scheduler::yield();
        ++*jobs;
      }
    };
    dont_wait_for(count(&jobs));
    co_await turnstile().pass();
    for (int i = 0; i < 10; ++i) {
      const int before = jobs;
      co_await turnstile().pass();
      EXPECT_GT(jobs, before);
    }
  });
}

TEST(Turnstile, drops_who_waits_when_the_scheduler_ends) {
  testing::Simulation().run([]() -> Deferred<> {
    turnstile().slice = none;
    for (int i = 0; i < 3; ++i) dont_wait_for(turnstile().pass());
    co_return;
  });
}

}  // namespace
}  // namespace async
