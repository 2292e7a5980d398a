#include "async/internal/turnstile.h"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

#include "async/async.h"
#include "async/internal/engine.h"
#include "async/testing/simulation.h"
#include "tests/support/turns.h"

namespace async {
namespace {

internal::Turnstile& turnstile() { return internal::engine().turnstile; }

TEST(Turnstile, lets_the_first_in_a_turn_pass_at_once) {
  testing::Simulation().run([]() -> Deferred<> {
    EXPECT_TRUE(turnstile().pass().is_determined());
    EXPECT_FALSE(turnstile().pass().is_determined());
    co_await Clock::after(std::chrono::seconds(1));
    EXPECT_TRUE(turnstile().pass().is_determined());
  });
}

TEST(Turnstile, lets_one_pass_in_each_turn_in_the_order_in_which_they_came) {
  testing::Simulation().run([]() -> Deferred<> {
    const Turns turns;
    std::vector<std::pair<int, int>> passed;  // who, and in which turn
    std::vector<Deferred<>> all;
    for (int i = 0; i < 5; ++i) {
      all.push_back(turnstile().pass().map([&, i] { passed.emplace_back(i, turns.count()); }));
    }
    for (const auto& one : all) co_await one;
    EXPECT_EQ(passed, (std::vector<std::pair<int, int>>{{0, 0}, {1, 1}, {2, 2}, {3, 3}, {4, 4}}));
  });
}

TEST(Turnstile, lets_jobs_and_other_events_come_in_between) {
  int jobs = 0;
  testing::Simulation().run([&]() -> Deferred<> {
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
    for (int i = 0; i < 3; ++i) dont_wait_for(turnstile().pass());
    co_return;
  });
}

}  // namespace
}  // namespace async
