// Stop: one deadline and one interrupt for all that belongs to an operation.

#include <gtest/gtest.h>

#include <chrono>
#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "async/testing/simulation.h"
#include "tcp/tcp.h"

namespace async {
namespace {

using namespace std::chrono_literals;
using Tcp::Stop;
using Tcp::Stopped;
using testing::Simulation;

/// What a wait has come to, as text.
std::string text(const std::expected<int, Stopped>& result) {
  if (result) return std::to_string(*result);
  return result.error() == Stopped::Timed_out ? "timed out" : "interrupted";
}
std::string text(const Or_error<std::expected<int, Stopped>>& result) {
  return result ? text(*result) : result.error().what();
}

Deferred<int> later(Span span, int value) {
  return Clock::after(span).map([value] { return value; });
}

TEST(Stop, gives_the_value_that_was_waited_for_or_says_why_it_does_not) {
  Simulation().run([]() -> Deferred<> {
    const Ivar<> interrupt;
    const Stop stop(10s, interrupt.read());
    EXPECT_EQ(text(co_await stop.wait(later(1s, 7))), "7");
    EXPECT_EQ(text(co_await stop.wait(determined(8))), "8");
    EXPECT_FALSE(stop.has_come());
    dont_wait_for(Clock::after(1s).map([interrupt] { interrupt.fill(); }));
    EXPECT_EQ(text(co_await stop.wait(later(2s, 9))), "interrupted");
    EXPECT_EQ(stop.has_come(), Stopped::Interrupted);
  });
  Simulation().run([]() -> Deferred<> {
    const Time_ns start = Clock::now();
    const Stop stop(10s, never());
    EXPECT_EQ(stop.deadline(), start + 10s);
    EXPECT_EQ(text(co_await stop.wait(later(20s, 9))), "timed out");
    EXPECT_EQ(Clock::now(), start + 10s);
    EXPECT_EQ(stop.has_come(), Stopped::Timed_out);
    EXPECT_EQ(stop.deadline(), start + 10s);
  });
}

TEST(Stop, ends_all_that_waits_and_all_that_begins_to_wait_afterwards) {
  Simulation().run([]() -> Deferred<> {
    const Stop stop(10s, never());
    std::vector<Deferred<std::expected<int, Stopped>>> all;
    for (int i = 0; i < 3; ++i) all.push_back(stop.wait(later(1min, i)));
    all.push_back(stop.wait(Deferred<int>()));  // which is never()
    for (const auto& one : all) EXPECT_EQ(text(co_await one), "timed out");
    const Time_ns then = Clock::now();
    EXPECT_EQ(text(co_await stop.wait(later(1s, 1))), "timed out");
    EXPECT_EQ(text(co_await stop.wait(determined(1))), "1");
    EXPECT_EQ(Clock::now(), then);
  });
}

TEST(Stop, comes_at_once_if_the_interrupt_is_there_already_or_there_is_no_time) {
  Simulation().run([]() -> Deferred<> {
    const Time_ns start = Clock::now();
    const Stop interrupted(10s, determined());
    EXPECT_EQ(interrupted.has_come(), Stopped::Interrupted);
    EXPECT_EQ(text(co_await interrupted.wait(later(1s, 1))), "interrupted");
    const Stop late(0s, never());
    EXPECT_EQ(text(co_await late.wait(later(1s, 1))), "timed out");
    EXPECT_EQ(Clock::now(), start);
  });
}

TEST(Stop, prefers_the_value_and_then_the_interrupt_if_all_come_together) {
  Simulation().run([]() -> Deferred<> {
    const Ivar<> interrupt;
    const Ivar<int> value;
    const Stop stop(10s, interrupt.read());
    const auto waited = stop.wait(value.read());
    const auto other = stop.wait(Ivar<int>().read());
    interrupt.fill();
    value.fill(5);
    EXPECT_EQ(text(co_await waited), "5");
    EXPECT_EQ(text(co_await or_error(stop.wait(later(1s, 1)))), "interrupted");
    static_cast<void>(other);
  });
  Simulation().run([]() -> Deferred<> {
    const Stop stop(10s, Clock::after(10s));
    EXPECT_EQ(text(co_await stop.wait(later(11s, 5))), "interrupted");
  });
}

TEST(Stop, does_not_come_by_an_interrupt_that_is_abandoned) {
  Simulation().run([]() -> Deferred<> {
    std::optional<Ivar<>> interrupt(std::in_place);
    const Stop stop(10s, interrupt->read());
    const auto waited = stop.wait(later(1min, 1));
    const auto value = stop.wait(later(5s, 2));
    interrupt.reset();
    EXPECT_EQ(text(co_await value), "2");
    EXPECT_EQ(text(co_await waited), "timed out");
  });
}

TEST(Stop, waits_for_the_stop_alone_if_the_value_is_abandoned) {
  Simulation().run([]() -> Deferred<> {
    const Time_ns start = Clock::now();
    const Stop stop(10s, never());
    std::optional<Ivar<int>> value(std::in_place);
    const auto waited = stop.wait(value->read());
    value.reset();
    EXPECT_EQ(text(co_await waited), "timed out");
    EXPECT_EQ(Clock::now(), start + 10s);
  });
}

TEST(Stop, passes_failures_on_of_what_was_waited_for_and_of_the_interrupt) {
  Simulation().run([]() -> Deferred<> {
    const Stop stop(10s, never());
    EXPECT_EQ(text(co_await or_error(stop.wait(failed<int>(Error("no"))))), "no");
    const auto fails = [](Deferred<> after) -> Deferred<> {
      co_await after;
      throw std::runtime_error("the interrupt has failed");
    };
    const Stop other(10s, fails(Clock::after(1s)));
    const auto waited = or_error(other.wait(later(2s, 1)));
    EXPECT_EQ(text(co_await waited), "the interrupt has failed");
    EXPECT_EQ(text(co_await or_error(other.wait(later(1s, 1)))), "the interrupt has failed");
    EXPECT_FALSE(other.has_come());
  });
}

TEST(Stop, gives_a_failure_that_comes_too_late_to_the_log) {
  Simulation().run([]() -> Deferred<> {
    const Stop stop(1s, never());
    const auto fails = [](Deferred<> after) -> Deferred<int> {
      co_await after;
      throw std::runtime_error("too late");
    };
    EXPECT_EQ(text(co_await stop.wait(fails(Clock::after(2s)))), "timed out");
    co_await Clock::after(5s);  // in which no error comes to the top
  });
}

TEST(Stop, moves_a_value_that_nobody_else_has) {
  Simulation().run([]() -> Deferred<> {
    const Stop stop(10s, never());
    const auto made = [](Deferred<> after) -> Deferred<std::unique_ptr<int>> {
      co_await after;
      co_return std::make_unique<int>(3);
    };
    const auto waited = co_await stop.wait(made(Clock::after(1s)));
    EXPECT_EQ(**waited, 3);
    EXPECT_TRUE((co_await stop.wait(Clock::after(1s))).has_value());
  });
}

TEST(Stop, fails_with_what_it_is_told_to_fail_with) {
  Simulation().run([]() -> Deferred<> {
    const Stop stop(10s, never());
    const auto failure = [](Stopped why) {
      return std::make_exception_ptr(
          std::runtime_error(why == Stopped::Timed_out ? "took too long" : "given up"));
    };
    EXPECT_EQ(co_await stop.wait_or_fail(later(1s, 4), failure), 4);
    co_await stop.wait_or_fail(Clock::after(1s), failure);
    const auto result = co_await or_error(stop.wait_or_fail(later(1min, 4), failure));
    EXPECT_STREQ(result.error().what(), "took too long");
  });
}

TEST(Stop, leaves_alone_what_still_waits_when_it_ends) {
  Simulation().run([]() -> Deferred<> {
    std::optional<Stop> stop(std::in_place, 10s, never());
    const auto value = stop->wait(later(20s, 6));
    const auto neither = or_error(stop->wait(Deferred<int>()));
    stop.reset();
    EXPECT_EQ(text(co_await value), "6");
    EXPECT_EQ(text(co_await neither), Abandoned().what());
  });
}

TEST(Stop, tells_at_once_who_begins_when_it_is_over) {
  Simulation().run([]() -> Deferred<> {
    std::optional<Stop> stop(std::in_place, 10s, determined());
    const auto value = stop->wait(later(1s, 6));
    const auto nothing = stop->wait(Deferred<int>());
    EXPECT_TRUE(value.is_determined());
    EXPECT_TRUE(nothing.is_determined());
    stop.reset();
    EXPECT_EQ(text(co_await value), "interrupted");
    EXPECT_EQ(text(co_await nothing), "interrupted");
  });
}

TEST(Stop, comes_though_what_was_waited_for_was_abandoned_in_the_same_cycle) {
  Simulation().run([]() -> Deferred<> {
    const Ivar<> interrupt;
    std::optional<Ivar<int>> value(std::in_place);
    const Stop stop(10s, interrupt.read());
    const auto waited = stop.wait(value->read());
    interrupt.fill();
    value.reset();
    EXPECT_EQ(text(co_await waited), "interrupted");
    std::optional<Ivar<int>> other(std::in_place);
    const Stop second(10s, interrupt.read());
    EXPECT_EQ(text(co_await second.wait(other->read())), "interrupted");
  });
}

TEST(Stop, may_be_ended_by_those_whom_it_tells) {
  Simulation().run([]() -> Deferred<> {
    auto stop = std::make_shared<const Stop>(1s, never());
    std::optional<Deferred<std::expected<int, Stopped>>> other;
    // The function is the last to hold the stop, and lives until what it gives is determined.
    const auto first = determined().bind([stop, &other] {
      auto result = stop->wait(Deferred<int>());
      other = stop->wait(Deferred<int>());
      return result;
    });
    stop.reset();
    EXPECT_EQ(text(co_await first), "timed out");
    EXPECT_EQ(text(co_await *other), "timed out");
  });
}

TEST(Stop, calls_its_function_where_the_wait_began_and_fails_with_what_that_throws) {
  Simulation().run([]() -> Deferred<> {
    static const Scheduler::Local_key<int> key;
    const Stop stop(1s, never());
    const auto failure = [](Stopped) -> std::exception_ptr {
      throw std::runtime_error("thrown for " + std::to_string(*Scheduler::find_local(key)));
    };
    std::optional<Deferred<int>> waited;
    Scheduler::with_local(key, 5, [&] { waited = stop.wait_or_fail(Deferred<int>(), failure); });
    const auto result = co_await or_error(std::move(*waited));
    EXPECT_STREQ(result.error().what(), "thrown for 5");
  });
}

TEST(Stop, leaves_nothing_behind_on_the_interrupt) {
  Simulation().run([]() -> Deferred<> {
    const Ivar<> interrupt;
    for (int i = 0; i < 100; ++i) {
      const Stop stop(10s, interrupt.read());
      EXPECT_EQ(text(co_await stop.wait(later(1ms, i))), std::to_string(i));
    }
    {
      const Stop late(1s, interrupt.read());
      EXPECT_EQ(text(co_await late.wait(later(2s, 1))), "timed out");
    }
    interrupt.fill();  // which would run what is gone
    co_await Clock::after(1s);
  });
}

TEST(Stop, may_end_between_its_coming_and_its_job) {
  Simulation().run([]() -> Deferred<> {
    const Ivar<> interrupt;
    std::optional<Stop> stop(std::in_place, 10s, interrupt.read());
    const auto waited = stop->wait(later(1s, 6));
    interrupt.fill();
    stop.reset();
    EXPECT_EQ(text(co_await waited), "6");
  });
}

TEST(Stop, ends_with_the_scheduler_in_whatever_state_it_is) {
  Simulation().run([]() -> Deferred<> {
    const auto wait_for_ever = [](Deferred<> interrupt, Deferred<int> value) -> Deferred<> {
      const Stop stop(1h, std::move(interrupt));
      static_cast<void>(stop.wait(value));
      static_cast<void>(co_await stop.wait(value));
    };
    static const auto* const outlives = new Ivar<int>;  // as what a library keeps may
    dont_wait_for(wait_for_ever(never(), Deferred<int>()));
    dont_wait_for(wait_for_ever(Ivar<>().read(), later(1h, 1)));
    dont_wait_for(wait_for_ever(Clock::after(1h), outlives->read()));
    const Ivar<int> value;
    dont_wait_for(wait_for_ever(never(), value.read()));
    co_await Clock::after(1s);
    value.fill(1);  // so that there are jobs in the queue
  });
}

}  // namespace
}  // namespace async
