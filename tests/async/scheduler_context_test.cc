// Choosing where jobs run: within, schedule, with_local.

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
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::Simulation;
using ::testing::UnorderedElementsAre;

const Scheduler::Context low{.priority = Priority::Low};

std::string current_monitor() { return Monitor::current().name(); }

TEST(Scheduler_within, calls_its_function_now_and_returns_what_that_returns) {
  Events events;
  Simulation().run([&]() -> Deferred<> {
    Scheduler::within({}, [&] { events.emplace_back("void"); });
    const Deferred<int> result = Scheduler::within({}, [&]() -> Deferred<int> {
      events.emplace_back("coroutine");
      co_return 7;
    });
    EXPECT_THAT(events, ElementsAre("void", "coroutine"));
    EXPECT_EQ(co_await result, 7);
    auto moved = Scheduler::within({}, [] { return determined(std::make_unique<int>(8)); });
    EXPECT_EQ(*co_await std::move(moved), 8);
  });
}

TEST(Scheduler_within, changes_the_monitor_of_all_that_is_started) {
  Events events;
  Simulation().run([&]() -> Deferred<> {
    const auto record = [&] { events.push_back(current_monitor()); };
    const Ivar<> ivar;
    const Deferred<> result =
        Scheduler::within({.monitor = Monitor::create("m")}, [&]() -> Deferred<> {
          record();
          Scheduler::schedule(record);
          ivar.read().upon(record);
          co_await Clock::after(1s);
          record();
          Scheduler::schedule(record);
        });
    EXPECT_EQ(current_monitor(), "main");
    ivar.read().upon([&] { events.push_back("outside " + current_monitor()); });
    ivar.fill();
    co_await result;
    co_await Scheduler::yield();
    EXPECT_THAT(events, ElementsAre("m", "m", "m", "outside main", "m", "m"));
  });
}

TEST(Scheduler_within, brings_the_context_back_when_its_function_throws) {
  Simulation().run([]() -> Deferred<> {
    const Recording_monitor recording("m");
    Scheduler::within({.monitor = recording.monitor()}, [] { throw std::runtime_error("x"); });
    EXPECT_EQ(current_monitor(), "main");
    const Or_error<void> result = co_await or_error(Scheduler::within(
        {.monitor = recording.monitor()}, []() -> Deferred<> { throw std::runtime_error("y"); }));
    EXPECT_EQ(current_monitor(), "main");
    EXPECT_STREQ(result.error().what(), "y");
    EXPECT_THAT(recording.heard(), ElementsAre("x"));
  });
}

TEST(Scheduler_within, fails_the_deferred_that_its_function_would_have_returned) {
  Simulation().run([]() -> Deferred<> {
    const Recording_monitor recording;
    // Not a coroutine, so that it throws in place of returning.
    const auto result = co_await or_error(Scheduler::within(
        {.monitor = recording.monitor()}, []() -> Deferred<int> { throw std::out_of_range("x"); }));
    EXPECT_NE(result.error().as<std::out_of_range>(), nullptr);
    EXPECT_THAT(recording.heard(), IsEmpty());
  });
}

TEST(Scheduler_within, leaves_a_failure_that_nobody_takes_to_its_monitor) {
  Simulation().run([]() -> Deferred<> {
    const Recording_monitor recording;
    (void)recording.under([]() -> Deferred<int> { throw std::runtime_error("thrown"); });
    (void)recording.under([]() -> Deferred<int> {
      co_await Clock::after(1s);
      throw std::runtime_error("thrown later");
    });
    recording.under([] { determined().upon([] { throw std::runtime_error("job"); }); });
    co_await Clock::after(2s);
    EXPECT_THAT(recording.heard(), ElementsAre("thrown", "job", "thrown later"));
  });
}

TEST(Scheduler_within, takes_the_current_monitor_if_it_is_given_none) {
  Simulation().run([]() -> Deferred<> {
    const Recording_monitor recording;
    recording.under([] { Scheduler::within(low, [] { throw std::runtime_error("x"); }); });
    co_await Scheduler::yield();
    EXPECT_THAT(recording.heard(), ElementsAre("x"));
  });
}

