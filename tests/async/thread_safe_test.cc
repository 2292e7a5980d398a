#include "async/thread_safe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "async/async.h"
#include "async/testing/simulation.h"

namespace async {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::Simulation;
using Thread_safe::block_on_async;
using Thread_safe::run_in_async;
using Thread_safe::Scheduler_handle;
using Thread_safe::this_scheduler;

// Runs `f(scheduler)` on another thread beside a scheduler, until it has returned.
void go_beside(std::function<void(const Scheduler_handle&)> f) {
  Scheduler::go([&]() -> Deferred<> {
    const Scheduler_handle here = this_scheduler();
    const Ivar<> has_returned;
    std::thread thread([&] {
      f(here);
      run_in_async(here, [&] { has_returned.fill(); });
    });
    co_await has_returned.read();
    thread.join();
  });
}

/// Writes down on which thread it is destroyed.
class Tells_its_end {
 public:
  explicit Tells_its_end(std::atomic<std::thread::id>& where) : where_(&where) {}
  Tells_its_end(Tells_its_end&& other) noexcept : where_(std::exchange(other.where_, nullptr)) {}
  Tells_its_end& operator=(Tells_its_end&&) = delete;
  ~Tells_its_end() {
    if (where_) *where_ = std::this_thread::get_id();
  }

 private:
  std::atomic<std::thread::id>* where_;
};

TEST(Thread_safe, runs_a_function_on_the_thread_of_the_scheduler) {
  std::atomic<std::thread::id> ran_on;
  go_beside([&](const Scheduler_handle& scheduler) {
    EXPECT_THROW(this_scheduler(), No_scheduler);
    run_in_async(scheduler, [&] { ran_on = std::this_thread::get_id(); });
  });
  EXPECT_EQ(ran_on, std::this_thread::get_id());
}

TEST(Thread_safe, runs_functions_in_the_order_in_which_they_were_given) {
  std::vector<int> order;
  go_beside([&](const Scheduler_handle& scheduler) {
    for (int i = 0; i < 1000; ++i) run_in_async(scheduler, [&order, i] { order.push_back(i); });
  });
  EXPECT_EQ(order.size(), 1000);
  EXPECT_TRUE(std::ranges::is_sorted(order));
}

TEST(Thread_safe, takes_functions_from_many_threads) {
  int calls = 0;
  go_beside([&](const Scheduler_handle& scheduler) {
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        for (int j = 0; j < 1000; ++j) run_in_async(scheduler, [&] { ++calls; });
      });
    }
    for (std::thread& thread : threads) thread.join();
  });
  EXPECT_EQ(calls, 4000);
}

TEST(Thread_safe, runs_functions_in_the_main_context) {
  std::string monitor;
  Simulation().run([&]() -> Deferred<> {
    const Scheduler::Local_key<int> key;
    const Scheduler::Context context{.monitor = Monitor::create("other"),
                                     .priority = Priority::Low};
    Scheduler::with_local(key, 1, [&] {
      Scheduler::within(context, [&] {
        run_in_async(this_scheduler(), [&] {
          monitor = Monitor::current().name();
          EXPECT_EQ(Scheduler::find_local(key), nullptr);
        });
      });
    });
    EXPECT_EQ(monitor, "");
    co_await Scheduler::yield();
    EXPECT_EQ(monitor, "main");
  });
}

TEST(Thread_safe, sends_what_a_function_raises_to_the_main_monitor) {
  std::thread thread;
  const auto main = [&]() -> Deferred<> {
    thread = std::thread(
        [here = this_scheduler()] { run_in_async(here, [] { throw std::out_of_range("x"); }); });
    co_await never();
  };
  EXPECT_THROW(Scheduler::go(main), std::out_of_range);
  thread.join();
}

TEST(Thread_safe, destroys_a_function_on_the_thread_of_the_scheduler) {
  std::atomic<std::thread::id> gone_on;
  go_beside([&](const Scheduler_handle& scheduler) {
    run_in_async(scheduler, [t = Tells_its_end(gone_on)] {});
  });
  EXPECT_EQ(gone_on, std::this_thread::get_id());
}

TEST(Thread_safe, destroys_a_function_unused_if_the_scheduler_ends_before) {
  std::atomic<std::thread::id> gone_on;
  bool is_called = false;
  std::optional<Scheduler_handle> scheduler;
  std::thread thread;
  Scheduler::go([&]() -> Deferred<> {
    scheduler = this_scheduler();
    Shutdown::at_shutdown([&]() -> Deferred<> {
      // Nothing looks into the mailbox any more between this and the end.
      thread = std::thread(
          [&] { run_in_async(*scheduler, [&, t = Tells_its_end(gone_on)] { is_called = true; }); });
      thread.join();
      co_return;
    });
    co_return;
  });
  EXPECT_FALSE(is_called);
  EXPECT_EQ(gone_on, std::this_thread::get_id());
}

