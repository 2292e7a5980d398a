// protect_test.cc has protect.

#include "async/try_with.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "async/async.h"
#include "async/testing/simulation.h"
#include "tests/support/captured_log.h"
#include "tests/support/goodbye.h"
#include "tests/support/recording_monitor.h"

namespace async {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::Simulation;

Deferred<> settle() { return Scheduler::yield_until_no_jobs_remain(); }

/// `raise_after(wait, message)` fails with `message` once `wait` is determined.
Deferred<> raise_after(Deferred<> wait, std::string message) {
  co_await wait;
  throw std::runtime_error(message);
}

TEST(Try_with, is_determined_with_the_value_of_its_function) {
  Simulation().run([]() -> Deferred<> {
    EXPECT_EQ(co_await try_with([] { return determined(1); }), 1);
    EXPECT_EQ(co_await try_with([]() -> Deferred<int> {
                co_await Scheduler::yield();
                co_return 2;
              }),
              2);
    EXPECT_TRUE(co_await try_with([] { return determined(); }));
    EXPECT_EQ(**co_await try_with([] { return determined(std::make_unique<int>(3)); }), 3);
  });
}

TEST(Try_with, calls_its_function_at_once_under_a_monitor_of_its_own) {
  Simulation().run([]() -> Deferred<> {
    Events events;
    const auto result = try_with([&]() -> Deferred<> {
      events.emplace_back("called");
      EXPECT_NE(Monitor::current().name(), "main");
      EXPECT_EQ(Monitor::current().depth(), 0);
      co_await Scheduler::yield();
      EXPECT_NE(Monitor::current().name(), "main");
    });
    EXPECT_THAT(events, ElementsAre("called"));
    EXPECT_EQ(Monitor::current().name(), "main");
    EXPECT_TRUE(co_await result);
    EXPECT_EQ(Monitor::current().name(), "main");
  });
}

TEST(Try_with, is_determined_at_once_if_its_function_is) {
  Simulation().run([]() -> Deferred<> {
    EXPECT_TRUE(try_with([] { return determined(1); }).is_determined());
    EXPECT_TRUE(try_with([] { return failed(Error("x")); }).is_determined());
    EXPECT_TRUE(try_with([]() -> Deferred<> { throw std::runtime_error("x"); }).is_determined());
    co_return;
  });
}

TEST(Try_with, gives_an_error_however_it_comes) {
  Simulation().run([]() -> Deferred<> {
    const auto thrown = co_await try_with([]() -> Deferred<int> { throw std::out_of_range("a"); });
    const auto returned = co_await try_with([] { return failed<int>(Error("b")); });
    const auto escaped = co_await try_with([]() -> Deferred<int> {
      co_await Scheduler::yield();
      throw std::runtime_error("c");
    });
    const auto broken = co_await try_with([] { return Ivar<int>().read(); });
    const auto any_object = co_await try_with([]() -> Deferred<int> { throw 42; });
    EXPECT_TRUE(thrown.error().as<std::out_of_range>());
    EXPECT_STREQ(returned.error().what(), "b");
    EXPECT_STREQ(escaped.error().what(), "c");
    EXPECT_TRUE(broken.error().as<Abandoned>());
    EXPECT_EQ(*any_object.error().as<int>(), 42);
  });
}

TEST(Try_with, gives_the_first_error_of_anything_that_was_started_under_it) {
  Simulation().run([]() -> Deferred<> {
    const auto by_upon = co_await try_with([] {
      Clock::after(std::chrono::seconds(1)).upon([] { throw std::runtime_error("upon"); });
      return never();
    });
    const auto by_drop = co_await try_with([]() -> Deferred<> {
      Deferred<> dropped = raise_after(Scheduler::yield(), "dropped");
      dropped = never();
      co_await never();
    });
    const auto by_dont_wait_for = co_await try_with([] {
      dont_wait_for(raise_after(Scheduler::yield(), "nobody waits"));
      return never();
    });
    const auto by_child_monitor = co_await try_with([] {
      Monitor::create("child").send(Error("climbed"));
      return never();
    });
    EXPECT_STREQ(by_upon.error().what(), "upon");
    EXPECT_STREQ(by_drop.error().what(), "dropped");
    EXPECT_STREQ(by_dont_wait_for.error().what(), "nobody waits");
    EXPECT_STREQ(by_child_monitor.error().what(), "climbed");
  });
}

TEST(Try_with, sees_no_error_that_somebody_under_it_has_taken) {
  Simulation().run([]() -> Deferred<> {
    const auto result = co_await try_with([]() -> Deferred<int> {
      const auto inner = co_await or_error(failed(Error("x")));
      try {
        co_await failed(Error("y"));
      } catch (const std::runtime_error&) {
      }
      co_await settle();
      co_return inner ? 0 : 1;
    });
    EXPECT_EQ(result, 1);
  });
}

TEST(Try_with, does_not_wait_for_its_function_when_something_else_fails_first) {
  Simulation().run([]() -> Deferred<> {
    Events events;
    const Time_ns start = Clock::now();
    const auto result = co_await try_with([&]() -> Deferred<> {
      dont_wait_for(raise_after(Clock::after(std::chrono::seconds(1)), "x"));
      co_await Clock::after(std::chrono::seconds(2));
      events.emplace_back("went on");
    });
    EXPECT_FALSE(result);
    EXPECT_EQ(Clock::now() - start, std::chrono::seconds(1));
    EXPECT_THAT(events, IsEmpty());
    co_await Clock::after(std::chrono::seconds(2));
    EXPECT_THAT(events, ElementsAre("went on"));
  });
}

TEST(Try_with, raises_later_errors_to_the_caller_by_default) {
  Simulation().run([]() -> Deferred<> {
    const Recording_monitor caller;
    const Ivar<> go;
    const auto result = co_await caller.under([&] {
      return try_with([&] {
        dont_wait_for(raise_after(go.read(), "second"));
        dont_wait_for(raise_after(go.read(), "third"));
        return failed(Error("first"));
      });
    });
    EXPECT_STREQ(result.error().what(), "first");
    go.fill();
    co_await settle();
    EXPECT_THAT(caller.heard(), ElementsAre("second", "third"));
  });
}

TEST(Try_with, raises_errors_that_come_after_a_value) {
  Simulation().run([]() -> Deferred<> {
    const Recording_monitor caller;
    const auto result = co_await caller.under([] {
      return try_with([] {
        dont_wait_for(raise_after(Scheduler::yield(), "later"));
        return determined(1);
      });
    });
    EXPECT_EQ(result, 1);
    co_await settle();
    EXPECT_THAT(caller.heard(), ElementsAre("later"));
  });
}

TEST(Try_with, raises_what_its_function_fails_with_after_the_result) {
  Simulation().run([]() -> Deferred<> {
    const Recording_monitor caller;
    const Ivar<> go;
    const auto result = co_await caller.under([&] {
      return try_with([&] {
        dont_wait_for(failed(Error("first")));
        return raise_after(go.read(), "of the function");
      });
    });
    EXPECT_STREQ(result.error().what(), "first");
    go.fill();
    co_await settle();
    EXPECT_THAT(caller.heard(), ElementsAre("of the function"));
  });
}

TEST(Try_with, logs_later_errors_if_asked_to) {
  const Captured_log log;
  Simulation().run([]() -> Deferred<> {
    const auto result = co_await try_with({.rest = Rest::log()}, [] {
      dont_wait_for(raise_after(Scheduler::yield(), "later"));
      return determined();
    });
    EXPECT_TRUE(result);
    co_await settle();
  });
  EXPECT_THAT(log.errors(), ElementsAre(HasSubstr("later")));
}

TEST(Try_with, calls_a_function_with_later_errors_if_asked_to) {
  Simulation().run([]() -> Deferred<> {
    Events events;
    const Recording_monitor caller;
    const auto call = [&](const Error& error) {
      events.push_back(std::string(error.what()) + " under " + Monitor::current().name());
      throw std::runtime_error("of rest");
    };
    const auto result = co_await caller.under([&] {
      return try_with({.rest = Rest::call(call)}, [&]() -> Deferred<> {
        Monitor::current().send(Error("first"));
        Monitor::current().send(Error("second"));
        EXPECT_THAT(events, IsEmpty());
        co_await Scheduler::yield();
        throw std::runtime_error("third");
      });
    });
    EXPECT_STREQ(result.error().what(), "first");
    co_await settle();
    EXPECT_THAT(events, ElementsAre("second under recording", "third under recording"));
    EXPECT_THAT(caller.heard(), ElementsAre("of rest", "of rest"));
  });
}

TEST(Try_with, inside_another_gives_its_later_errors_to_that) {
  Simulation().run([]() -> Deferred<> {
    const auto outer = co_await try_with([]() -> Deferred<int> {
      const auto inner = co_await try_with([] {
        dont_wait_for(raise_after(Clock::after(std::chrono::seconds(1)), "second"));
        return failed(Error("first"));
      });
      EXPECT_STREQ(inner.error().what(), "first");
      co_await never();
      co_return 1;
    });
    EXPECT_STREQ(outer.error().what(), "second");
  });
}

TEST(Try_with, has_no_parent_so_that_recursion_builds_no_chain) {
  Simulation().run([]() -> Deferred<> {
    struct Recursion {
      static Deferred<int> go(int n) {
        EXPECT_EQ(Monitor::current().depth(), 0);
        if (n == 0) co_return 0;
        co_await Scheduler::yield();
        const Or_error<int> result = co_await try_with([n] { return go(n - 1); });
        co_return *result + 1;
      }
    };
    EXPECT_EQ(co_await Recursion::go(100), 100);
  });
}

TEST(Try_with, does_not_fail_and_takes_the_failure) {
  Simulation().run([]() -> Deferred<> {
    const Recording_monitor caller;
    caller.under([] {
      Deferred<Or_error<void>> dropped = try_with([] { return failed(Error("x")); });
      Deferred<Or_error<void>> other =
          try_with([] { return raise_after(Scheduler::yield(), "y"); });
    });
    co_await settle();
    EXPECT_THAT(caller.heard(), IsEmpty());
  });
}

TEST(Try_with, hands_out_one_of_many_that_share_the_failure) {
  Simulation().run([]() -> Deferred<> {
    const Recording_monitor maker;
    const Deferred<int> shared = maker.under([] { return failed<int>(Error("x")); });
    const auto first = co_await try_with([&] { return shared; });
    const auto second = co_await try_with([&] { return shared; });
    EXPECT_STREQ(first.error().what(), "x");
    EXPECT_STREQ(second.error().what(), "x");
    co_await settle();
    EXPECT_THAT(maker.heard(), IsEmpty());
  });
}

TEST(Try_with, of_something_that_never_ends_is_never) {
  Events events;
  Simulation().run([&]() -> Deferred<> {
    const auto result = try_with([probe = goodbye(events, "function")] { return never(); });
    const auto chain = result.map([probe = goodbye(events, "handler")](const Or_error<void>&) {});
    co_await settle();
    EXPECT_FALSE(result.is_determined());
    EXPECT_FALSE(chain.is_determined());
    // Nothing is left under it that could fail.
    EXPECT_THAT(events, ::testing::Contains("handler gone"));
  });
}

TEST(Try_with, copies_the_value_if_others_hold_it) {
  Simulation().run([]() -> Deferred<> {
    const Deferred<std::string> shared = determined(std::string("value"));
    EXPECT_EQ(co_await try_with([&] { return shared; }), "value");
    EXPECT_EQ(shared.peek(), "value");
  });
}

}  // namespace
}  // namespace async
