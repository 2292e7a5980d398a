#include "async/clock.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <limits>
#include <string>
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

TEST(Clock, after_is_determined_when_the_span_has_passed) {
  Simulation simulation;
  const Time_ns start = simulation.now();
  simulation.run([&]() -> Deferred<> {
    EXPECT_EQ(Clock::now(), start);
    co_await Clock::after(24h);
    EXPECT_EQ(Clock::now(), start + 24h);
    co_await Clock::after(1ns);
    EXPECT_EQ(Clock::now(), start + 24h + 1ns);
  });
  EXPECT_EQ(simulation.now(), start + 24h + 1ns);
}

TEST(Clock, after_nothing_or_less_is_determined_at_once) {
  Simulation().run([]() -> Deferred<> {
    EXPECT_TRUE(Clock::after(0s).is_determined());
    EXPECT_TRUE(Clock::after(-1h).is_determined());
    EXPECT_TRUE(Clock::after(std::chrono::hours::min()).is_determined());
    EXPECT_FALSE(Clock::after(1ns).is_determined());
    co_return;
  });
}

TEST(Clock, after_what_is_too_long_is_the_last_point_in_time) {
  Simulation().run([]() -> Deferred<> {
    co_await Clock::after(std::chrono::hours::max());
    EXPECT_EQ(Clock::now(), Time_ns::max());
  });
}

TEST(Clock, at_is_determined_when_the_time_has_come) {
  Simulation().run([]() -> Deferred<> {
    const Time_ns start = Clock::now();
    EXPECT_TRUE(Clock::at(start).is_determined());
    EXPECT_TRUE(Clock::at(start - 1s).is_determined());
    EXPECT_TRUE(Clock::at(Time_ns::min()).is_determined());
    co_await Clock::at(start + 90min);
    EXPECT_EQ(Clock::now(), start + 90min);
  });
}

TEST(Clock, alarms_come_in_the_order_of_their_times) {
  Events events;
  Simulation().run([&]() -> Deferred<> {
    Clock::after(3s).upon([&] { events.emplace_back("3s"); });
    Clock::after(1h).upon([&] { events.emplace_back("1h"); });
    Clock::after(1ms).upon([&] { events.emplace_back("1ms"); });
    Clock::at(Clock::now() + 2s).upon([&] { events.emplace_back("2s"); });
    co_await Clock::after(2h);
    EXPECT_THAT(events, ElementsAre("1ms", "2s", "3s", "1h"));
  });
}

TEST(Clock, alarms_of_one_time_come_in_the_order_in_which_they_were_set) {
  Events events;
  Simulation().run([&]() -> Deferred<> {
    const Time_ns end = Clock::now() + 1h;
    const auto record = [&](const char* what) { return [&, what] { events.emplace_back(what); }; };
    Clock::after(1h).upon(record("after 1h"));
    Clock::at(end).upon(record("at"));
    const auto event = Clock::Event::run_after(1h, record("event"));
    co_await Clock::after(50min);
    Clock::after(10min).upon(record("after 10min"));
    co_await Clock::at(end - 1ns);
    Clock::after(1ns).upon(record("after 1ns"));
    co_await Clock::at(end);
    EXPECT_THAT(events, ElementsAre("after 1h", "at", "event", "after 10min", "after 1ns"));
  });
}

TEST(Clock, an_alarm_sees_the_time_for_which_it_was_set) {
  Simulation().run([]() -> Deferred<> {
    const Time_ns start = Clock::now();
    std::vector<Time_ns> seen;
    std::vector<Deferred<>> alarms;
    for (const Span span : {Span(5ns), Span(64ns), Span(4096us), Span(5s), Span(100h)}) {
      alarms.push_back(Clock::after(span).map([&] { seen.push_back(Clock::now()); }));
    }
    co_await all_unit(std::move(alarms));
    EXPECT_THAT(seen,
                ElementsAre(start + 5ns, start + 64ns, start + 4096us, start + 5s, start + 100h));
  });
}

TEST(Clock, time_stands_still_while_jobs_run) {
  Simulation().run([]() -> Deferred<> {
    const Time_ns start = Clock::now();
    const Deferred<> soon = Clock::after(1ns);
    for (int i = 0; i < 10; ++i) co_await Scheduler::yield();
    EXPECT_EQ(Clock::now(), start);
    EXPECT_FALSE(soon.is_determined());
  });
}

TEST(Clock, an_alarm_that_nobody_waits_for_can_be_dropped) {
  Simulation simulation;
  const Time_ns start = simulation.now();
  simulation.run([]() -> Deferred<> {
    for (int i = 1; i <= 1000; ++i) (void)Clock::after(i * 1s);
    co_await Clock::after(500s);
  });
  EXPECT_EQ(simulation.now(), start + 500s);
}

TEST(Clock, what_waits_for_an_alarm_ends_with_the_scheduler) {
  Events events;
  Simulation().run([&]() -> Deferred<> {
    Clock::after(1h).upon([g = goodbye(events, "handler")] {});
    EXPECT_THAT(events, IsEmpty());
    co_return;
  });
  EXPECT_THAT(events, ElementsAre("handler gone"));
}

TEST(Clock, needs_a_scheduler) {
  EXPECT_THROW(Clock::now(), No_scheduler);
  EXPECT_THROW((void)Clock::after(1s), No_scheduler);
}

}  // namespace
}  // namespace async
