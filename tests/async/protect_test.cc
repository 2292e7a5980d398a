#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
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

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::Simulation;

Deferred<> settle() { return Scheduler::yield_until_no_jobs_remain(); }

TEST(Protect, calls_finally_after_the_function_and_then_has_its_value) {
  Simulation().run([]() -> Deferred<> {
    Events events;
    const int value = co_await protect(
        [&]() -> Deferred<int> {
          events.emplace_back("begin");
          co_await Clock::after(std::chrono::seconds(1));
          events.emplace_back("end");
          co_return 1;
        },
        [&]() -> Deferred<> {
          events.emplace_back("finally");
          co_await Clock::after(std::chrono::seconds(1));
          events.emplace_back("finally ended");
        });
    EXPECT_EQ(value, 1);
    EXPECT_THAT(events, ElementsAre("begin", "end", "finally", "finally ended"));
  });
}

TEST(Protect, takes_void_and_move_only_values_and_a_finally_that_returns_nothing) {
  Simulation().run([]() -> Deferred<> {
    int calls = 0;
    co_await protect([] { return determined(); }, [&] { ++calls; });
    const auto p =
        co_await protect([] { return determined(std::make_unique<int>(2)); }, [&] { ++calls; });
    EXPECT_EQ(*p, 2);
    EXPECT_EQ(calls, 2);
  });
}

TEST(Protect, calls_its_function_at_once) {
  Simulation().run([]() -> Deferred<> {
    bool called = false;
    const Deferred<> d = protect(
        [&] {
          called = true;
          return determined();
        },
        [] {});
    EXPECT_TRUE(called);
    co_await d;
  });
}

TEST(Protect, calls_finally_once_when_the_function_fails_and_then_fails_with_that) {
  Simulation().run([]() -> Deferred<> {
    int calls = 0;
    const auto finally = [&] { ++calls; };
    const auto later = co_await or_error(protect(
        []() -> Deferred<int> {
          co_await Scheduler::yield();
          throw std::out_of_range("later");
        },
        finally));
    const auto thrown = co_await or_error(
        protect([]() -> Deferred<int> { throw std::out_of_range("thrown"); }, finally));
    EXPECT_STREQ(later.error().as<std::out_of_range>()->what(), "later");
    EXPECT_STREQ(thrown.error().as<std::out_of_range>()->what(), "thrown");
    EXPECT_EQ(calls, 2);
  });
}

TEST(Protect, fails_as_finally_does) {
  Simulation().run([]() -> Deferred<> {
    const auto thrown = co_await or_error(
        protect([] { return determined(1); }, [] { throw std::out_of_range("thrown"); }));
    const auto failing = co_await or_error(
        protect([] { return determined(1); }, [] { return failed(Error("failed")); }));
    EXPECT_TRUE(thrown.error().as<std::out_of_range>());
    EXPECT_STREQ(failing.error().what(), "failed");
  });
}

TEST(Protect, fails_with_both_errors_when_both_fail) {
  Simulation().run([]() -> Deferred<> {
    const auto result = co_await or_error(protect([] { return failed<int>(Error("of f")); },
                                                  [] { throw std::out_of_range("of it"); }));
    const auto* both = result.error().as<Finally_failed>();
    EXPECT_TRUE(both);
    if (!both) co_return;
    EXPECT_STREQ(both->error().what(), "of f");
    EXPECT_TRUE(both->finally_error().as<std::out_of_range>());
    EXPECT_THAT(both->what(), ::testing::AllOf(HasSubstr("of f"), HasSubstr("of it")));
  });
}

// It is scoped: what is captured by reference may still be in use.
TEST(Protect, waits_for_its_function_though_something_in_its_background_failed) {
  Simulation().run([]() -> Deferred<> {
    Events events;
    const auto result = co_await or_error(protect(
        [&]() -> Deferred<int> {
          dont_wait_for(failed(Error("in the background")));
          co_await Clock::after(std::chrono::seconds(1));
          events.emplace_back("function ended");
          co_return 1;
        },
        [&] { events.emplace_back("finally"); }));
    EXPECT_STREQ(result.error().what(), "in the background");
    EXPECT_THAT(events, ElementsAre("function ended", "finally"));
  });
}

TEST(Protect, loses_no_error_of_a_function_that_fails_after_its_background) {
  Simulation().run([]() -> Deferred<> {
    const Recording_monitor caller;
    const auto result = co_await caller.under([] {
      return or_error(protect(
          []() -> Deferred<> {
            dont_wait_for(failed(Error("first")));
            co_await Clock::after(std::chrono::seconds(1));
            throw std::runtime_error("second");
          },
          [] {}));
    });
    EXPECT_STREQ(result.error().what(), "first");
    co_await settle();
    EXPECT_THAT(caller.heard(), ElementsAre("second"));
  });
}

TEST(Protect, is_a_failure_like_any_other_when_it_is_dropped) {
  Simulation().run([]() -> Deferred<> {
    const Recording_monitor caller;
    caller.under([] { Deferred<> dropped = protect([] { return failed(Error("x")); }, [] {}); });
    co_await settle();
    EXPECT_THAT(caller.heard(), ElementsAre("x"));
  });
}

TEST(Protect, that_is_dropped_calls_finally_all_the_same) {
  Simulation().run([]() -> Deferred<> {
    Events events;
    {
      Deferred<> dropped =
          protect([] { return Clock::after(std::chrono::seconds(1)); },
                  [&, probe = goodbye(events, "finally")] { events.emplace_back("finally"); });
    }
    co_await Clock::after(std::chrono::seconds(2));
    EXPECT_THAT(events, ElementsAre("finally", "finally gone"));
  });
}

TEST(Protect, runs_finally_in_the_context_of_the_caller_and_its_later_errors_go_there) {
  Simulation().run([]() -> Deferred<> {
    const Recording_monitor caller;
    co_await caller.under([] {
      return protect([] { return determined(); },
                     [] { dont_wait_for(failed(Error("after finally"))); });
    });
    co_await settle();
    EXPECT_THAT(caller.heard(), ElementsAre("after finally"));
  });
}

TEST(Protect, nests) {
  Simulation().run([]() -> Deferred<> {
    Events events;
    const auto result = co_await or_error(protect(
        [&] {
          return protect([] { return failed(Error("x")); },
                         [&] { events.emplace_back("inner finally"); });
        },
        [&] { events.emplace_back("outer finally"); }));
    EXPECT_STREQ(result.error().what(), "x");
    EXPECT_THAT(events, ElementsAre("inner finally", "outer finally"));
  });
}

}  // namespace
}  // namespace async
