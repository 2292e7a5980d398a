// Clock::Event.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
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

using namespace std::chrono_literals;
using Clock::Event;
using Outcome = Event::Outcome;
using Status = Event::Status;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::Simulation;

TEST(Event, runs_its_function_when_the_time_has_come) {
  Simulation().run([]() -> Deferred<> {
    const Time_ns start = Clock::now();
    std::optional<Time_ns> ran_at;
    const Event event = Event::run_after(5s, [&] { ran_at = Clock::now(); });
    EXPECT_EQ(event.status(), Status::Scheduled);
    EXPECT_EQ(event.scheduled_at(), start + 5s);
    EXPECT_EQ(co_await event.fired(), Status::Happened);
    EXPECT_EQ(ran_at, start + 5s);
    EXPECT_EQ(event.status(), Status::Happened);
    EXPECT_EQ(event.scheduled_at(), start + 5s);

    const Event other = Event::run_at(start + 7s, [&] { ran_at = Clock::now(); });
    EXPECT_EQ(other.scheduled_at(), start + 7s);
    co_await other.fired();
    EXPECT_EQ(ran_at, start + 7s);
  });
}

TEST(Event, runs_its_function_in_a_later_job_even_when_the_time_has_passed) {
  Events events;
  Simulation().run([&]() -> Deferred<> {
    const Time_ns start = Clock::now();
    const Event now = Event::run_after(0s, [&] { events.emplace_back("now"); });
    const Event past = Event::run_after(-1s, [&] { events.emplace_back("past"); });
    const Event at = Event::run_at(Time_ns::min(), [&] { events.emplace_back("at"); });
    EXPECT_THAT(events, IsEmpty());
    EXPECT_EQ(past.status(), Status::Scheduled);
    co_await at.fired();
    EXPECT_THAT(events, ElementsAre("now", "past", "at"));
    EXPECT_EQ(Clock::now(), start);
  });
}

TEST(Event, needs_no_function) {
  Simulation().run([]() -> Deferred<> {
    const Time_ns start = Clock::now();
    EXPECT_EQ(co_await Event::after(3s).fired(), Status::Happened);
    EXPECT_EQ(Clock::now(), start + 3s);
    EXPECT_EQ(co_await Event::at(start + 4s).fired(), Status::Happened);
    EXPECT_EQ(Clock::now(), start + 4s);
  });
}

TEST(Event, is_fired_after_its_function_has_run) {
  Events events;
  Simulation().run([&]() -> Deferred<> {
    std::optional<Deferred<Status>> fired;
    const Event event = Event::run_after(1s, [&] {
      EXPECT_FALSE(fired->is_determined());
      events.emplace_back("f");
    });
    fired = event.fired();
    fired->upon([&](Status) { events.emplace_back("fired"); });
    co_await Clock::after(2s);
    EXPECT_THAT(events, ElementsAre("f", "fired"));
    EXPECT_TRUE(event.fired().is_determined());
  });
}

TEST(Event, can_be_aborted) {
  Events events;
  Simulation().run([&]() -> Deferred<> {
    const Event event =
        Event::run_after(5s, [&, g = goodbye(events, "f")] { events.emplace_back("f"); });
    const Deferred<Status> fired = event.fired();
    EXPECT_EQ(event.abort(), Outcome::Ok);
    EXPECT_EQ(event.status(), Status::Aborted);
    EXPECT_EQ(co_await fired, Status::Aborted);
    EXPECT_EQ(co_await event.fired(), Status::Aborted);
    EXPECT_THAT(events, ElementsAre("f gone"));
    EXPECT_EQ(Time_source::current().next_alarm_fires_at(), std::nullopt);
    co_await Clock::after(10s);
    EXPECT_THAT(events, ElementsAre("f gone"));
  });
}

TEST(Event, says_what_has_become_of_it_when_it_is_too_late) {
  Simulation().run([]() -> Deferred<> {
    const Event aborted = Event::after(1s);
    aborted.abort();
    EXPECT_EQ(aborted.abort(), Outcome::Previously_aborted);
    EXPECT_EQ(aborted.reschedule_after(1s), Outcome::Previously_aborted);
    EXPECT_EQ(aborted.reschedule_at(Clock::now()), Outcome::Previously_aborted);

    const Event happened = Event::after(1s);
    co_await happened.fired();
    EXPECT_EQ(happened.abort(), Outcome::Previously_happened);
    EXPECT_EQ(happened.reschedule_after(1s), Outcome::Previously_happened);
    EXPECT_EQ(happened.reschedule_at(Clock::now()), Outcome::Previously_happened);
    EXPECT_EQ(happened.status(), Status::Happened);
  });
}

