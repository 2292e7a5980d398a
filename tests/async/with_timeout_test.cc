// Clock::with_timeout.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include "async/async.h"
#include "async/testing/simulation.h"
#include "tests/support/captured_log.h"
#include "tests/support/counts_copies.h"

namespace async {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::Simulation;

TEST(With_timeout, gives_a_value_that_comes_in_time) {
  Simulation().run([]() -> Deferred<> {
    const Time_ns start = Clock::now();
    auto result = co_await Clock::with_timeout(5s, Clock::after(2s).map([] { return 7; }));
    EXPECT_EQ(result, 7);
    EXPECT_EQ(Clock::now(), start + 2s);
  });
}

TEST(With_timeout, of_something_determined_is_determined_at_once) {
  Simulation().run([]() -> Deferred<> {
    EXPECT_EQ(Clock::with_timeout(5s, determined(7)).peek(), 7);
    EXPECT_TRUE(Clock::with_timeout(5s, determined()).is_determined());
    co_await determined();
  });
}

TEST(With_timeout, gives_up_when_the_time_is_up) {
  Simulation().run([]() -> Deferred<> {
    const Time_ns start = Clock::now();
    const Ivar<int> ivar;
    auto result = co_await Clock::with_timeout(5s, ivar.read());
    EXPECT_EQ(result, std::unexpected(Timed_out{5s}));
    EXPECT_EQ(Clock::now(), start + 5s);
    ivar.fill(1);  // too late
  });
}

TEST(With_timeout, of_what_never_comes_is_the_time) {
  Simulation().run([]() -> Deferred<> {
    const Time_ns start = Clock::now();
    EXPECT_FALSE(co_await Clock::with_timeout(5s, never()));
    EXPECT_FALSE(co_await Clock::with_timeout(5s, never<int>().map([](int i) { return i; })));
    EXPECT_EQ(Clock::now(), start + 10s);
  });
}

TEST(With_timeout, prefers_a_value_when_both_come_together) {
  Simulation().run([]() -> Deferred<> {
    const Ivar<int> ivar;
    // When the ivar is filled, the job that would give up waits already.
    const auto event = Clock::Event::run_after(5s, [&] { ivar.fill(1); });
    EXPECT_EQ(co_await Clock::with_timeout(5s, ivar.read()), 1);
  });
}

TEST(With_timeout, of_no_time_gives_what_is_there) {
  Simulation().run([]() -> Deferred<> {
    const Time_ns start = Clock::now();
    const Ivar<int> ivar;
    for (const Span span : {Span(0s), Span(-1s), Span(std::chrono::hours::min())}) {
      EXPECT_EQ(co_await Clock::with_timeout(span, determined(1)), 1);
      EXPECT_EQ(co_await Clock::with_timeout(span, ivar.read()), std::unexpected(Timed_out{span}));
    }
    EXPECT_EQ(Clock::now(), start);
  });
}

TEST(With_timeout, may_be_as_long_as_can_be) {
  Simulation().run([]() -> Deferred<> {
    const Time_ns start = Clock::now();
    EXPECT_TRUE(co_await Clock::with_timeout(Span::max(), Clock::after(9s)));
    EXPECT_EQ(Clock::now(), start + 9s);
  });
}

TEST(With_timeout, leaves_no_timer_behind) {
  Simulation().run([]() -> Deferred<> {
    EXPECT_TRUE(co_await Clock::with_timeout(1h, determined()));
    const Ivar<> ivar;
    const auto waiting = Clock::with_timeout(1h, ivar.read());
    EXPECT_NE(Time_source::current().next_alarm_fires_at(), std::nullopt);
    ivar.fill();
    EXPECT_TRUE(co_await waiting);
    EXPECT_EQ(Time_source::current().next_alarm_fires_at(), std::nullopt);
  });
}

TEST(With_timeout, leaves_nothing_behind_on_what_lives_long) {
  Simulation().run([]() -> Deferred<> {
    const Ivar<> ivar;
    const Deferred<> lives_long = ivar.read();
    for (int i = 0; i < 300; ++i) {
      EXPECT_FALSE(co_await Clock::with_timeout(1s, lives_long));
    }
    co_await Scheduler::yield();
    // Each handler that had stayed would be a job.
    const std::uint64_t before = Scheduler::num_jobs_run();
    ivar.fill();
    co_await Scheduler::yield();
    EXPECT_LT(Scheduler::num_jobs_run() - before, 10);
  });
}

TEST(With_timeout, passes_on_a_failure_that_comes_in_time) {
  Captured_log log;
  Simulation().run([]() -> Deferred<> {
    const Ivar<int> ivar;
    const auto event = Clock::Event::run_after(2s, [&] { ivar.fail(std::out_of_range("x")); });
    try {
      (void)co_await Clock::with_timeout(5s, ivar.read());
      ADD_FAILURE() << "nothing was thrown";
    } catch (const std::out_of_range& e) {
      EXPECT_STREQ(e.what(), "x");
    }
    const Or_error<std::expected<void, Timed_out>> result =
        co_await or_error(Clock::with_timeout(5s, failed(Error("y"))));
    EXPECT_STREQ(result.error().what(), "y");
  });
  EXPECT_THAT(log.errors(), IsEmpty());
}

TEST(With_timeout, leaves_a_failure_that_comes_late_to_the_log) {
  Captured_log log;
  Simulation().run([]() -> Deferred<> {
    Ivar<int> ivar;
    EXPECT_FALSE(co_await Clock::with_timeout(5s, ivar.read()));
    std::exchange(ivar, Ivar<int>()).fail(Error("too late"));
    co_await Scheduler::yield();
  });
  EXPECT_THAT(log.errors(), ElementsAre(HasSubstr("too late")));
}

TEST(With_timeout, leaves_a_failure_that_comes_late_to_whoever_else_takes_it) {
  Captured_log log;
  Simulation().run([]() -> Deferred<> {
    const Ivar<int> ivar;
    auto other = or_error(ivar.read());
    EXPECT_FALSE(co_await Clock::with_timeout(5s, ivar.read()));
    ivar.fail(Error("seen"));
    const Or_error<int> result = co_await std::move(other);
    EXPECT_STREQ(result.error().what(), "seen");
  });
  EXPECT_THAT(log.errors(), IsEmpty());
}

TEST(With_timeout, fails_when_what_it_waits_for_is_abandoned) {
  Simulation().run([]() -> Deferred<> {
    const Time_ns start = Clock::now();
    std::optional<Ivar<>> ivar(std::in_place);
    const auto waiting = or_error(Clock::with_timeout(5s, ivar->read()));
    co_await Clock::after(1s);
    ivar.reset();
    const auto result = co_await waiting;
    EXPECT_NE(result.error().as<Abandoned>(), nullptr);
    EXPECT_EQ(Clock::now(), start + 1s);
    EXPECT_EQ(Time_source::current().next_alarm_fires_at(), std::nullopt);
  });
}

TEST(With_timeout, does_not_care_about_what_is_abandoned_late) {
  Captured_log log;
  Simulation().run([]() -> Deferred<> {
    std::optional<Ivar<>> ivar(std::in_place);
    EXPECT_FALSE(co_await Clock::with_timeout(1s, ivar->read()));
    ivar.reset();
    co_await Scheduler::yield();
  });
  EXPECT_THAT(log.errors(), IsEmpty());
}

TEST(With_timeout, cancels_nothing) {
  Simulation().run([]() -> Deferred<> {
    bool has_ended = false;
    const auto work = [](bool& ended) -> Deferred<> {
      co_await Clock::after(10s);
      ended = true;
    };
    EXPECT_FALSE(co_await Clock::with_timeout(5s, work(has_ended)));
    EXPECT_FALSE(has_ended);
    co_await Clock::after(5s);
    co_await Scheduler::yield();
    EXPECT_TRUE(has_ended);
  });
}

TEST(With_timeout, hands_on_what_can_only_be_moved) {
  Simulation().run([]() -> Deferred<> {
    const Ivar<std::unique_ptr<int>> ivar;
    auto waiting = Clock::with_timeout(5s, ivar.read());
    ivar.fill(std::make_unique<int>(3));
    const auto result = co_await std::move(waiting);
    EXPECT_EQ(**result, 3);
  });
}

TEST(With_timeout, copies_no_value_that_nobody_else_has) {
  Simulation().run([]() -> Deferred<> {
    EXPECT_EQ((co_await Clock::with_timeout(5s, determined(Counts_copies(1))))->copies, 0);
    const Ivar<Counts_copies> ivar;
    const Deferred<Counts_copies> kept = ivar.read();
    auto waiting = Clock::with_timeout(5s, ivar.read());
    ivar.fill(2);
    EXPECT_EQ((co_await std::move(waiting))->value, 2);
    EXPECT_EQ((co_await kept).value, 2);
  });
}

TEST(With_timeout, can_be_nested) {
  Simulation().run([]() -> Deferred<> {
    const Time_ns start = Clock::now();
    const auto inner_first =
        co_await Clock::with_timeout(5s, Clock::with_timeout(2s, never<int>()));
    EXPECT_TRUE(inner_first);
    EXPECT_EQ(*inner_first, std::unexpected(Timed_out{2s}));
    EXPECT_EQ(Clock::now(), start + 2s);
    EXPECT_FALSE(co_await Clock::with_timeout(3s, Clock::with_timeout(10s, never<int>())));
    EXPECT_EQ(Clock::now(), start + 5s);
  });
}

TEST(With_timeout, may_have_nobody_who_waits_for_it) {
  Captured_log log;
  Simulation().run([]() -> Deferred<> {
    const Ivar<int> fails;
    const Ivar<int> ends;
    (void)Clock::with_timeout(5s, ends.read());
    (void)Clock::with_timeout(5s, Deferred<int>());
    ends.fill(1);
    co_await Clock::after(10s);
    EXPECT_EQ(Time_source::current().next_alarm_fires_at(), std::nullopt);
  });
  EXPECT_THAT(log.errors(), IsEmpty());
}

}  // namespace
}  // namespace async
