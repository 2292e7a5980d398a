// Cycles: which jobs run in one, and in which order.

#include "async/scheduler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "async/async.h"
#include "async/testing/simulation.h"
#include "tests/support/goodbye.h"

namespace async {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::Simulation;

const Scheduler::Context low{.priority = Priority::Low};

/// Counts calls by the cycle in which they are made.
class Calls_per_cycle {
 public:
  void operator()() { ++calls_[Scheduler::cycle_count()]; }

  std::vector<int> seen() const {
    std::vector<int> counts;
    for (const auto& [cycle, count] : calls_) counts.push_back(count);
    return counts;
  }
  std::uint64_t last_cycle() const { return calls_.rbegin()->first; }

 private:
  std::map<std::uint64_t, int> calls_;
};

TEST(Scheduler, runs_jobs_first_come_first_served) {
  Events events;
  Simulation().run([&]() -> Deferred<> {
    for (const char* name : {"a", "b", "c"}) {
      Scheduler::schedule([&events, name] {
        events.emplace_back(name);
        Scheduler::schedule([&events, name] { events.push_back(std::string(name) + "2"); });
      });
    }
    EXPECT_THAT(events, IsEmpty());
    co_await Scheduler::yield();
    EXPECT_THAT(events, ElementsAre("a", "b", "c", "a2", "b2", "c2"));
  });
}

TEST(Scheduler, runs_low_jobs_after_normal_ones) {
  Events events;
  Simulation().run([&]() -> Deferred<> {
    Scheduler::schedule(low, [&] { events.emplace_back("low"); });
    Scheduler::schedule([&] {
      events.emplace_back("normal");
      Scheduler::schedule([&] { events.emplace_back("normal again"); });
    });
    co_await Scheduler::yield();
    EXPECT_THAT(events, ElementsAre("normal", "normal again", "low"));
  });
}

TEST(Scheduler, runs_in_the_same_cycle_what_a_low_job_makes) {
  Events events;
  Calls_per_cycle calls;
  Simulation().run([&]() -> Deferred<> {
    const auto job = [&](
                         const char* name, std::function<void()> next = [] {}) {
      return [&, name, next = std::move(next)] {
        calls();
        events.emplace_back(name);
        next();
      };
    };
    const auto make_low = [&] { Scheduler::schedule(low, job("low again")); };
    const auto make_normal = [&] {
      Scheduler::schedule({.priority = Priority::Normal}, job("normal", make_low));
    };
    Scheduler::schedule(low, job("low", make_normal));
    co_await Scheduler::yield();
    EXPECT_THAT(events, ElementsAre("low", "normal", "low again"));
    EXPECT_THAT(calls.seen(), ElementsAre(3));
  });
}

TEST(Scheduler, runs_500_jobs_of_each_priority_in_a_cycle) {
  Calls_per_cycle normal_calls;
  Calls_per_cycle low_calls;
  Simulation().run([&]() -> Deferred<> {
    co_await Scheduler::yield();
    for (int i = 0; i < 1300; ++i) Scheduler::schedule([&] { normal_calls(); });
    for (int i = 0; i < 700; ++i) Scheduler::schedule(low, [&] { low_calls(); });
    co_await Scheduler::yield_until_no_jobs_remain();
    // This coroutine takes one job of each of the first cycles.
    EXPECT_THAT(normal_calls.seen(), ElementsAre(499, 500, 301));
    EXPECT_THAT(low_calls.seen(), ElementsAre(500, 200));
  });
}

TEST(Scheduler, shares_the_budget_among_jobs_that_make_jobs) {
  Calls_per_cycle calls;
  Simulation().run([&]() -> Deferred<> {
    Scheduler::set_max_num_jobs_per_priority_per_cycle(10);
    co_await Scheduler::yield();
    const std::function<void(int)> chain = [&](int left) {
      calls();
      if (left > 0) Scheduler::schedule([&chain, left] { chain(left - 1); });
    };
    chain(24);  // the first call is no job
    co_await Scheduler::yield_until_no_jobs_remain();
    EXPECT_THAT(calls.seen(), ElementsAre(10, 9, 6));
  });
}

TEST(Scheduler, shares_the_budget_among_low_jobs_that_make_normal_ones) {
  Calls_per_cycle normal_calls;
  Calls_per_cycle low_calls;
  Simulation().run([&]() -> Deferred<> {
    Scheduler::set_max_num_jobs_per_priority_per_cycle(10);
    co_await Clock::after(1s);
    for (int i = 0; i < 8; ++i) {
      Scheduler::schedule(low, [&] {
        low_calls();
        for (int j = 0; j < 2; ++j) {
          Scheduler::schedule({.priority = Priority::Normal}, [&] { normal_calls(); });
        }
      });
    }
    co_await Clock::after(1s);
    EXPECT_THAT(low_calls.seen(), ElementsAre(8));
    EXPECT_THAT(normal_calls.seen(), ElementsAre(9, 7));
  });
}

TEST(Scheduler, refuses_a_budget_of_nothing) {
  Simulation().run([]() -> Deferred<> {
    EXPECT_THROW(Scheduler::set_max_num_jobs_per_priority_per_cycle(0), std::invalid_argument);
    EXPECT_THROW(Scheduler::set_max_num_jobs_per_priority_per_cycle(-1), std::invalid_argument);
    Scheduler::set_max_num_jobs_per_priority_per_cycle(1);
    for (int i = 0; i < 3; ++i) co_await Scheduler::yield();
  });
}

TEST(Scheduler, counts_an_await_that_need_not_wait_as_a_job) {
  Calls_per_cycle awaits;
  Simulation().run([&]() -> Deferred<> {
    co_await Scheduler::yield();
    for (int i = 0; i < 1250; ++i) {
      co_await determined();
      awaits();
    }
    // The first of each cycle but the first is the job in which it goes on.
    EXPECT_THAT(awaits.seen(), ElementsAre(499, 500, 251));
  });
}

TEST(Scheduler, lets_an_await_that_need_not_wait_overtake_jobs) {
  Events events;
  Simulation().run([&]() -> Deferred<> {
    Scheduler::schedule([&] { events.emplace_back("job"); });
    co_await determined();
    events.emplace_back("await");
    co_await Scheduler::yield();
    EXPECT_THAT(events, ElementsAre("await", "job"));
  });
}

TEST(Scheduler, yield_is_determined_at_the_start_of_the_next_cycle) {
  Events events;
  Simulation().run([&]() -> Deferred<> {
    const std::uint64_t before = Scheduler::cycle_count();
    const Deferred<> one = Scheduler::yield();
    const Deferred<> other = Scheduler::yield();
    Scheduler::schedule(low, [&] {
      events.emplace_back("low");
      EXPECT_FALSE(one.is_determined());
    });
    co_await other;
    EXPECT_THAT(events, ElementsAre("low"));
    EXPECT_TRUE(one.is_determined());
    EXPECT_EQ(Scheduler::cycle_count(), before + 1);
    co_await Scheduler::yield();
    EXPECT_EQ(Scheduler::cycle_count(), before + 2);
  });
}

TEST(Scheduler, yield_lets_no_time_pass) {
  Simulation().run([]() -> Deferred<> {
    const Time_ns start = Clock::now();
    const Deferred<> soon = Clock::after(1ns);
    for (int i = 0; i < 100; ++i) co_await Scheduler::yield();
    EXPECT_EQ(Clock::now(), start);
    EXPECT_FALSE(soon.is_determined());
  });
}

TEST(Scheduler, yield_until_no_jobs_remain_waits_for_all_that_jobs_make) {
  int normal_jobs = 0;
  int low_jobs = 0;
  Simulation().run([&]() -> Deferred<> {
    const std::function<void(int)> chain = [&](int left) {
      ++normal_jobs;
      if (left > 0) Scheduler::schedule([&chain, left] { chain(left - 1); });
    };
    const std::function<void(int)> low_chain = [&](int left) {
      ++low_jobs;
      if (left > 0) Scheduler::schedule([&low_chain, left] { low_chain(left - 1); });
    };
    Scheduler::schedule([&] { chain(2000); });
    Scheduler::schedule(low, [&] { low_chain(2000); });
    co_await Scheduler::yield_until_no_jobs_remain();
    EXPECT_EQ(normal_jobs, 2001);
    EXPECT_EQ(low_jobs, 2001);
  });
}

TEST(Scheduler, yield_until_no_jobs_remain_ends_for_each_who_waits) {
  Simulation().run([]() -> Deferred<> {
    std::vector<Deferred<>> waiting;
    for (int i = 0; i < 3; ++i) waiting.push_back(Scheduler::yield_until_no_jobs_remain());
    EXPECT_FALSE(waiting[0].is_determined());
    co_await all_unit(std::move(waiting));
  });
}

TEST(Scheduler, force_current_cycle_to_end_leaves_jobs_to_the_next) {
  Calls_per_cycle calls;
  Simulation().run([&]() -> Deferred<> {
    for (int i = 0; i < 6; ++i) {
      Scheduler::schedule([&, i] {
        calls();
        if (i == 2) Scheduler::force_current_cycle_to_end();
      });
    }
    co_await Scheduler::yield_until_no_jobs_remain();
    EXPECT_THAT(calls.seen(), ElementsAre(3, 3));
  });
}

TEST(Scheduler, force_current_cycle_to_end_leaves_low_jobs_too) {
  Calls_per_cycle calls;
  Simulation().run([&]() -> Deferred<> {
    Scheduler::schedule(low, [&] { calls(); });
    Scheduler::schedule([&] {
      calls();
      Scheduler::force_current_cycle_to_end();
    });
    co_await Scheduler::yield_until_no_jobs_remain();
    EXPECT_THAT(calls.seen(), ElementsAre(1, 1));
  });
}

TEST(Scheduler, force_current_cycle_to_end_by_a_low_job_leaves_normal_ones_too) {
  Calls_per_cycle calls;
  Simulation().run([&]() -> Deferred<> {
    Scheduler::schedule(low, [&] {
      calls();
      Scheduler::schedule({.priority = Priority::Normal}, [&] { calls(); });
      Scheduler::force_current_cycle_to_end();
    });
    co_await Scheduler::yield_until_no_jobs_remain();
    EXPECT_THAT(calls.seen(), ElementsAre(1, 1));
  });
}

TEST(Scheduler, counts_the_jobs_that_it_runs) {
  Simulation().run([]() -> Deferred<> {
    co_await Scheduler::yield();
    const std::uint64_t before = Scheduler::num_jobs_run();
    for (int i = 0; i < 40; ++i) Scheduler::schedule([] {});
    for (int i = 0; i < 30; ++i) Scheduler::schedule(low, [] {});
    co_await Scheduler::yield();
    EXPECT_GE(Scheduler::num_jobs_run() - before, 70);
    EXPECT_LE(Scheduler::num_jobs_run() - before, 72);
  });
}

TEST(Scheduler, counts_no_jobs_that_a_forced_end_of_a_cycle_left_out) {
  Simulation().run([]() -> Deferred<> {
    co_await Scheduler::yield();
    const std::uint64_t before = Scheduler::num_jobs_run();
    Scheduler::force_current_cycle_to_end();
    co_await Scheduler::yield();
    EXPECT_LE(Scheduler::num_jobs_run() - before, 2);
  });
}

TEST(Scheduler, has_a_cycle_for_each_time_at_which_something_happens) {
  Simulation().run([]() -> Deferred<> {
    const std::uint64_t before = Scheduler::cycle_count();
    co_await Clock::after(1s);
    EXPECT_GT(Scheduler::cycle_count(), before);
    // An idle scheduler has nothing to begin a cycle for, but that the wheel of alarms turns.
    EXPECT_LT(Scheduler::cycle_count(), before + 20);
  });
}

}  // namespace
}  // namespace async
