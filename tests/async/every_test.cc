// Clock::every.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
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

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::Simulation;
using ::testing::SizeIs;

/// Writes down when it is called, in seconds from its making.
class Times {
 public:
  void operator()() const { times_->push_back((Clock::now() - start_) / 1s); }
  const std::vector<std::int64_t>& seen() const noexcept { return *times_; }

 private:
  Time_ns start_ = Clock::now();
  std::shared_ptr<std::vector<std::int64_t>> times_ = std::make_shared<std::vector<std::int64_t>>();
};

TEST(Every, calls_its_function_again_and_again) {
  Simulation().run([]() -> Deferred<> {
    const Times times;
    Clock::every(10s, times);
    co_await Clock::after(35s);
    EXPECT_THAT(times.seen(), ElementsAre(0, 10, 20, 30));
  });
}

TEST(Every, makes_the_first_call_in_a_later_job) {
  Simulation().run([]() -> Deferred<> {
    const Times times;
    Clock::every(10s, times);
    EXPECT_THAT(times.seen(), IsEmpty());
    co_await Scheduler::yield();
    EXPECT_THAT(times.seen(), ElementsAre(0));
  });
}

TEST(Every, lets_the_span_pass_after_the_end_of_a_call) {
  Simulation().run([]() -> Deferred<> {
    const Times begun;
    const Times ended;
    Clock::every(10s, [=]() -> Deferred<> {
      begun();
      co_await Clock::after(3s);
      ended();
    });
    co_await Clock::after(30s);
    EXPECT_THAT(begun.seen(), ElementsAre(0, 13, 26));
    EXPECT_THAT(ended.seen(), ElementsAre(3, 16, 29));
  });
}

TEST(Every, refuses_a_span_that_is_not_positive) {
  Simulation().run([]() -> Deferred<> {
    EXPECT_THROW(Clock::every(0s, [] {}), std::invalid_argument);
    EXPECT_THROW(Clock::every(-1s, {}, [] { return determined(); }), std::invalid_argument);
    co_return;
  });
}

TEST(Every, begins_with_start) {
  Simulation().run([]() -> Deferred<> {
    const Times times;
    Clock::every(10s, {.start = Clock::after(7s)}, times);
    co_await Clock::after(30s);
    EXPECT_THAT(times.seen(), ElementsAre(7, 17, 27));
  });
}

TEST(Every, ends_with_stop_while_it_waits) {
  Events events;
  Simulation().run([&]() -> Deferred<> {
    const Times times;
    const Ivar<> stop;
    Clock::every(10s, {.stop = stop.read()}, [times, g = goodbye(events, "f")] { times(); });
    co_await Clock::after(15s);
    EXPECT_THAT(events, IsEmpty());
    stop.fill();
    co_await Scheduler::yield();
    EXPECT_THAT(events, ElementsAre("f gone"));
    EXPECT_EQ(Time_source::current().next_alarm_fires_at(), std::nullopt);
    co_await Clock::after(30s);
    EXPECT_THAT(times.seen(), ElementsAre(0, 10));
  });
}

TEST(Every, ends_with_stop_during_a_call_once_that_has_ended) {
  Events events;
  Simulation().run([&]() -> Deferred<> {
    Clock::every(10s, {.stop = Clock::after(12s)},
                 [&events, g = goodbye(events, "f")]() -> Deferred<> {
                   events.emplace_back("begin");
                   co_await Clock::after(5s);
                   events.emplace_back("end");
                 });
    co_await Clock::after(100s);
    EXPECT_THAT(events, ElementsAre("begin", "end", "f gone"));
  });
}

TEST(Every, calls_nothing_when_it_is_stopped_from_the_start) {
  Events events;
  Simulation().run([&]() -> Deferred<> {
    const Times times;
    Clock::every(10s, {.stop = determined()}, [times, g = goodbye(events, "f")] { times(); });
    Clock::every(10s, {.start = Clock::after(5s), .stop = Clock::after(2s)}, times);
    co_await Clock::after(30s);
    EXPECT_THAT(times.seen(), IsEmpty());
    EXPECT_THAT(events, ElementsAre("f gone"));
  });
}

TEST(Every, that_is_stopped_before_its_start_leaves_nothing_behind_on_that) {
  Events events;
  Simulation().run([&]() -> Deferred<> {
    const Ivar<> start;
    const Ivar<> stop;
    Clock::every(10s, {.start = start.read(), .stop = stop.read()}, [g = goodbye(events, "f")] {});
    co_await Scheduler::yield();
    stop.fill();
    co_await Scheduler::yield_until_no_jobs_remain();
    EXPECT_THAT(events, ElementsAre("f gone"));
  });
}

TEST(Every, goes_on_after_an_error) {
  Simulation().run([]() -> Deferred<> {
    const Times times;
    const Recording_monitor recording;
    recording.under([&] {
      Clock::every(10s, [times] {
        times();
        throw std::runtime_error("call " + std::to_string(times.seen().size()));
      });
    });
    co_await Clock::after(25s);
    EXPECT_THAT(times.seen(), ElementsAre(0, 10, 20));
    EXPECT_THAT(recording.heard(), ElementsAre("call 1", "call 2", "call 3"));
  });
}

