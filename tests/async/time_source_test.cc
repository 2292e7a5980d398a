#include "async/time_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "async/async.h"
#include "async/testing/simulation.h"
#include "tests/support/goodbye.h"

namespace async {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::Simulation;

constexpr Time_ns start(1000h);

TEST(Time_source, shows_the_time_that_it_was_made_with_until_it_is_advanced) {
  Simulation().run([]() -> Deferred<> {
    const Time_source time = Time_source::create(start);
    co_await Clock::after(1h);
    EXPECT_EQ(time.now(), start);
    EXPECT_FALSE(time.is_wall_clock());
    time.advance_directly(start + 5s);
    EXPECT_EQ(time.now(), start + 5s);
    EXPECT_EQ(Time_source::create().now(), Time_ns());
  });
}

TEST(Time_source, is_shared_by_copies) {
  Simulation().run([]() -> Deferred<> {
    const Time_source time = Time_source::create(start);
    const Time_source copy = time;
    copy.advance_directly(start + 1s);
    EXPECT_EQ(time.now(), start + 1s);
    co_return;
  });
}

TEST(Time_source, rules_the_clock_of_those_who_run_within_it) {
  Simulation().run([]() -> Deferred<> {
    const Time_ns outside = Clock::now();
    const Time_source time = Time_source::create(start);
    Deferred<> alarm = Scheduler::within({.time_source = time}, []() -> Deferred<> {
      EXPECT_EQ(Clock::now(), start);
      EXPECT_EQ(Time_source::current().now(), start);
      co_await Clock::after(1s);
      EXPECT_EQ(Clock::now(), start + 1s);
      co_await Clock::at(start + 2s);
      EXPECT_EQ(Clock::now(), start + 2s);
    });
    EXPECT_EQ(Clock::now(), outside);
    co_await Clock::after(1h);
    EXPECT_FALSE(alarm.is_determined());
    co_await time.advance_by_alarms_by(2s);
    EXPECT_TRUE(alarm.is_determined());
    EXPECT_EQ(Clock::now(), outside + 1h);
  });
}

TEST(Time_source, leaves_those_of_others_alone) {
  Simulation().run([]() -> Deferred<> {
    const Time_source a = Time_source::create(start);
    const Time_source b = Time_source::create(start);
    const auto after_1s = [] { return Clock::after(1s); };
    const Deferred<> in_a = Scheduler::within({.time_source = a}, after_1s);
    const Deferred<> in_b = Scheduler::within({.time_source = b}, after_1s);
    a.advance_directly(start + 1h);
    co_await Scheduler::yield_until_no_jobs_remain();
    EXPECT_TRUE(in_a.is_determined());
    EXPECT_FALSE(in_b.is_determined());
  });
}

TEST(Time_source, advanced_directly_makes_jobs_of_what_is_due) {
  Events events;
  Simulation().run([&]() -> Deferred<> {
    const Time_source time = Time_source::create(start);
    Scheduler::within({.time_source = time}, [&] {
      for (const auto& [name, span] : {std::pair("2s", 2s), {"1s", 1s}, {"3s", 3s}, {"4s", 4s}}) {
        (void)Clock::Event::run_after(span, [&events, name] {
          events.emplace_back(name);
          EXPECT_EQ(Clock::now(), start + 3s);
        });
      }
    });
    time.advance_directly(start + 3s);
    EXPECT_THAT(events, IsEmpty());
    co_await Scheduler::yield();
    EXPECT_THAT(events, ElementsAre("1s", "2s", "3s"));
  });
}

TEST(Time_source, does_not_go_back) {
  Simulation().run([]() -> Deferred<> {
    const Time_source time = Time_source::create(start);
    time.advance_directly(start - 1h);
    EXPECT_EQ(time.now(), start);
    co_await time.advance_by_alarms(start - 1h);
    EXPECT_EQ(time.now(), start);
  });
}

TEST(Time_source, advanced_by_alarms_steps_through_a_loop) {
  std::vector<std::int64_t> seconds;
  Simulation().run([&]() -> Deferred<> {
    const Time_source time = Time_source::create(start);
    Scheduler::within({.time_source = time}, [&] {
      Clock::every(1s, [&] { seconds.push_back((Clock::now() - start) / 1s); });
    });
    co_await time.advance_by_alarms_by(3500ms);
    EXPECT_THAT(seconds, ElementsAre(0, 1, 2, 3));
    EXPECT_EQ(time.now(), start + 3500ms);
    co_await time.advance_by_alarms(start + 4s);
    EXPECT_THAT(seconds, ElementsAre(0, 1, 2, 3, 4));
  });
}

TEST(Time_source, advanced_by_alarms_lets_all_jobs_run_that_an_alarm_causes) {
  Events events;
  Simulation().run([&]() -> Deferred<> {
    const Time_source time = Time_source::create(start);
    // More than one cycle of jobs lies between the alarms.
    const auto work = [&]() -> Deferred<> {
      for (int i = 0; i < 3; ++i) {
        co_await Clock::after(1s);
        for (int j = 0; j < 20; ++j) co_await Scheduler::yield();
        Scheduler::schedule({.priority = Priority::Low},
                            [&] { events.push_back(std::to_string((Clock::now() - start) / 1s)); });
      }
    };
    const Deferred<> working = Scheduler::within({.time_source = time}, work);
    co_await time.advance_by_alarms_by(10s);
    EXPECT_TRUE(working.is_determined());
    EXPECT_THAT(events, ElementsAre("1", "2", "3"));
  });
}

TEST(Time_source, advanced_by_alarms_sees_those_that_are_set_in_the_jobs_before) {
  Simulation().run([]() -> Deferred<> {
    const Time_source time = Time_source::create(start);
    std::optional<Time_ns> seen;
    Scheduler::schedule({.time_source = time},
                        [&] { (void)Clock::Event::run_after(1s, [&] { seen = Clock::now(); }); });
    co_await time.advance_by_alarms_by(10s);
    EXPECT_EQ(seen, start + 1s);
  });
}

TEST(Time_source, tells_of_the_next_alarm) {
  Simulation().run([]() -> Deferred<> {
    const Time_source time = Time_source::create(start);
    EXPECT_EQ(time.next_alarm_fires_at(), std::nullopt);
    Scheduler::within({.time_source = time}, [&] {
      const auto late = Clock::Event::after(1h);
      const auto soon = Clock::Event::after(1s);
      EXPECT_GT(time.next_alarm_fires_at(), start);
      EXPECT_LE(time.next_alarm_fires_at(), start + 1s);
      soon.abort();
      EXPECT_LE(time.next_alarm_fires_at(), start + 1h);
      late.abort();
      EXPECT_EQ(time.next_alarm_fires_at(), std::nullopt);
    });
    co_return;
  });
}

TEST(Time_source, of_the_machine_cannot_be_advanced) {
  Scheduler::go([]() -> Deferred<> {
    const Time_source time = Time_source::current();
    EXPECT_TRUE(time.is_wall_clock());
    EXPECT_THROW(time.advance_directly(time.now() + 1h), std::logic_error);
    const Or_error<void> by_alarms = co_await or_error(time.advance_by_alarms_by(1h));
    EXPECT_NE(by_alarms.error().as<std::logic_error>(), nullptr);
  });
}

TEST(Time_source, of_the_machine_shows_the_time_of_the_system) {
  Scheduler::go([]() -> Deferred<> {
    const auto off = Clock::now() - std::chrono::system_clock::now();
    EXPECT_LT(off, 1min);
    EXPECT_GT(off, -1min);
    co_return;
  });
}

TEST(Time_source, of_the_machine_never_fires_early) {
  Scheduler::go([]() -> Deferred<> {
    for (const Span span : {Span(1ns), Span(300us), Span(1ms), Span(1700us), Span(3ms)}) {
      const auto begin = steady_clock::now();
      co_await Clock::after(span);
      EXPECT_GE(steady_clock::now() - begin, span.ns());
    }
    const auto begin = steady_clock::now();
    const Time_ns end = Clock::now() + Span(2500us);
    co_await Clock::at(end);
    EXPECT_GE(Clock::now(), end);
    EXPECT_GE(steady_clock::now() - begin, 2ms);
  });
}

TEST(Time_source, of_the_machine_fires_in_order) {
  Events events;
  Scheduler::go([&]() -> Deferred<> {
    Clock::after(4ms).upon([&] { events.emplace_back("4ms"); });
    const auto aborted = Clock::Event::run_after(1ms, [&] { events.emplace_back("aborted"); });
    (void)Clock::Event::run_after(0s, [&] { events.emplace_back("0s"); });
    (void)Clock::Event::run_after(2ms, [&] { events.emplace_back("2ms"); });
    const auto moved = Clock::Event::run_after(1h, [&] { events.emplace_back("3ms"); });
    EXPECT_EQ(aborted.abort(), Clock::Event::Outcome::Ok);
    EXPECT_EQ(moved.reschedule_after(3ms), Clock::Event::Outcome::Ok);
    co_await Clock::after(5ms);
    EXPECT_THAT(events, ElementsAre("0s", "2ms", "3ms", "4ms"));
  });
}

TEST(Time_source, of_the_machine_can_wait_as_long_as_can_be) {
  Scheduler::go([]() -> Deferred<> {
    const Deferred<> longest = Clock::after(std::chrono::hours::max());
    const Deferred<> last = Clock::at(Time_ns::max());
    const auto event = Clock::Event::after(Span::max());
    EXPECT_EQ(event.scheduled_at(), Time_ns::max());
    const auto result = co_await Clock::with_timeout(Span::max(), Clock::after(1ms));
    EXPECT_TRUE(result);
    EXPECT_FALSE(longest.is_determined());
    EXPECT_FALSE(last.is_determined());
    EXPECT_EQ(event.status(), Clock::Event::Status::Scheduled);
  });
}

TEST(Time_source, of_the_machine_can_be_replaced_for_a_part_of_the_program) {
  Scheduler::go([]() -> Deferred<> {
    const auto begin = steady_clock::now();
    const Time_source time = Time_source::create(start);
    const Deferred<> tomorrow =
        Scheduler::within({.time_source = time}, [] { return Clock::after(24h); });
    co_await time.advance_by_alarms_by(24h);
    EXPECT_TRUE(tomorrow.is_determined());
    EXPECT_LT(steady_clock::now() - begin, 1h);
  });
}

TEST(Time_source, lets_go_of_its_alarms_when_the_scheduler_ends) {
  Events events;
  std::optional<Time_source> time;
  Simulation().run([&]() -> Deferred<> {
    time = Time_source::create(start);
    Scheduler::within({.time_source = *time}, [&] {
      (void)Clock::Event::run_after(1s, [g = goodbye(events, "event")] {});
      Clock::after(1s).upon([g = goodbye(events, "handler")] {});
    });
    co_return;
  });
  EXPECT_THAT(events, ElementsAre("event gone", "handler gone"));
  EXPECT_EQ(time->now(), start);
  EXPECT_EQ(time->next_alarm_fires_at(), std::nullopt);
}

TEST(Time_source, lets_go_of_events_that_alone_know_it) {
  Events events;
  Simulation().run([&]() -> Deferred<> {
    Scheduler::within({.time_source = Time_source::create(start)}, [&] {
      (void)Clock::Event::run_after(1s, [g = goodbye(events, "event")] {});
    });
    co_return;
  });
  EXPECT_THAT(events, ElementsAre("event gone"));
}

TEST(Time_source, that_nobody_can_advance_abandons_its_alarms) {
  Simulation().run([&]() -> Deferred<> {
    const Deferred<> alarm = Scheduler::within({.time_source = Time_source::create(start)},
                                               [] { return Clock::after(1s); });
    EXPECT_NE((co_await or_error(alarm)).error().as<Abandoned>(), nullptr);
  });
}

TEST(Time_source, needs_a_scheduler) {
  EXPECT_THROW((void)Time_source::create(), No_scheduler);
  EXPECT_THROW((void)Time_source::current(), No_scheduler);
}

}  // namespace
}  // namespace async
