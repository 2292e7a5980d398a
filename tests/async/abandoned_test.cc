// What becomes of a deferred that can no longer be determined.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>
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
using testing::Stuck;

Deferred<> settle() { return Scheduler::yield_until_no_jobs_remain(); }

/// `abandoned<T>()` is abandoned already.  (An ivar that is a temporary of an await would live as
/// long as that.)
template <class T = void>
Deferred<T> abandoned() {
  return Ivar<T>().read();
}

/// `is_abandoned(d)` is true if `d` has failed with `Abandoned`.
template <class T>
Deferred<bool> is_abandoned(Deferred<T> d) {
  const Or_error<T> result = co_await or_error(std::move(d));
  co_return !result && result.error().template as<Abandoned>();
}

TEST(Abandoned, is_what_those_see_who_wait_when_the_last_ivar_goes_away) {
  Simulation().run([]() -> Deferred<> {
    Events events;
    std::optional<Ivar<int>> ivar(std::in_place);
    const auto wait = [](Deferred<int> d, Events& log) -> Deferred<> {
      const auto local = goodbye(log, "local");
      try {
        co_await d;
      } catch (const Abandoned&) {
        log.emplace_back("abandoned");
      }
    };
    const Deferred<> waiting = wait(ivar->read(), events);
    ivar.reset();
    EXPECT_THAT(events, IsEmpty());
    co_await waiting;
    EXPECT_THAT(events, ElementsAre("abandoned", "local gone"));
  });
}

TEST(Abandoned, does_not_come_as_long_as_one_ivar_is_left) {
  Simulation().run([]() -> Deferred<> {
    auto ivars = std::make_optional<std::vector<Ivar<int>>>(3);
    const Deferred<int> d = ivars->front().read();
    ivars->assign(3, ivars->front());
    Ivar<int> last = ivars->back();
    ivars.reset();
    co_await settle();
    EXPECT_FALSE(d.is_determined());
    Ivar<int> moved = std::move(last);
    last = Ivar<int>();
    co_await settle();
    EXPECT_FALSE(d.is_determined());
    moved = Ivar<int>();
    EXPECT_TRUE(co_await is_abandoned(d));
  });
}

TEST(Abandoned, is_a_failure_to_whoever_looks_or_waits_later) {
  Simulation().run([]() -> Deferred<> {
    const Deferred<int> d = abandoned<int>();
    EXPECT_TRUE(d.is_determined());
    EXPECT_EQ(d.peek(), std::nullopt);
    int caught = 0;
    for (int i = 0; i < 2; ++i) {
      try {
        co_await d;
      } catch (const Abandoned&) {
        ++caught;
      }
    }
    EXPECT_EQ(caught, 2);
  });
}

TEST(Abandoned, is_silent_when_nobody_waits) {
  const Captured_log log;
  Simulation().run([]() -> Deferred<> {
    {
      const Deferred<int> d = abandoned<int>();
      const Deferred<> unit = abandoned();
      dont_wait_for(unit);
      const Ivar<> ivar;
      dont_wait_for(ivar.read());
    }
    co_await settle();
  });
  EXPECT_THAT(log.errors(), IsEmpty());
}

TEST(Abandoned, of_one_that_was_filled_does_not_come) {
  Simulation().run([]() -> Deferred<> {
    std::optional<Ivar<int>> ivar(std::in_place);
    const Deferred<int> d = ivar->read();
    ivar->fill(1);
    ivar.reset();
    EXPECT_EQ(co_await d, 1);
  });
}

TEST(Abandoned, that_escapes_from_a_coroutine_is_a_failure_like_any_other) {
  Simulation().run([]() -> Deferred<> {
    const Recording_monitor listener;
    listener.under([] {
      const auto wait = [](Deferred<> d) -> Deferred<> { co_await d; };
      Deferred<> dropped = wait(abandoned());
    });
    co_await settle();
    EXPECT_THAT(listener.heard(), ElementsAre(HasSubstr("abandoned")));
  });
}

TEST(Abandoned, that_is_passed_on_is_a_failure_like_any_other) {
  Simulation().run([]() -> Deferred<> {
    const Recording_monitor mapper("map");
    const Recording_monitor binder("bind");
    const Recording_monitor handler("upon");
    bool called = false;
    const auto call = [&] { called = true; };
    {
      const Deferred<> d = abandoned();
      mapper.under([&] { Deferred<> dropped = d.map(call); });
      binder.under([&] {
        Deferred<> dropped = d.bind([&] {
          call();
          return determined();
        });
      });
      handler.under([&] { d.upon(call); });
    }
    co_await settle();
    for (const Recording_monitor* listener : {&mapper, &binder, &handler}) {
      EXPECT_THAT(listener->heard(), ElementsAre(HasSubstr("abandoned")))
          << listener->monitor().name();
    }
    EXPECT_FALSE(called);
  });
}