TEST(Event, can_be_moved_to_another_time) {
  Simulation().run([]() -> Deferred<> {
    const Time_ns start = Clock::now();
    const Event later = Event::after(5s);
    EXPECT_EQ(later.reschedule_after(8s), Outcome::Ok);
    EXPECT_EQ(later.scheduled_at(), start + 8s);
    const Event sooner = Event::after(5s);
    EXPECT_EQ(sooner.reschedule_at(start + 2s), Outcome::Ok);
    co_await sooner.fired();
    EXPECT_EQ(Clock::now(), start + 2s);
    EXPECT_EQ(later.reschedule_after(8s), Outcome::Ok);
    co_await later.fired();
    EXPECT_EQ(Clock::now(), start + 10s);
    EXPECT_EQ(Time_source::current().next_alarm_fires_at(), std::nullopt);
  });
}

TEST(Event, can_be_moved_to_the_past) {
  Simulation().run([]() -> Deferred<> {
    const Time_ns start = Clock::now();
    const Event event = Event::after(5s);
    EXPECT_EQ(event.reschedule_at(start - 1h), Outcome::Ok);
    EXPECT_EQ(event.status(), Status::Scheduled);
    EXPECT_EQ(co_await event.fired(), Status::Happened);
    EXPECT_EQ(Clock::now(), start);
  });
}

TEST(Event, can_be_aborted_when_its_job_waits_already) {
  Events events;
  Simulation().run([&]() -> Deferred<> {
    std::optional<Event> second;
    const Event first = Event::run_after(5s, [&] {
      events.emplace_back("first");
      EXPECT_EQ(second->status(), Status::Scheduled);
      EXPECT_EQ(second->abort(), Outcome::Ok);
    });
    second =
        Event::run_after(5s, [&, g = goodbye(events, "second")] { events.emplace_back("second"); });
    EXPECT_EQ(co_await second->fired(), Status::Aborted);
    co_await Clock::after(1s);
    EXPECT_THAT(events, ElementsAre("first", "second gone"));
  });
}

TEST(Event, can_be_moved_when_its_job_waits_already) {
  Simulation().run([]() -> Deferred<> {
    const Time_ns start = Clock::now();
    int calls = 0;
    std::optional<Event> second;
    const Event first =
        Event::run_after(5s, [&] { EXPECT_EQ(second->reschedule_after(2s), Outcome::Ok); });
    second = Event::run_after(5s, [&] { ++calls; });
    co_await Clock::after(6s);
    EXPECT_EQ(second->status(), Status::Scheduled);
    EXPECT_EQ(calls, 0);
    EXPECT_EQ(co_await second->fired(), Status::Happened);
    EXPECT_EQ(Clock::now(), start + 7s);
    EXPECT_EQ(calls, 1);
  });
}

TEST(Event, can_be_aborted_by_its_own_function) {
  Events events;
  Simulation().run([&]() -> Deferred<> {
    std::optional<Event> event;
    event = Event::run_after(1s, [&, g = goodbye(events, "f")] {
      EXPECT_EQ(event->abort(), Outcome::Ok);
      EXPECT_EQ(event->abort(), Outcome::Previously_aborted);
      EXPECT_EQ(event->reschedule_after(1s), Outcome::Previously_aborted);
      events.emplace_back("f");
    });
    EXPECT_EQ(co_await event->fired(), Status::Aborted);
    EXPECT_EQ(event->status(), Status::Aborted);
    EXPECT_THAT(events, ElementsAre("f", "f gone"));
  });
}

TEST(Event, can_be_moved_by_its_own_function) {
  Simulation().run([]() -> Deferred<> {
    const Time_ns start = Clock::now();
    int calls = 0;
    std::optional<Event> event;
    event = Event::run_after(1s, [&] {
      if (++calls < 4) {
        EXPECT_EQ(event->reschedule_after(calls * 1s), Outcome::Ok);
      }
    });
    EXPECT_EQ(co_await event->fired(), Status::Happened);
    EXPECT_EQ(calls, 4);
    EXPECT_EQ(Clock::now(), start + 7s);
  });
}

TEST(Event, moved_and_aborted_by_its_own_function_is_aborted) {
  Simulation().run([]() -> Deferred<> {
    int calls = 0;
    std::optional<Event> event;
    event = Event::run_after(1s, [&] {
      ++calls;
      EXPECT_EQ(event->reschedule_after(0s), Outcome::Ok);
      EXPECT_EQ(event->abort(), Outcome::Ok);
    });
    EXPECT_EQ(co_await event->fired(), Status::Aborted);
    co_await Clock::after(1h);
    EXPECT_EQ(calls, 1);
  });
}

TEST(Event, sends_what_its_function_raises_to_the_monitor_of_its_maker) {
  Simulation().run([]() -> Deferred<> {
    const Recording_monitor recording;
    std::optional<Event> event;
    recording.under([&] { event = Event::run_after(1s, [] { throw std::runtime_error("x"); }); });
    EXPECT_EQ(co_await event->fired(), Status::Happened);
    EXPECT_THAT(recording.heard(), ElementsAre("x"));
  });
}