TEST(Scheduler_within, changes_the_priority_of_all_that_is_started) {
  Events events;
  Simulation().run([&]() -> Deferred<> {
    const Ivar<> ivar;
    const auto record_three_times = [&](std::string name) -> Deferred<> {
      for (int i = 1; i <= 3; ++i) {
        co_await ivar.read();
        co_await determined().map([] {});  // a job
        events.push_back(name + std::to_string(i));
      }
    };
    const Deferred<> slow = Scheduler::within(low, [&] { return record_three_times("low "); });
    const Deferred<> fast = record_three_times("normal ");
    ivar.fill();
    co_await Scheduler::yield();
    EXPECT_THAT(events, ElementsAre("normal 1", "normal 2", "normal 3", "low 1", "low 2", "low 3"));
  });
}

TEST(Scheduler_within, changes_the_time_of_all_that_is_started) {
  Simulation().run([]() -> Deferred<> {
    const Time_source time = Time_source::create(Time_ns(1h));
    std::optional<Time_ns> seen;
    Scheduler::within({.time_source = time},
                      [&] { Scheduler::schedule([&] { seen = Clock::now(); }); });
    co_await Scheduler::yield();
    EXPECT_EQ(seen, Time_ns(1h));
    EXPECT_NE(Clock::now(), Time_ns(1h));
  });
}

TEST(Scheduler_within, keeps_what_it_does_not_change) {
  Simulation().run([]() -> Deferred<> {
    const Scheduler::Local_key<int> key;
    const Time_source time = Time_source::create(Time_ns(1h));
    Scheduler::with_local(key, 5, [&] {
      const Scheduler::Context outer{.monitor = Monitor::create("m"), .time_source = time};
      Scheduler::within(outer, [&] {
        Scheduler::within(low, [&] {
          Scheduler::within({}, [&] {
            EXPECT_EQ(current_monitor(), "m");
            EXPECT_EQ(Clock::now(), Time_ns(1h));
            EXPECT_EQ(*Scheduler::find_local(key), 5);
          });
        });
      });
    });
    co_return;
  });
}

TEST(Scheduler_within, keeps_its_function_until_the_result_is_determined) {
  Events events;
  Simulation().run([&]() -> Deferred<> {
    // The captures would dangle in a function that is gone.
    const Deferred<int> result = Scheduler::within(
        low, [&events, g = goodbye(events, "f"), n = std::make_unique<int>(3)]() -> Deferred<int> {
          co_await Clock::after(1s);
          events.emplace_back("f");
          co_return *n;
        });
    EXPECT_EQ(co_await result, 3);
    EXPECT_THAT(events, ElementsAre("f", "f gone"));
  });
}

TEST(Scheduler_schedule, runs_its_function_in_a_job_of_its_own) {
  Events events;
  Simulation().run([&]() -> Deferred<> {
    Scheduler::schedule({.monitor = Monitor::create("m")},
                        [&] { events.push_back(current_monitor()); });
    Scheduler::schedule([&] { events.push_back(current_monitor()); });
    EXPECT_THAT(events, IsEmpty());
    co_await Scheduler::yield();
    EXPECT_THAT(events, ElementsAre("m", "main"));
  });
}

TEST(Scheduler_schedule, sends_errors_to_the_monitor_in_its_context) {
  Simulation().run([]() -> Deferred<> {
    const Recording_monitor recording;
    const Scheduler::Context context{.monitor = recording.monitor()};
    Scheduler::schedule(context, [] { throw std::runtime_error("thrown"); });
    Scheduler::schedule(context, []() -> Deferred<> { throw std::runtime_error("not returned"); });
    Scheduler::schedule(context, []() -> Deferred<> {
      co_await Clock::after(1s);
      throw std::runtime_error("later");
    });
    recording.under([] { Scheduler::schedule([] { throw std::runtime_error("inherited"); }); });
    co_await Clock::after(2s);
    EXPECT_THAT(recording.heard(),
                UnorderedElementsAre("thrown", "not returned", "inherited", "later"));
  });
}