TEST(Abandoned, reaches_waiters_through_bind) {
  Simulation().run([]() -> Deferred<> {
    std::optional<Ivar<int>> ivar(std::in_place);
    const Deferred<int> inner = ivar->read();
    const Deferred<int> outer = determined().bind([inner] { return inner; });
    const Deferred<int> outermost = determined().bind([outer] { return outer; });
    co_await settle();
    EXPECT_FALSE(outermost.is_determined());
    ivar.reset();
    EXPECT_TRUE(co_await is_abandoned(inner));
    EXPECT_TRUE(co_await is_abandoned(outer));
    EXPECT_TRUE(co_await is_abandoned(outermost));
  });
}

TEST(Abandoned, is_what_bind_gives_when_its_function_returns_something_abandoned) {
  Simulation().run([]() -> Deferred<> {
    const Deferred<int> later = determined().bind([] {
      const Ivar<int> ivar;
      Clock::Event::run_after(std::chrono::seconds(1), [ivar] {});
      return ivar.read();
    });
    const Deferred<int> at_once = determined().bind([] { return abandoned<int>(); });
    EXPECT_TRUE(co_await is_abandoned(at_once));
    EXPECT_FALSE(later.is_determined());
    EXPECT_TRUE(co_await is_abandoned(later));
  });
}

// Nothing but itself could determine it.
TEST(Abandoned, is_a_bind_whose_function_returns_its_own_result) {
  Simulation().run([]() -> Deferred<> {
    std::optional<Deferred<int>> result;
    result = determined().bind([&] { return *result; });
    EXPECT_TRUE(co_await is_abandoned(*result));
    std::optional<Deferred<int>> chosen;
    chosen = choose(choice(determined(), [&] { return *chosen; }));
    EXPECT_TRUE(co_await is_abandoned(*chosen));
  });
}

TEST(Abandoned, comes_when_the_coroutine_that_holds_the_ivar_ends) {
  Simulation().run([]() -> Deferred<> {
    const Ivar<> go;
    std::optional<Deferred<int>> d;
    const auto hold = [&]() -> Deferred<> {
      const Ivar<int> ivar;
      d = ivar.read();
      co_await go.read();
    };
    const Deferred<> holding = hold();
    co_await settle();
    EXPECT_FALSE(d->is_determined());
    go.fill();
    EXPECT_TRUE(co_await is_abandoned(*d));
  });
}

TEST(Abandoned, a_choice_leaves_the_race) {
  Simulation().run([]() -> Deferred<> {
    Events events;
    std::optional<Ivar<int>> early(std::in_place);
    const Ivar<int> late;
    const auto same = [](int x) { return x; };
    const Deferred<int> d =
        choose(choice(abandoned<int>(), [probe = goodbye(events, "first")](int x) { return x; }),
               choice(early->read(), [probe = goodbye(events, "second")](int x) { return x; }),
               choice(late.read(), same));
    co_await settle();
    EXPECT_THAT(events, ElementsAre("first gone"));
    early.reset();
    co_await settle();
    EXPECT_FALSE(d.is_determined());
    EXPECT_THAT(events, ElementsAre("first gone", "second gone"));
    late.fill(3);
    EXPECT_EQ(co_await d, 3);
  });
}

TEST(Abandoned, a_choice_that_is_already_loses_against_one_that_is_ready) {
  Simulation().run([]() -> Deferred<> {
    const auto same = [](int x) { return x; };
    EXPECT_EQ(co_await choose(choice(abandoned<int>(), same), choice(determined(2), same)), 2);
    std::vector<Deferred<int>> any_of = {abandoned<int>(), determined(3)};
    EXPECT_EQ(co_await any(std::move(any_of)), 3);
  });
}

TEST(Abandoned, a_choice_is_when_all_are) {
  Simulation().run([]() -> Deferred<> {
    const auto same = [](int x) { return x; };
    std::vector<Ivar<int>> ivars(2);
    const Deferred<int> chosen =
        choose(choice(ivars[0].read(), same), choice(ivars[1].read(), same));
    const Deferred<int> first = any(std::vector{ivars[0].read(), ivars[1].read()});
    const Deferred<> unit = any_unit(ivars[0].read(), ivars[1].read());
    ivars.pop_back();
    co_await settle();
    EXPECT_FALSE(chosen.is_determined());
    ivars.pop_back();
    EXPECT_TRUE(co_await is_abandoned(chosen));
    EXPECT_TRUE(co_await is_abandoned(first));
    EXPECT_TRUE(co_await is_abandoned(unit));
    EXPECT_TRUE(co_await is_abandoned(choose(choice(abandoned<int>(), same))));
  });
}

TEST(Abandoned, a_choice_is_silent_when_nobody_waits_for_it) {
  const Captured_log log;
  Simulation().run([]() -> Deferred<> {
    {
      Deferred<int> dropped = choose(choice(abandoned<int>(), [](int x) { return x; }));
    }
    co_await settle();
  });
  EXPECT_THAT(log.errors(), IsEmpty());
}

