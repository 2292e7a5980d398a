// Hooks at the start and the end of each cycle.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include "async/async.h"
#include "async/testing/simulation.h"
#include "tests/support/goodbye.h"
#include "tests/support/recording_monitor.h"

namespace async {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using testing::Simulation;
using ::testing::SizeIs;
using Hook = Scheduler::Hook;

TEST(Scheduler_hook, runs_at_the_start_and_at_the_end_of_each_cycle) {
  Events events;
  Simulation().run([&]() -> Deferred<> {
    const Hook end = Scheduler::add_every_cycle_end_hook([&] { events.emplace_back("end"); });
    const Hook start = Scheduler::add_every_cycle_start_hook([&] { events.emplace_back("start"); });
    const std::uint64_t first = Scheduler::cycle_count();
    for (int i = 0; i < 2; ++i) {
      Scheduler::schedule([&] { events.emplace_back("job"); });
      Scheduler::schedule({.priority = Priority::Low}, [&] { events.emplace_back("low"); });
      co_await Scheduler::yield();
    }
    EXPECT_EQ(Scheduler::cycle_count(), first + 2);
    EXPECT_THAT(events, ElementsAre("job", "low", "end", "start", "job", "low", "end", "start"));
  });
}

TEST(Scheduler_hook, runs_in_the_order_in_which_hooks_were_added) {
  Events events;
  Simulation().run([&]() -> Deferred<> {
    const Hook a = Scheduler::add_every_cycle_end_hook([&] { events.emplace_back("a"); });
    const Hook b = Scheduler::add_every_cycle_end_hook([&] { events.emplace_back("b"); });
    co_await Scheduler::yield();
    co_await Scheduler::yield();
    EXPECT_THAT(events, ElementsAre("a", "b", "a", "b"));
  });
}

TEST(Scheduler_hook, ends_when_it_is_dropped) {
  Events events;
  Simulation().run([&]() -> Deferred<> {
    int calls = 0;
    {
      const Hook hook =
          Scheduler::add_every_cycle_start_hook([&, g = goodbye(events, "f")] { ++calls; });
      co_await Scheduler::yield();
    }
    EXPECT_THAT(events, ElementsAre("f gone"));
    co_await Scheduler::yield();
    EXPECT_EQ(calls, 1);
  });
}

TEST(Scheduler_hook, ends_when_it_is_replaced) {
  Events events;
  Simulation().run([&]() -> Deferred<> {
    Hook hook = Scheduler::add_every_cycle_start_hook([&] { events.emplace_back("first"); });
    co_await Scheduler::yield();
    hook = Scheduler::add_every_cycle_start_hook([&] { events.emplace_back("second"); });
    co_await Scheduler::yield();
    const Hook moved = std::move(hook);
    co_await Scheduler::yield();
    EXPECT_THAT(events, ElementsAre("first", "second", "second"));
  });
}

TEST(Scheduler_hook, may_remove_itself) {
  Events events;
  Simulation().run([&]() -> Deferred<> {
    std::optional<Hook> hook;
    hook = Scheduler::add_every_cycle_start_hook([&, g = goodbye(events, "f")] {
      hook.reset();
      events.emplace_back("f");
    });
    co_await Scheduler::yield();
    co_await Scheduler::yield();
    EXPECT_THAT(events, ElementsAre("f", "f gone"));
  });
}

TEST(Scheduler_hook, may_remove_others) {
  Events events;
  Simulation().run([&]() -> Deferred<> {
    std::optional<Hook> before;
    std::optional<Hook> after;
    before = Scheduler::add_every_cycle_start_hook([&] { events.emplace_back("before"); });
    const Hook hook = Scheduler::add_every_cycle_start_hook([&] {
      events.emplace_back("hook");
      before.reset();
      after.reset();
    });
    after = Scheduler::add_every_cycle_start_hook([&] { events.emplace_back("after"); });
    co_await Scheduler::yield();
    co_await Scheduler::yield();
    EXPECT_THAT(events, ElementsAre("before", "hook", "hook"));
  });
}

TEST(Scheduler_hook, may_add_others_for_the_next_cycle) {
  Events events;
  Simulation().run([&]() -> Deferred<> {
    std::optional<Hook> added;
    const Hook hook = Scheduler::add_every_cycle_start_hook([&] {
      events.emplace_back("hook");
      if (added) return;
      added = Scheduler::add_every_cycle_start_hook([&] { events.emplace_back("added"); });
    });
    co_await Scheduler::yield();
    EXPECT_THAT(events, ElementsAre("hook"));
    co_await Scheduler::yield();
    EXPECT_THAT(events, ElementsAre("hook", "hook", "added"));
  });
}

TEST(Scheduler_hook, that_throws_is_called_again) {
  Simulation().run([]() -> Deferred<> {
    const Recording_monitor recording;
    std::optional<Hook> start;
    std::optional<Hook> end;
    int calls = 0;
    recording.under([&] {
      start = Scheduler::add_every_cycle_start_hook(
          [&] { throw std::runtime_error("start " + std::to_string(++calls)); });
      end = Scheduler::add_every_cycle_end_hook([] { throw std::runtime_error("end"); });
    });
    co_await Scheduler::yield();
    co_await Scheduler::yield();
    start.reset();
    end.reset();
    co_await Scheduler::yield();
    EXPECT_THAT(recording.heard(), ElementsAre("end", "start 1", "end", "start 2"));
  });
}

TEST(Scheduler_hook, runs_in_the_context_in_which_it_was_added) {
  Simulation().run([]() -> Deferred<> {
    const Scheduler::Local_key<int> key;
    std::optional<Hook> hook;
    const int* found = nullptr;
    Scheduler::with_local(key, 5, [&] {
      hook = Scheduler::add_every_cycle_end_hook([&] { found = Scheduler::find_local(key); });
    });
    co_await Scheduler::yield();
    EXPECT_NE(found, nullptr);
    EXPECT_EQ(Scheduler::find_local(key), nullptr);
  });
}

TEST(Scheduler_hook, may_make_jobs) {
  Events events;
  Simulation().run([&]() -> Deferred<> {
    int left = 3;
    const Hook hook = Scheduler::add_every_cycle_end_hook([&] {
      if (left-- <= 0) return;
      events.emplace_back("hook");
      Scheduler::schedule([&] { events.emplace_back("job"); });
    });
    co_await Clock::after(1s);
    EXPECT_THAT(events, ElementsAre("hook", "job", "hook", "job", "hook", "job"));
  });
}

TEST(Scheduler_hook, may_outlive_its_scheduler) {
  Events events;
  std::optional<Hook> start;
  std::optional<Hook> end;
  Simulation().run([&]() -> Deferred<> {
    start = Scheduler::add_every_cycle_start_hook([g = goodbye(events, "start")] {});
    end = Scheduler::add_every_cycle_end_hook([g = goodbye(events, "end")] {});
    co_await Scheduler::yield();
  });
  start.reset();
  end.reset();
  EXPECT_THAT(events, ElementsAre("start gone", "end gone"));
}

}  // namespace
}  // namespace async
