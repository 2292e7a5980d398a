// A failure that nobody takes reaches the monitor that was current where it began, exactly once.

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
#include "tests/support/recording_monitor.h"

namespace async {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::Simulation;

Deferred<> settle() { return Scheduler::yield_until_no_jobs_remain(); }

[[noreturn]] void raise(const std::string& message) { throw std::runtime_error(message); }

TEST(Failure_report, of_a_coroutine_goes_to_where_it_was_called) {
  Simulation().run([]() -> Deferred<> {
    const Recording_monitor caller("caller");
    const Recording_monitor other("other");
    const Ivar<> ivar;
    caller.under([&] {
      const auto throws_at_once = []() -> Deferred<> {
        raise("at once");
        co_return;
      };
      const auto throws_later = [](Deferred<> wait) -> Deferred<> {
        co_await wait;
        raise("later");
      };
      Deferred<> first = throws_at_once();
      Deferred<> second = throws_later(ivar.read());
    });
    other.under([&] { ivar.fill(); });
    co_await settle();
    EXPECT_THAT(caller.heard(), ElementsAre("at once", "later"));
    EXPECT_THAT(other.heard(), IsEmpty());
  });
}

TEST(Failure_report, of_map_and_bind_goes_to_where_they_were_called) {
  Simulation().run([]() -> Deferred<> {
    const Recording_monitor caller("caller");
    const Recording_monitor other("other");
    const Ivar<> ivar = other.under([] { return determined(Ivar<>()); }).peek().value();
    caller.under([&] {
      Deferred<> mapped = ivar.read().map([] { raise("map"); });
      Deferred<> bound = ivar.read().bind([]() -> Deferred<> { raise("bind"); });
    });
    other.under([&] { ivar.fill(); });
    co_await settle();
    EXPECT_THAT(caller.heard(), ElementsAre("map", "bind"));
    EXPECT_THAT(other.heard(), IsEmpty());
  });
}

TEST(Failure_report, of_an_ivar_goes_to_where_it_was_made) {
  Simulation().run([]() -> Deferred<> {
    const Recording_monitor maker("maker");
    const Recording_monitor other("other");
    std::optional<Ivar<>> ivar;
    maker.under([&] { ivar.emplace(); });
    other.under([&] {
      Deferred<> read = ivar->read();
      Deferred<> mapped = read.map([] {});
      ivar->fail(std::runtime_error("x"));
    });
    ivar.reset();
    co_await settle();
    EXPECT_THAT(maker.heard(), ElementsAre("x"));
    EXPECT_THAT(other.heard(), IsEmpty());
  });
}

TEST(Failure_report, of_failed_goes_to_where_it_was_called) {
  Simulation().run([]() -> Deferred<> {
    const Recording_monitor caller("caller");
    caller.under([] { Deferred<int> d = failed<int>(Error("x")); });
    co_await settle();
    EXPECT_THAT(caller.heard(), ElementsAre("x"));
  });
}

TEST(Failure_report, comes_when_the_last_that_carries_it_goes_away_and_as_a_job) {
  Simulation().run([]() -> Deferred<> {
    const Recording_monitor listener;
    std::optional d = listener.under([] { return failed<int>(Error("x")); });
    std::optional mapped = d->map([](int x) { return x; });
    std::optional bound = mapped->bind([](int x) { return determined(x); });
    co_await settle();
    d.reset();
    mapped.reset();
    co_await settle();
    EXPECT_THAT(listener.heard(), IsEmpty());
    bound.reset();
    EXPECT_THAT(listener.heard(), IsEmpty());
    co_await settle();
    EXPECT_THAT(listener.heard(), ElementsAre("x"));
  });
}

TEST(Failure_report, comes_when_none_is_left_as_it_happens) {
  Simulation().run([]() -> Deferred<> {
    const Recording_monitor listener;
    const Ivar<> ivar;
    listener.under([&] {
      Deferred<> dropped = ivar.read().map([] {}).bind([] { return failed(Error("x")); });
    });
    ivar.fill();
    co_await settle();
    EXPECT_THAT(listener.heard(), ElementsAre("x"));
  });
}

TEST(Failure_report, of_one_record_that_many_carry_comes_once) {
  Simulation().run([]() -> Deferred<> {
    const Recording_monitor listener;
    listener.under([] {
      const Deferred<int> d = failed<int>(Error("x"));
      std::vector<Deferred<int>> all_of_it;
      for (int i = 0; i < 3; ++i) {
        all_of_it.push_back(d.map([](int x) { return x; }));
        all_of_it.push_back(d.bind([](int x) { return determined(x); }));
        all_of_it.push_back(all_of_it.back().map([](int x) { return x; }));
      }
      Deferred<std::vector<int>> together = all(all_of_it);
      Deferred<std::pair<int, int>> pair = both(d, all_of_it.back());
      Deferred<> chosen = choose(choice(d, [](int) {}));
      Deferred<> same = determined().bind([d] { return d; }).map([](int) {});
    });
    co_await settle();
    EXPECT_THAT(listener.heard(), ElementsAre("x"));
  });
}

TEST(Failure_report, does_not_come_when_any_of_those_that_carry_it_was_taken) {
  Simulation().run([]() -> Deferred<> {
    const Recording_monitor listener;
    {
      const Deferred<int> d = listener.under([] { return failed<int>(Error("x")); });
      const Deferred<int> mapped = d.map([](int x) { return x; });
      const Deferred<std::vector<int>> together = all(std::vector{d, mapped});
      EXPECT_FALSE(co_await or_error(together));
      EXPECT_FALSE(co_await or_error(mapped));
    }
    co_await settle();
    EXPECT_THAT(listener.heard(), IsEmpty());
  });
}

TEST(Failure_report, of_an_escape_from_a_coroutine_is_a_new_one) {
  Simulation().run([]() -> Deferred<> {
    const Recording_monitor inner("inner");
    const Recording_monitor outer("outer");
    const Deferred<> d = inner.under([] { return failed(Error("x")); });
    outer.under([&] {
      const auto let_escape = [](Deferred<> from) -> Deferred<> { co_await from; };
      Deferred<> first = let_escape(d);
      Deferred<> second = let_escape(d);
    });
    co_await settle();
    EXPECT_THAT(outer.heard(), ElementsAre("x", "x"));
    EXPECT_THAT(inner.heard(), IsEmpty());
  });
}

TEST(Failure_report, comes_at_once_by_dont_wait_for_though_others_hold_it) {
  Simulation().run([]() -> Deferred<> {
    const Recording_monitor listener;
    const Ivar<> ivar;
    const Deferred<> before = listener.under([] { return failed(Error("before")); });
    const Deferred<> after =
        listener.under([&] { return ivar.read().map([] { raise("after"); }); });
    dont_wait_for(before);
    dont_wait_for(after);
    EXPECT_THAT(listener.heard(), IsEmpty());
    co_await settle();
    EXPECT_THAT(listener.heard(), ElementsAre("before"));
    ivar.fill();
    co_await settle();
    EXPECT_THAT(listener.heard(), ElementsAre("before", "after"));
    EXPECT_FALSE(co_await or_error(before));
    EXPECT_FALSE(co_await or_error(after));
  });
}

TEST(Failure_report, comes_once_however_often_nobody_waits) {
  Simulation().run([]() -> Deferred<> {
    const Recording_monitor listener;
    const Ivar<> ivar = listener.under([] { return determined(Ivar<>()); }).peek().value();
    for (int i = 0; i < 2; ++i) dont_wait_for(ivar.read());
    listener.under([&] { ivar.read().upon([] {}); });
    ivar.fail(std::runtime_error("x"));
    for (int i = 0; i < 2; ++i) dont_wait_for(ivar.read());
    co_await settle();
    dont_wait_for(ivar.read());
    co_await settle();
    EXPECT_THAT(listener.heard(), ElementsAre("x"));
  });
}

TEST(Failure_report, by_dont_wait_for_does_not_come_for_one_that_was_taken) {
  Simulation().run([]() -> Deferred<> {
    const Recording_monitor listener;
    const Deferred<> d = listener.under([] { return failed(Error("x")); });
    EXPECT_FALSE(co_await or_error(d));
    dont_wait_for(d);
    co_await settle();
    EXPECT_THAT(listener.heard(), IsEmpty());
  });
}

TEST(Failure_report, by_dont_wait_for_reaches_through_bind) {
  Simulation().run([]() -> Deferred<> {
    const Recording_monitor listener;
    const Ivar<> ivar = listener.under([] { return determined(Ivar<>()); }).peek().value();
    const Deferred<> inner = ivar.read();
    dont_wait_for(inner);
    const Deferred<> outer = determined().bind([=] { return inner; });
    co_await settle();
    ivar.fail(std::runtime_error("x"));
    co_await settle();
    EXPECT_THAT(listener.heard(), ElementsAre("x"));
    EXPECT_FALSE(co_await or_error(outer));
  });
}

TEST(Failure_report, dont_wait_for_takes_no_value) {
  static_assert(requires(const Deferred<>& d) { dont_wait_for(d); });
  static_assert(!std::is_invocable_v<decltype(dont_wait_for), Deferred<int>>);
}

TEST(Failure_report, of_what_upon_waits_for_goes_to_where_upon_was_called) {
  Simulation().run([]() -> Deferred<> {
    const Recording_monitor maker("maker");
    const Recording_monitor handler("handler");
    const Ivar<> ivar = maker.under([] { return determined(Ivar<>()); }).peek().value();
    handler.under([&] {
      ivar.read().upon([] {});
      ivar.read().upon([] {});
    });
    ivar.fail(std::runtime_error("x"));
    co_await settle();
    EXPECT_THAT(handler.heard(), ElementsAre("x"));
    EXPECT_THAT(maker.heard(), IsEmpty());
  });
}

TEST(Failure_report, upon_says_nothing_of_one_that_somebody_else_has_taken) {
  Simulation().run([]() -> Deferred<> {
    const Recording_monitor handler;
    const Ivar<> ivar;
    const auto result = or_error(ivar.read());
    handler.under([&] { ivar.read().upon([] {}); });
    ivar.fail(std::runtime_error("x"));
    EXPECT_FALSE(co_await result);
    co_await settle();
    EXPECT_THAT(handler.heard(), IsEmpty());
  });
}

TEST(Failure_report, of_functions_that_determine_nothing_goes_to_where_they_were_given) {
  Simulation().run([]() -> Deferred<> {
    const Recording_monitor listener;
    const Recording_monitor other("other");
    const Ivar<> ivar;
    std::optional<Scheduler::Hook> start;
    std::optional<Scheduler::Hook> end;
    listener.under([&] {
      ivar.read().upon([] { raise("upon"); });
      Clock::Event::run_after(std::chrono::seconds(1), [] { raise("event"); });
      Clock::every(std::chrono::hours(1), {.continue_on_error = false}, [] { raise("every"); });
      Scheduler::schedule([] { raise("schedule"); });
      Scheduler::within({}, [] { raise("within"); });
    });
    other.under([&] { ivar.fill(); });
    co_await Clock::after(std::chrono::minutes(1));
    EXPECT_THAT(listener.heard(),
                ::testing::UnorderedElementsAre("upon", "event", "every", "schedule", "within"));
    EXPECT_THAT(other.heard(), IsEmpty());
  });
}

TEST(Failure_report, of_a_hook_goes_to_where_it_was_added) {
  Simulation().run([]() -> Deferred<> {
    const Recording_monitor listener;
    int calls = 0;
    const auto hook = [&] {
      if (++calls == 1) raise("hook");
    };
    std::optional<Scheduler::Hook> added;
    listener.under([&] { added = Scheduler::add_every_cycle_start_hook(hook); });
    for (int i = 0; i < 3; ++i) co_await Scheduler::yield();
    added.reset();
    EXPECT_EQ(calls, 3);
    calls = 0;
    listener.under([&] { added = Scheduler::add_every_cycle_end_hook(hook); });
    for (int i = 0; i < 3; ++i) co_await Scheduler::yield();
    EXPECT_EQ(calls, 3);
    EXPECT_THAT(listener.heard(), ElementsAre("hook", "hook"));
  });
}

TEST(Failure_report, reaches_the_top_and_ends_the_program_when_no_monitor_is_in_between) {
  const auto run = [] {
    Simulation().run([]() -> Deferred<> {
      Deferred<> dropped = failed(Error(std::out_of_range("x")));
      dropped = determined();
      co_await never();
    });
  };
  EXPECT_THROW(run(), std::out_of_range);
}

}  // namespace
}  // namespace async