TEST(Event, that_moves_itself_and_raises_comes_again) {
  Simulation().run([]() -> Deferred<> {
    const Recording_monitor recording;
    std::optional<Event> event;
    int calls = 0;
    recording.under([&] {
      event = Event::run_after(1s, [&] {
        if (++calls == 1) event->reschedule_after(1s);
        throw std::runtime_error("call " + std::to_string(calls));
      });
    });
    EXPECT_EQ(co_await event->fired(), Status::Happened);
    EXPECT_THAT(recording.heard(), ElementsAre("call 1", "call 2"));
  });
}

TEST(Event, runs_its_function_in_the_context_of_its_maker) {
  Simulation().run([]() -> Deferred<> {
    const Scheduler::Local_key<int> key;
    const int* found = nullptr;
    std::optional<Event> event;
    Scheduler::with_local(
        key, 5, [&] { event = Event::run_after(1s, [&] { found = Scheduler::find_local(key); }); });
    event->reschedule_after(2s);
    co_await event->fired();
    EXPECT_NE(found, nullptr);
  });
}

TEST(Event, happens_though_its_handle_is_dropped) {
  Events events;
  Simulation().run([&]() -> Deferred<> {
    (void)Event::run_after(1s, [&, g = goodbye(events, "f")] { events.emplace_back("f"); });
    EXPECT_THAT(events, IsEmpty());
    co_await Clock::after(2s);
    EXPECT_THAT(events, ElementsAre("f", "f gone"));
  });
}

TEST(Event, is_shared_by_copies) {
  Simulation().run([]() -> Deferred<> {
    const Event event = Event::after(1s);
    Event copy = event;
    Event other = Event::after(1s);
    other = copy;
    Event moved = std::move(copy);
    copy = moved;
    EXPECT_EQ(moved.abort(), Outcome::Ok);
    EXPECT_EQ(event.status(), Status::Aborted);
    EXPECT_EQ(copy.status(), Status::Aborted);
    EXPECT_EQ(other.status(), Status::Aborted);
    co_return;
  });
}

TEST(Event, may_be_dropped_by_its_own_function) {
  Events events;
  Simulation().run([&]() -> Deferred<> {
    auto event = std::make_shared<std::optional<Event>>();
    *event = Event::run_after(1s, [&, event, g = goodbye(events, "f")] {
      event->reset();
      events.emplace_back("f");
    });
    event.reset();
    co_await Clock::after(2s);
    EXPECT_THAT(events, ElementsAre("f", "f gone"));
  });
}

TEST(Event, may_hold_its_own_handle_until_it_is_aborted) {
  Events events;
  Simulation().run([&]() -> Deferred<> {
    auto own = std::make_shared<std::optional<Event>>();
    *own = Event::run_after(1s, [own, g = goodbye(events, "f")] {});
    EXPECT_EQ(std::exchange(own, nullptr)->value().abort(), Outcome::Ok);
    EXPECT_THAT(events, ElementsAre("f gone"));
    co_return;
  });
}

TEST(Event, may_outlive_its_scheduler) {
  Events events;
  std::optional<Event> waiting;
  std::optional<Event> happened;
  Simulation().run([&]() -> Deferred<> {
    waiting = Event::run_after(1h, [g = goodbye(events, "f")] {});
    happened = Event::after(1s);
    co_await happened->fired();
  });
  EXPECT_EQ(happened->status(), Status::Happened);
  EXPECT_EQ(happened->abort(), Outcome::Previously_happened);
  EXPECT_EQ(waiting->status(), Status::Scheduled);
  waiting.reset();
  EXPECT_THAT(events, ElementsAre("f gone"));
}

TEST(Event, that_its_function_moves_to_a_time_that_comes_meanwhile_happens_again) {
  Simulation().run([]() -> Deferred<> {
    const Time_source time = Time_source::create();
    int calls = 0;
    std::optional<Event> event;
    Scheduler::within({.time_source = time}, [&] {
      event = Event::run_after(1s, [&] {
        if (++calls > 1) return;
        EXPECT_EQ(event->reschedule_after(1s), Outcome::Ok);
        time.advance_directly(time.now() + Span(5s));
      });
    });
    time.advance_directly(time.now() + Span(1s));
    co_await Scheduler::yield_until_no_jobs_remain();
    EXPECT_EQ(calls, 2);
    EXPECT_EQ(event->status(), Status::Happened);
  });
}

TEST(Event, that_was_aborted_at_once_tells_when_it_would_have_fired) {
  Scheduler::go([]() -> Deferred<> {
    const Time_ns now = Clock::now();
    const Event event = Event::after(1h);
    event.abort();
    EXPECT_GE(event.scheduled_at(), now + Span(1h));
    EXPECT_EQ(event.scheduled_at(), event.scheduled_at());
    co_return;
  });
}

}  // namespace
}  // namespace async