TEST(Thread_safe, refuses_functions_once_the_scheduler_has_ended) {
  std::optional<Scheduler_handle> scheduler;
  Scheduler::go([&]() -> Deferred<> {
    scheduler = this_scheduler();
    co_return;
  });
  const auto f = [] { ADD_FAILURE(); };
  const auto g = [] { return determined(); };
  EXPECT_THROW(run_in_async(*scheduler, f), Scheduler_ended);
  EXPECT_THROW(block_on_async(*scheduler, g), Scheduler_ended);
  std::thread([&] {
    EXPECT_THROW(run_in_async(*scheduler, f), Scheduler_ended);
    EXPECT_THROW(block_on_async(*scheduler, g), Scheduler_ended);
  }).join();
}

TEST(Thread_safe, blocks_a_thread_until_a_value_is_there) {
  go_beside([](const Scheduler_handle& scheduler) {
    EXPECT_EQ(block_on_async(scheduler, [] { return determined(1); }), 1);
    EXPECT_EQ(block_on_async(scheduler,
                             []() -> Deferred<std::string> {
                               co_await Clock::after(1ms);
                               co_return "late";
                             }),
              "late");
    bool has_run = false;
    block_on_async(scheduler, [&]() -> Deferred<> {
      co_await Scheduler::yield();
      has_run = true;
    });
    EXPECT_TRUE(has_run);
  });
}

TEST(Thread_safe, gives_a_blocked_thread_what_can_only_be_moved) {
  go_beside([](const Scheduler_handle& scheduler) {
    const auto result = block_on_async(
        scheduler, [n = std::make_unique<int>(3)]() mutable -> Deferred<std::unique_ptr<int>> {
          co_await Scheduler::yield();
          co_return std::move(n);
        });
    EXPECT_EQ(*result, 3);
  });
}

TEST(Thread_safe, rethrows_a_failure_on_the_blocked_thread) {
  go_beside([](const Scheduler_handle& scheduler) {
    EXPECT_THROW(block_on_async(scheduler,
                                []() -> Deferred<int> {
                                  co_await Scheduler::yield();
                                  throw std::out_of_range("x");
                                }),
                 std::out_of_range);
    EXPECT_THROW(
        block_on_async(scheduler, []() -> Deferred<> { throw std::out_of_range("thrown"); }),
        std::out_of_range);
  });
}

TEST(Thread_safe, blocks_several_threads_at_once) {
  std::atomic<int> sum = 0;
  go_beside([&](const Scheduler_handle& scheduler) {
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&, i] {
        for (int j = 0; j < 200; ++j) {
          sum +=
              block_on_async(scheduler, [i] { return Scheduler::yield().map([i] { return i; }); });
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
  });
  EXPECT_EQ(sum, 200 * (0 + 1 + 2 + 3));
}

TEST(Thread_safe, ends_the_blocking_when_the_scheduler_ends_meanwhile) {
  std::thread thread;
  std::atomic<bool> has_thrown = false;
  Scheduler::go([&]() -> Deferred<> {
    const Scheduler_handle here = this_scheduler();
    const Ivar<> has_begun;
    thread = std::thread([&, here] {
      try {
        block_on_async(here, [&]() -> Deferred<int> {
          has_begun.fill();
          co_await never();
          co_return 1;
        });
      } catch (const Scheduler_ended&) {
        has_thrown = true;
      }
    });
    co_await has_begun.read();
  });
  thread.join();
  EXPECT_TRUE(has_thrown);
}

TEST(Thread_safe, ends_the_blocking_on_what_never_comes_when_the_scheduler_ends) {
  std::thread thread;
  std::atomic<bool> has_thrown = false;
  Scheduler::go([&]() -> Deferred<> {
    const Scheduler_handle here = this_scheduler();
    const Ivar<> has_begun;
    thread = std::thread([&, here] {
      try {
        block_on_async(here, [&] {
          has_begun.fill();
          return never();
        });
      } catch (const Scheduler_ended&) {
        has_thrown = true;
      }
    });
    co_await has_begun.read();
  });
  thread.join();
  EXPECT_TRUE(has_thrown);
}

TEST(Thread_safe, refuses_to_block_a_thread_that_has_a_scheduler) {
  Scheduler::go([]() -> Deferred<> {
    const Scheduler_handle here = this_scheduler();
    const auto f = [] {
      ADD_FAILURE();
      return determined();
    };
    EXPECT_THROW(block_on_async(here, f), std::logic_error);
    std::thread([&] {
      Scheduler::go([&]() -> Deferred<> {
        EXPECT_THROW(block_on_async(here, f), std::logic_error);
        co_return;
      });
    }).join();
    co_await Scheduler::yield();
  });
}

TEST(Thread_safe, needs_a_scheduler) { EXPECT_THROW(this_scheduler(), No_scheduler); }

}  // namespace
}  // namespace async