TEST(Scheduler_schedule, keeps_its_function_until_what_it_returned_is_determined) {
  Events events;
  Simulation().run([&]() -> Deferred<> {
    Scheduler::schedule(low, [&events, g = goodbye(events, "f")]() -> Deferred<> {
      co_await Clock::after(1s);
      events.emplace_back("f");
    });
    Scheduler::schedule([g = goodbye(events, "void")] {});
    co_await Scheduler::yield();
    EXPECT_THAT(events, ElementsAre("void gone"));
    co_await Clock::after(2s);
    EXPECT_THAT(events, ElementsAre("void gone", "f", "f gone"));
  });
}

TEST(Scheduler_schedule, takes_a_function_that_can_only_be_moved) {
  Simulation().run([]() -> Deferred<> {
    int seen = 0;
    Scheduler::schedule([&seen, n = std::make_unique<int>(3)] { seen = *n; });
    co_await Scheduler::yield();
    EXPECT_EQ(seen, 3);
  });
}

TEST(Scheduler_local, is_found_by_all_that_is_started) {
  Events events;
  Simulation().run([&]() -> Deferred<> {
    const Scheduler::Local_key<std::string> key;
    const auto record = [&] { events.push_back(*Scheduler::find_local(key)); };
    const Ivar<> ivar;
    const Deferred<> result = Scheduler::with_local(key, std::string("here"), [&]() -> Deferred<> {
      record();
      Scheduler::schedule(record);
      Scheduler::within(low, record);
      ivar.read().upon(record);
      co_await Clock::after(1s);
      record();
    });
    EXPECT_EQ(Scheduler::find_local(key), nullptr);
    ivar.fill();
    ivar.read().upon([&] { EXPECT_EQ(Scheduler::find_local(key), nullptr); });
    co_await result;
    EXPECT_EQ(Scheduler::find_local(key), nullptr);
    EXPECT_THAT(events, ElementsAre("here", "here", "here", "here", "here"));
  });
}

TEST(Scheduler_local, hides_an_outer_one_of_the_same_key) {
  Simulation().run([]() -> Deferred<> {
    const Scheduler::Local_key<int> key;
    const Scheduler::Local_key<int> other;
    Scheduler::with_local(key, 1, [&] {
      EXPECT_EQ(Scheduler::find_local(other), nullptr);
      Scheduler::with_local(other, 2, [&] {
        Scheduler::with_local(key, 3, [&] {
          EXPECT_EQ(*Scheduler::find_local(key), 3);
          EXPECT_EQ(*Scheduler::find_local(other), 2);
        });
        EXPECT_EQ(*Scheduler::find_local(key), 1);
      });
      EXPECT_EQ(Scheduler::find_local(other), nullptr);
    });
    co_return;
  });
}

TEST(Scheduler_local, lives_as_long_as_somebody_can_find_it) {
  Events events;
  Simulation().run([&]() -> Deferred<> {
    const Scheduler::Local_key<std::shared_ptr<void>> key;
    Scheduler::with_local(key, goodbye(events, "value"), [&] {
      Clock::after(1s).upon([&] { EXPECT_NE(Scheduler::find_local(key), nullptr); });
    });
    EXPECT_THAT(events, IsEmpty());
    co_await Clock::after(2s);
    EXPECT_THAT(events, ElementsAre("value gone"));
  });
}

TEST(Scheduler_local, can_only_be_moved_if_it_likes) {
  Simulation().run([]() -> Deferred<> {
    const Scheduler::Local_key<std::unique_ptr<int>> key;
    Scheduler::with_local(key, std::make_unique<int>(4),
                          [&] { EXPECT_EQ(**Scheduler::find_local(key), 4); });
    co_return;
  });
}

TEST(Scheduler_local, passes_on_what_its_function_throws_or_returns) {
  Simulation().run([]() -> Deferred<> {
    const Scheduler::Local_key<int> key;
    const Recording_monitor recording;
    recording.under([&] { Scheduler::with_local(key, 1, [] { throw std::runtime_error("x"); }); });
    const auto result = co_await or_error(
        Scheduler::with_local(key, 1, []() -> Deferred<int> { throw std::runtime_error("y"); }));
    EXPECT_STREQ(result.error().what(), "y");
    EXPECT_THAT(recording.heard(), ElementsAre("x"));
  });
}

}  // namespace
}  // namespace async
