// Scheduler::go, and one scheduler for each thread.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
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

Deferred<int> seven_after_a_while() {
  co_await Clock::after(1ms);
  co_return 7;
}

TEST(Scheduler_go, returns_the_value_of_main) {
  EXPECT_EQ(Scheduler::go(seven_after_a_while), 7);
  EXPECT_EQ(*Scheduler::go([] { return determined(std::make_unique<int>(8)); }), 8);
  bool has_run = false;
  Scheduler::go([&]() -> Deferred<> {
    has_run = true;
    co_return;
  });
  EXPECT_TRUE(has_run);
}

TEST(Scheduler_go, takes_a_main_that_can_only_be_moved) {
  EXPECT_EQ(Scheduler::go([n = std::make_unique<int>(9)]() -> Deferred<int> {
              co_await Scheduler::yield();
              co_return *n;
            }),
            9);
}

TEST(Scheduler_go, rethrows_the_failure_of_main) {
  Captured_log log;
  const auto fails = []() -> Deferred<int> {
    co_await Scheduler::yield();
    throw std::out_of_range("x");
  };
  EXPECT_THROW(Scheduler::go(fails), std::out_of_range);
  const auto throws = []() -> Deferred<int> { throw std::out_of_range("x"); };
  EXPECT_THROW(Scheduler::go(throws), std::out_of_range);
  EXPECT_THAT(log.errors(), IsEmpty());
}

TEST(Scheduler_go, rethrows_what_reaches_the_top_monitor) {
  Captured_log log;
  const auto fails_in_the_background = []() -> Deferred<int> {
    Scheduler::schedule([] { throw std::out_of_range("x"); });
    co_await never();
    co_return 7;
  };
  EXPECT_THROW(Scheduler::go(fails_in_the_background), std::out_of_range);
  EXPECT_THAT(log.errors(), IsEmpty());
}

TEST(Scheduler_go, throws_that_it_has_ended_when_it_was_shut_down) {
  const auto shuts_down = []() -> Deferred<int> {
    Shutdown::shutdown(3);
    co_await never();
    co_return 7;
  };
  EXPECT_THROW(Scheduler::go(shuts_down), Scheduler_ended);
}

TEST(Scheduler_go, can_be_called_again) {
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(Scheduler::go([i] { return determined(i); }), i);
    EXPECT_FALSE(Scheduler::is_running());
  }
}

TEST(Scheduler_go, can_be_called_again_after_a_failure) {
  EXPECT_THROW(Scheduler::go([] { return failed(Error("x")); }), std::runtime_error);
  EXPECT_EQ(Scheduler::go(seven_after_a_while), 7);
}

TEST(Scheduler_go, refuses_a_second_scheduler_on_a_thread) {
  EXPECT_EQ(Scheduler::go([]() -> Deferred<int> {
              EXPECT_THROW(Scheduler::go(seven_after_a_while), std::logic_error);
              EXPECT_THROW(Scheduler::go_main(seven_after_a_while), std::logic_error);
              EXPECT_THROW(Simulation().run(seven_after_a_while), std::logic_error);
              EXPECT_TRUE(Scheduler::is_running());
              return seven_after_a_while();
            }),
            7);
}

TEST(Scheduler_go, gives_each_thread_a_scheduler_of_its_own) {
  Scheduler::go([]() -> Deferred<> {
    std::vector<std::thread> threads;
    std::vector<int> results(3);
    for (int i = 0; i < 3; ++i) {
      threads.emplace_back([i, &result = results[static_cast<std::size_t>(i)]] {
        EXPECT_FALSE(Scheduler::is_running());
        result = Scheduler::go([i]() -> Deferred<int> {
          int sum = 0;
          for (int j = 0; j < 1000; ++j) sum += co_await determined(i).map([](int n) { return n; });
          co_return sum + co_await seven_after_a_while();
        });
      });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_THAT(results, ElementsAre(7, 1007, 2007));
    EXPECT_TRUE(Scheduler::is_running());
    co_await Clock::after(1ms);
  });
}

TEST(Scheduler_go, on_another_thread_ends_alone) {
  EXPECT_EQ(Scheduler::go([]() -> Deferred<int> {
              std::thread([] {
                const auto fails = [] { return failed(Error("x")); };
                EXPECT_THROW(Scheduler::go(fails), std::runtime_error);
                const auto shuts_down = [] {
                  Shutdown::shutdown();
                  return never();
                };
                EXPECT_THROW(Scheduler::go(shuts_down), Scheduler_ended);
              }).join();
              EXPECT_FALSE(Shutdown::is_shutting_down());
              return seven_after_a_while();
            }),
            7);
}

TEST(Scheduler_go, is_needed_for_all_that_waits) {
  EXPECT_FALSE(Scheduler::is_running());
  EXPECT_THROW(Ivar<int>(), No_scheduler);
  EXPECT_THROW((void)determined(1), No_scheduler);
  EXPECT_THROW((void)failed(Error("x")), No_scheduler);
  EXPECT_THROW((void)seven_after_a_while(), No_scheduler);
  EXPECT_THROW((void)Scheduler::yield(), No_scheduler);
  EXPECT_THROW(Scheduler::schedule([] {}), No_scheduler);
  EXPECT_THROW(Scheduler::within({}, [] {}), No_scheduler);
  EXPECT_THROW((void)Scheduler::add_every_cycle_start_hook([] {}), No_scheduler);
  EXPECT_THROW(Scheduler::cycle_count(), No_scheduler);
  EXPECT_THROW((void)Monitor::current(), No_scheduler);
  EXPECT_THROW(Shutdown::shutdown(), No_scheduler);
  const Deferred<> no_scheduler_needed = never();
  EXPECT_FALSE(no_scheduler_needed.is_determined());
}

#if !defined(NDEBUG)
void use_a_deferred_on_another_thread() {
  Scheduler::go([]() -> Deferred<> {
    const Ivar<> ivar;
    std::thread([&] { ivar.fill(); }).join();
    co_return;
  });
}

TEST(Scheduler_go_death, comes_in_a_debug_build_when_another_thread_uses_a_deferred) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(use_a_deferred_on_another_thread(), "not that of its scheduler");
}
#endif

TEST(Scheduler_go, lets_other_threads_ask_and_drop_what_it_has_left_behind) {
  const auto left = Scheduler::go(
      []() -> Deferred<std::shared_ptr<Ivar<>>> { co_return std::make_shared<Ivar<>>(); });
  std::thread([&] {
    EXPECT_FALSE(left->is_full());
    left->fill_if_empty();
    EXPECT_FALSE(left->is_full());
  }).join();
}

}  // namespace
}  // namespace async