TEST(Abandoned, fails_both_and_all) {
  Simulation().run([]() -> Deferred<> {
    EXPECT_TRUE(co_await is_abandoned(both(never<int>(), abandoned<int>())));
    EXPECT_TRUE(co_await is_abandoned(all(std::vector{determined(1), abandoned<int>()})));
    EXPECT_TRUE(co_await is_abandoned(all_unit({never(), abandoned()})));
  });
}

TEST(Abandoned, to_stop_means_that_it_will_never_come) {
  Simulation().run([]() -> Deferred<> {
    int calls = 0;
    std::optional<Ivar<>> stop(std::in_place);
    Clock::every(std::chrono::seconds(1), {.stop = stop->read()}, [&] { ++calls; });
    co_await Clock::after(std::chrono::milliseconds(1500));
    stop.reset();
    co_await Clock::after(std::chrono::seconds(3));
    EXPECT_EQ(calls, 5);
  });
}

TEST(Abandoned, to_stop_means_that_it_will_never_come_though_it_was_so_from_the_start) {
  Simulation().run([]() -> Deferred<> {
    int calls = 0;
    Clock::every(std::chrono::seconds(1), {.stop = abandoned()}, [&] { ++calls; });
    co_await Clock::after(std::chrono::milliseconds(1500));
    EXPECT_EQ(calls, 2);
  });
}

// Documented: such a callable keeps the result from being abandoned until the scheduler ends.
TEST(Abandoned, does_not_come_while_the_callable_holds_the_ivar_of_what_it_returned) {
  Events events;
  Simulation().run([&]() -> Deferred<> {
    const Deferred<> d = determined().bind(
        [ivar = Ivar<>(), probe = goodbye(events, "callable")] { return ivar.read(); });
    co_await settle();
    EXPECT_FALSE(d.is_determined());
    EXPECT_THAT(events, IsEmpty());
  });
  EXPECT_THAT(events, ElementsAre("callable gone"));
}

TEST(Never, is_not_determined_and_has_no_value) {
  Simulation().run([]() -> Deferred<> {
    EXPECT_FALSE(never<int>().is_determined());
    EXPECT_EQ(never<int>().peek(), std::nullopt);
    dont_wait_for(never());
    co_return;
  });
}

TEST(Never, tells_nobody_who_waits) {
  Events events;
  Simulation().run([&]() -> Deferred<> {
    const auto wait = [&](std::string name, Deferred<> d) -> Deferred<> {
      const auto local = goodbye(events, name);
      co_await d;
      events.push_back(name + " went on");
    };
    const std::vector waiting = {
        wait("never", never()),
        wait("map", never().map([] {})),
        wait("bind", never().bind([] { return determined(); })),
        wait("or_error", or_error(never()).map([](const Or_error<void>&) {})),
        wait("returned by bind", determined().bind([] { return never(); })),
        wait("returned by choose", choose(choice(determined(), [] { return never(); }))),
        wait("choose", choose(choice(never(), [] {}), choice(abandoned(), [] {}))),
        wait("all", all_unit({never(), determined()})),
        wait("both", both(never(), determined()).map([](const auto&) {})),
        wait("try_with", try_with([] { return never(); }).map([](const auto&) {})),
    };
    co_await Clock::after(std::chrono::hours(1));
    EXPECT_THAT(events, IsEmpty());
    for (const Deferred<>& d : waiting) EXPECT_FALSE(d.is_determined());
  });
  EXPECT_EQ(events.size(), 10u);
  EXPECT_THAT(events, ::testing::Each(HasSubstr(" gone")));
}

TEST(Never, drops_what_waits_for_a_map_of_it) {
  Simulation().run([]() -> Deferred<> {
    Events events;
    Deferred<> chain = never().map([probe = goodbye(events, "map")] {});
    chain.upon([probe = goodbye(events, "upon")] {});
    EXPECT_THAT(events, ElementsAre("map gone", "upon gone"));
    co_return;
  });
}

// The chain hangs on a deferred that turns out to be never.
TEST(Never, drops_a_chain_when_bind_turns_out_to_be_never) {
  Simulation().run([]() -> Deferred<> {
    Events events;
    const Ivar<> go;
    Deferred<> d = go.read().bind([] { return never(); });
    d.map([probe = goodbye(events, "map")] {})
        .bind([probe = goodbye(events, "bind")] { return determined(); })
        .upon([probe = goodbye(events, "upon")] {});
    co_await settle();
    EXPECT_THAT(events, IsEmpty());
    go.fill();
    co_await settle();
    EXPECT_THAT(events, ElementsAre("map gone", "bind gone", "upon gone"));
    EXPECT_FALSE(d.is_determined());
  });
}

TEST(Never, leaves_a_simulation_stuck) {
  EXPECT_THROW(Simulation().run([]() -> Deferred<> { co_await never(); }), Stuck);
}

}  // namespace
}  // namespace async