TEST(Every, ends_with_an_error_if_it_shall) {
  Events events;
  Simulation().run([&]() -> Deferred<> {
    const Times times;
    const Recording_monitor recording;
    recording.under([&] {
      Clock::every(10s, {.continue_on_error = false},
                   [times, g = goodbye(events, "f")]() -> Deferred<> {
                     times();
                     co_await Clock::after(1s);
                     if (times.seen().size() == 2) throw std::runtime_error("second");
                   });
    });
    co_await Clock::after(50s);
    EXPECT_THAT(times.seen(), ElementsAre(0, 11));
    EXPECT_THAT(recording.heard(), ElementsAre("second"));
    EXPECT_THAT(events, ElementsAre("f gone"));
    EXPECT_EQ(Time_source::current().next_alarm_fires_at(), std::nullopt);
  });
}

TEST(Every, takes_an_exception_that_was_thrown_instead_of_a_deferred) {
  Simulation().run([]() -> Deferred<> {
    const Times times;
    const Recording_monitor recording;
    recording.under([&] {
      Clock::every(10s, [times]() -> Deferred<> {
        times();
        throw std::runtime_error("x");
      });
    });
    co_await Clock::after(15s);
    EXPECT_THAT(times.seen(), ElementsAre(0, 10));
    EXPECT_THAT(recording.heard(), ElementsAre("x", "x"));
  });
}

TEST(Every, ignores_a_stop_that_is_abandoned_while_it_waits) {
  Simulation().run([]() -> Deferred<> {
    const Times times;
    const Recording_monitor recording;
    std::optional<Ivar<>> stop(std::in_place);
    recording.under([&] { Clock::every(10s, {.stop = stop->read()}, times); });
    co_await Clock::after(5s);
    stop.reset();
    co_await Clock::after(30s);
    EXPECT_THAT(times.seen(), ElementsAre(0, 10, 20, 30));
    EXPECT_THAT(recording.heard(), IsEmpty());
  });
}

TEST(Every, ignores_a_stop_that_was_abandoned_before_it_waits) {
  Simulation().run([]() -> Deferred<> {
    const Times times;
    const Recording_monitor recording;
    recording.under([&] { Clock::every(10s, {.stop = Ivar<>().read()}, times); });
    co_await Clock::after(35s);
    EXPECT_THAT(times.seen(), ElementsAre(0, 10, 20, 30));
    EXPECT_THAT(recording.heard(), IsEmpty());
  });
}

TEST(Every, ends_with_a_stop_that_fails) {
  Simulation().run([]() -> Deferred<> {
    const Times times;
    const Recording_monitor recording;
    const Ivar<> stop;
    recording.under([&] { Clock::every(10s, {.stop = stop.read()}, times); });
    co_await Clock::after(15s);
    stop.fail(Error("stop failed"));
    co_await Clock::after(30s);
    EXPECT_THAT(times.seen(), ElementsAre(0, 10));
    EXPECT_THAT(recording.heard(), ElementsAre("stop failed"));
  });
}

TEST(Every, leaves_nothing_behind_on_its_stop) {
  Simulation().run([]() -> Deferred<> {
    const Ivar<> stop;
    Clock::every(1s, {.stop = stop.read()}, [] {});
    co_await Clock::after(300s);
    const std::uint64_t before = Scheduler::num_jobs_run();
    stop.fill();
    co_await Scheduler::yield();
    EXPECT_LT(Scheduler::num_jobs_run() - before, 10);
  });
}

TEST(Every, runs_its_function_in_the_context_of_the_caller) {
  Simulation().run([]() -> Deferred<> {
    const Scheduler::Local_key<int> key;
    std::vector<int> found;
    Scheduler::with_local(
        key, 5, [&] { Clock::every(10s, [&] { found.push_back(*Scheduler::find_local(key)); }); });
    co_await Clock::after(15s);
    EXPECT_THAT(found, ElementsAre(5, 5));
  });
}

TEST(Every, keeps_a_function_that_can_only_be_moved) {
  Simulation().run([]() -> Deferred<> {
    int calls = 0;
    Clock::every(10s, [&calls, step = std::make_unique<int>(2)]() mutable { calls += *step; });
    co_await Clock::after(25s);
    EXPECT_EQ(calls, 6);
  });
}

TEST(Every, ends_with_its_scheduler) {
  Events events;
  Captured_log log;
  Simulation().run([&]() -> Deferred<> {
    Clock::every(10s, [g = goodbye(events, "f")]() -> Deferred<> { co_await never(); });
    co_await Clock::after(5s);
    EXPECT_THAT(events, IsEmpty());
  });
  EXPECT_THAT(events, ElementsAre("f gone"));
  EXPECT_THAT(log.errors(), IsEmpty());
}

}  // namespace
}  // namespace async
