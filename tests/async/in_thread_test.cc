#include "async/in_thread.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <future>
#include <latch>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "async/async.h"
#include "async/testing/simulation.h"
#include "tests/support/captured_log.h"
#include "tests/support/goodbye.h"

namespace async {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::Simulation;

constexpr int max_num_threads = 64;

TEST(In_thread, gives_the_result_of_a_call_on_another_thread) {
  Scheduler::go([]() -> Deferred<> {
    const auto here = std::this_thread::get_id();
    const auto there = co_await In_thread::run([] { return std::this_thread::get_id(); });
    EXPECT_NE(there, here);
    EXPECT_EQ(std::this_thread::get_id(), here);
    EXPECT_EQ(co_await In_thread::run([] { return std::string("text"); }), "text");
  });
}

TEST(In_thread, calls_a_function_without_result) {
  std::atomic<bool> has_run = false;
  Scheduler::go([&]() -> Deferred<> {
    co_await In_thread::run([&] { has_run = true; });
    EXPECT_TRUE(has_run);
  });
}

TEST(In_thread, fails_with_what_the_function_throws) {
  Scheduler::go([]() -> Deferred<> {
    const auto value =
        co_await or_error(In_thread::run([]() -> int { throw std::out_of_range("value"); }));
    EXPECT_NE(value.error().as<std::out_of_range>(), nullptr);
    const auto nothing =
        co_await or_error(In_thread::run([] { throw std::out_of_range("nothing"); }));
    EXPECT_STREQ(nothing.error().what(), "nothing");
  });
}

TEST(In_thread, takes_and_gives_what_can_only_be_moved) {
  Scheduler::go([]() -> Deferred<> {
    auto f = [n = std::make_unique<int>(3)]() mutable { return std::move(n); };
    EXPECT_EQ(*co_await In_thread::run(std::move(f)), 3);
  });
}

TEST(In_thread, knows_no_scheduler_on_the_other_thread) {
  Scheduler::go([]() -> Deferred<> {
    EXPECT_FALSE(co_await In_thread::run([] { return Scheduler::is_running(); }));
    const auto result = co_await or_error(In_thread::run([] { (void)Ivar<>(); }));
    EXPECT_NE(result.error().as<No_scheduler>(), nullptr);
  });
}

TEST(In_thread, lets_the_scheduler_go_on_meanwhile) {
  Scheduler::go([]() -> Deferred<> {
    std::promise<void> may_end;
    const Deferred<> call = In_thread::run([&] { may_end.get_future().wait(); });
    co_await Clock::after(1ms);
    EXPECT_FALSE(call.is_determined());
    may_end.set_value();
    co_await call;
  });
}

TEST(In_thread, makes_as_many_calls_at_once_as_there_are_threads) {
  Scheduler::go([]() -> Deferred<> {
    // Each call waits for all the others.
    std::latch all_have_begun(max_num_threads);
    std::vector<Deferred<int>> calls;
    for (int i = 0; i < max_num_threads; ++i) {
      calls.push_back(In_thread::run([&, i] {
        all_have_begun.arrive_and_wait();
        return i;
      }));
    }
    const std::vector<int> results = co_await all(std::move(calls));
    EXPECT_TRUE(std::ranges::is_sorted(results));
    EXPECT_EQ(results.size(), max_num_threads);
  });
}

TEST(In_thread, lets_calls_wait_when_there_are_more_than_threads) {
  Scheduler::go([]() -> Deferred<> {
    std::atomic<int> at_once = 0;
    std::atomic<int> most_at_once = 0;
    std::vector<Deferred<>> calls;
    for (int i = 0; i < 10 * max_num_threads; ++i) {
      calls.push_back(In_thread::run([&] {
        const int n = ++at_once;
        int most = most_at_once;
        while (n > most && !most_at_once.compare_exchange_weak(most, n)) continue;
        --at_once;
      }));
    }
    co_await all_unit(std::move(calls));
    EXPECT_LE(most_at_once, max_num_threads);
  });
}

TEST(In_thread, can_be_called_again_and_again) {
  Scheduler::go([]() -> Deferred<> {
    int sum = 0;
    for (int i = 0; i < 1000; ++i) sum += co_await In_thread::run([i] { return i; });
    EXPECT_EQ(sum, 499'500);
  });
}

TEST(In_thread, does_not_hold_up_the_end_of_the_scheduler) {
  Captured_log log;
  std::promise<void> may_end;
  std::promise<void> result_is_gone;
  std::optional<Deferred<std::shared_ptr<void>>> call;
  Scheduler::go([&]() -> Deferred<> {
    std::latch has_begun(1);
    call = In_thread::run([&, waits = may_end.get_future().share()] {
      has_begun.count_down();
      waits.wait();
      return std::shared_ptr<void>(nullptr, [&](void*) { result_is_gone.set_value(); });
    });
    has_begun.wait();
    co_return;
  });
  may_end.set_value();
  result_is_gone.get_future().wait();
  EXPECT_FALSE(call->is_determined());
  EXPECT_THAT(log.errors(), IsEmpty());
}

TEST(In_thread, drops_the_calls_that_have_not_begun_when_the_scheduler_ends) {
  std::promise<void> may_end;
  const std::shared_future<void> waits = may_end.get_future().share();
  std::latch have_begun(max_num_threads);
  std::latch have_ended(max_num_threads);
  std::atomic<bool> is_called = false;
  std::atomic<bool> is_dropped = false;
  Scheduler::go([&]() -> Deferred<> {
    for (int i = 0; i < max_num_threads; ++i) {
      dont_wait_for(In_thread::run([&] {
        have_begun.count_down();
        waits.wait();
        have_ended.count_down();
      }));
    }
    std::shared_ptr<void> dropped(nullptr, [&](void*) { is_dropped = true; });
    dont_wait_for(In_thread::run([&, d = std::move(dropped)] { is_called = true; }));
    have_begun.wait();
    co_return;
  });
  EXPECT_TRUE(is_dropped);
  EXPECT_FALSE(is_called);
  may_end.set_value();
  have_ended.wait();
}

TEST(In_thread, starts_nothing_when_the_scheduler_has_ended) {
  std::atomic<bool> is_called = false;
  bool is_determined = false;
  const auto call = [&](void*) {
    is_determined = In_thread::run([&] { is_called = true; }).is_determined();
  };
  Captured_log log;
  Simulation simulation;
  simulation.run([&]() -> Deferred<> {
    dont_wait_for([](std::shared_ptr<void>) -> Deferred<> {
      co_await never();
    }(std::shared_ptr<void>(nullptr, call)));
    co_return;
  });
  simulation.run([] { return Clock::after(1s); });
  EXPECT_TRUE(is_determined);
  EXPECT_FALSE(is_called);
}

TEST(In_thread, in_a_simulation_is_a_job) {
  Events events;
  Simulation simulation;
  const Time_ns start = simulation.now();
  simulation.run([&]() -> Deferred<> {
    const auto here = std::this_thread::get_id();
    const auto call = [&](std::string name) {
      return In_thread::run([&, name] {
        EXPECT_EQ(std::this_thread::get_id(), here);
        events.push_back(name);
        return name;
      });
    };
    const Deferred<std::string> a = call("a");
    const Deferred<std::string> b = call("b");
    EXPECT_THAT(events, IsEmpty());
    EXPECT_EQ(co_await a, "a");
    EXPECT_EQ(co_await b, "b");
    EXPECT_THAT(events, ElementsAre("a", "b"));
    const auto result =
        co_await or_error(In_thread::run([] { throw std::runtime_error("thrown"); }));
    EXPECT_STREQ(result.error().what(), "thrown");
  });
  EXPECT_EQ(simulation.now(), start);
}

TEST(In_thread, in_a_simulation_is_dropped_when_that_ends_before) {
  Events events;
  Simulation simulation;
  simulation.run([&]() -> Deferred<> {
    dont_wait_for(In_thread::run([&, g = goodbye(events, "f")] { events.emplace_back("f"); }));
    co_return;
  });
  EXPECT_THAT(events, ElementsAre("f gone"));
  simulation.run([] { return Clock::after(1s); });
  EXPECT_THAT(events, ElementsAre("f gone"));
}

TEST(In_thread, needs_a_scheduler) {
  EXPECT_THROW((void)In_thread::run([] {}), No_scheduler);
}

}  // namespace
}  // namespace async
