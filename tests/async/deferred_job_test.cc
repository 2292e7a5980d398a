// When handlers run, in which order, and where.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "async/async.h"
#include "async/testing/simulation.h"
#include "tests/support/goodbye.h"

namespace async {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::Simulation;
using ::testing::UnorderedElementsAre;

TEST(Deferred_jobs, handlers_do_not_run_inside_fill) {
  Simulation().run([]() -> Deferred<> {
    Events events;
    const Ivar<int> ivar;
    const Deferred<int> d = ivar.read();
    d.upon([&](int) { events.emplace_back("upon"); });
    const Deferred<> mapped = d.map([&](int) { events.emplace_back("map"); });
    const Deferred<> bound = d.bind([&](int) {
      events.emplace_back("bind");
      return determined();
    });
    ivar.fill(1);
    EXPECT_THAT(events, IsEmpty());
    co_await bound;
    EXPECT_THAT(events, ElementsAre("upon", "map", "bind"));
  });
}

TEST(Deferred_jobs, handlers_do_not_run_inside_fail) {
  Simulation().run([]() -> Deferred<> {
    const Ivar<int> ivar;
    const Deferred<Or_error<int>> result = or_error(ivar.read());
    ivar.fail(Error("x"));
    EXPECT_FALSE(result.is_determined());
    EXPECT_FALSE(co_await result);
  });
}

TEST(Deferred_jobs, handlers_do_not_run_inside_registration) {
  Simulation().run([]() -> Deferred<> {
    Events events;
    const Deferred<int> d = determined(1);
    d.upon([&](int) { events.emplace_back("upon"); });
    const Deferred<> mapped = d.map([&](int) { events.emplace_back("map"); });
    const Deferred<> bound = d.bind([&](int) {
      events.emplace_back("bind");
      return determined();
    });
    EXPECT_THAT(events, IsEmpty());
    EXPECT_FALSE(mapped.is_determined());
    EXPECT_FALSE(bound.is_determined());
    co_await bound;
    EXPECT_THAT(events, ElementsAre("upon", "map", "bind"));
  });
}

TEST(Deferred_jobs, handlers_run_in_the_order_in_which_they_were_registered) {
  Simulation().run([]() -> Deferred<> {
    Events events;
    const Ivar<> ivar;
    const Deferred<> d = ivar.read();
    const auto say = [&](std::string text) {
      return [&events, text = std::move(text)] { events.push_back(text); };
    };
    const auto await = [](Deferred<> wait, Events& log) -> Deferred<> {
      co_await wait;
      log.emplace_back("3 coroutine");
    };
    d.upon(say("1 upon"));
    const Deferred<> mapped = d.map(say("2 map"));
    const Deferred<> coroutine = await(d, events);
    const Deferred<> bound = d.bind([&] {
      events.emplace_back("4 bind");
      return determined();
    });
    const Deferred<> chosen = choose(choice(d, say("5 choose")));
    d.upon(say("6 upon"));
    ivar.fill();
    d.upon(say("7 upon"));
    co_await Scheduler::yield_until_no_jobs_remain();
    EXPECT_THAT(events, ElementsAre("1 upon", "2 map", "3 coroutine", "4 bind", "5 choose",
                                    "6 upon", "7 upon"));
  });
}

TEST(Deferred_jobs, are_run_in_the_order_in_which_they_came_to_be) {
  Simulation().run([]() -> Deferred<> {
    Events events;
    const Ivar<> first;
    const Ivar<> second;
    first.read().upon([&] { events.emplace_back("first"); });
    second.read().upon([&] { events.emplace_back("second"); });
    determined().upon([&] { events.emplace_back("determined"); });
    second.fill();
    determined().upon([&] { events.emplace_back("determined later"); });
    first.fill();
    EXPECT_THAT(events, IsEmpty());
    co_await Scheduler::yield_until_no_jobs_remain();
    EXPECT_THAT(events, ElementsAre("determined", "second", "determined later", "first"));
  });
}

TEST(Deferred_jobs, do_not_nest) {
  Simulation().run([]() -> Deferred<> {
    Events events;
    const Ivar<> outer;
    const Ivar<> inner;
    inner.read().upon([&] { events.emplace_back("inner"); });
    outer.read().upon([&] {
      events.emplace_back("begin");
      inner.fill();
      determined().upon([&] { events.emplace_back("nested"); });
      events.emplace_back("end");
    });
    outer.read().upon([&] { events.emplace_back("next"); });
    outer.fill();
    co_await Scheduler::yield_until_no_jobs_remain();
    EXPECT_THAT(events, ElementsAre("begin", "end", "next", "inner", "nested"));
  });
}

// Each step of a chain is a job of its own, behind those that wait already.
TEST(Deferred_jobs, the_steps_of_a_chain_take_turns_with_others) {
  Simulation().run([]() -> Deferred<> {
    Events events;
    const Ivar<> ivar;
    ivar.read()
        .map([&] { events.emplace_back("a1"); })
        .bind([&] {
          events.emplace_back("a2");
          return determined();
        })
        .upon([&] { events.emplace_back("a3"); });
    ivar.read()
        .bind([&] {
          events.emplace_back("b1");
          return determined();
        })
        .map([&] { events.emplace_back("b2"); })
        .upon([&] { events.emplace_back("b3"); });
    ivar.fill();
    co_await Scheduler::yield_until_no_jobs_remain();
    EXPECT_THAT(events, ElementsAre("a1", "b1", "a2", "b2", "a3", "b3"));
  });
}

TEST(Deferred_jobs, handlers_of_what_bind_returned_run_in_order_behind_those_of_bind) {
  Simulation().run([]() -> Deferred<> {
    Events events;
    const Ivar<> ivar;
    const Deferred<> inner = ivar.read();
    inner.upon([&] { events.emplace_back("inner 1"); });
    inner.upon([&] { events.emplace_back("inner 2"); });
    const Deferred<> outer = determined().bind([=] { return inner; });
    outer.upon([&] { events.emplace_back("outer 1"); });
    outer.upon([&] { events.emplace_back("outer 2"); });
    co_await Scheduler::yield_until_no_jobs_remain();
    inner.upon([&] { events.emplace_back("late inner"); });
    outer.upon([&] { events.emplace_back("late outer"); });
    ivar.fill();
    co_await Scheduler::yield_until_no_jobs_remain();
    EXPECT_THAT(events, UnorderedElementsAre("inner 1", "inner 2", "outer 1", "outer 2",
                                             "late inner", "late outer"));
    const auto at = [&](const std::string& what) {
      return std::find(events.begin(), events.end(), what) - events.begin();
    };
    EXPECT_LT(at("inner 1"), at("inner 2"));
    EXPECT_LT(at("outer 1"), at("outer 2"));
    EXPECT_EQ(at("late inner"), 4);
    EXPECT_EQ(at("late outer"), 5);
  });
}

TEST(Deferred_jobs, both_handles_of_what_bind_returned_see_it_determined) {
  Simulation().run([]() -> Deferred<> {
    const Ivar<int> ivar;
    const Deferred<int> outer = determined().bind([=] { return ivar.read(); });
    const Deferred<int> second = determined().bind([=] { return ivar.read(); });
    co_await Scheduler::yield_until_no_jobs_remain();
    EXPECT_FALSE(outer.is_determined());
    ivar.fill(5);
    EXPECT_EQ(outer.peek(), 5);
    EXPECT_EQ(second.peek(), 5);
    EXPECT_EQ(ivar.read().peek(), 5);
    co_return;
  });
}

TEST(Deferred_jobs, handlers_run_where_they_were_registered) {
  static const Scheduler::Local_key<std::string> key;
  Simulation().run([]() -> Deferred<> {
    Events events;
    const auto say = [&](const std::string& who) {
      const std::string* local = Scheduler::find_local(key);
      events.push_back(who + ": " + Monitor::current().name() + ", " + (local ? *local : "none"));
    };
    const Ivar<> ivar;
    const Deferred<> d = ivar.read();
    const Monitor monitor = Monitor::create("m");
    d.upon([&] { say("outside"); });
    Scheduler::within({.monitor = monitor}, [&] {
      d.upon([&] { say("under m"); });
      Scheduler::with_local(key, std::string("value"), [&] {
        const Deferred<> mapped = d.map([&] { say("map"); });
        const Deferred<> bound = d.bind([&] {
          say("bind");
          return determined();
        });
        determined().upon([&] { say("determined"); });
      });
    });
    const Monitor other = Monitor::create("other");
    Scheduler::within({.monitor = other}, [&] { ivar.fill(); });
    co_await Scheduler::yield_until_no_jobs_remain();
    EXPECT_THAT(events, ElementsAre("determined: m, value", "outside: main, none",
                                    "under m: m, none", "map: m, value", "bind: m, value"));
  });
}

TEST(Deferred_jobs, first_in_first_out_holds_per_priority) {
  Simulation().run([]() -> Deferred<> {
    Events events;
    const Ivar<> ivar;
    const auto say = [&](std::string text) {
      ivar.read().upon([&events, text = std::move(text)] { events.push_back(text); });
    };
    Scheduler::within({.priority = Priority::Low}, [&] { say("low 1"); });
    say("normal 1");
    Scheduler::within({.priority = Priority::Low}, [&] { say("low 2"); });
    say("normal 2");
    ivar.fill();
    co_await Scheduler::yield_until_no_jobs_remain();
    EXPECT_THAT(events, ElementsAre("normal 1", "normal 2", "low 1", "low 2"));
  });
}

TEST(Deferred_jobs, a_handler_is_destroyed_once_it_has_run) {
  Simulation().run([]() -> Deferred<> {
    Events events;
    const Ivar<> ivar;
    ivar.read().upon([&, probe = goodbye(events, "upon")] { events.emplace_back("upon"); });
    const Deferred<> mapped =
        ivar.read().map([&, probe = goodbye(events, "map")] { events.emplace_back("map"); });
    const Deferred<> bound = ivar.read().bind([&, probe = goodbye(events, "bind")] {
      events.emplace_back("bind");
      return determined();
    });
    ivar.fill();
    co_await Scheduler::yield_until_no_jobs_remain();
    EXPECT_THAT(events, ElementsAre("upon", "upon gone", "map", "map gone", "bind", "bind gone"));
  });
}

TEST(Deferred_jobs, a_handler_of_never_is_dropped_at_once) {
  Simulation().run([]() -> Deferred<> {
    Events events;
    never().upon([probe = goodbye(events, "upon")] {});
    const Deferred<> mapped = never().map([probe = goodbye(events, "map")] {});
    const Deferred<> bound =
        never().bind([probe = goodbye(events, "bind")] { return determined(); });
    EXPECT_THAT(events, ElementsAre("upon gone", "map gone", "bind gone"));
    EXPECT_FALSE(mapped.is_determined());
    EXPECT_FALSE(bound.is_determined());
    co_return;
  });
}

// When the first handler lets the last other handle go, the next must still find the value.
TEST(Deferred_jobs, a_handler_may_drop_the_last_handle) {
  Simulation().run([]() -> Deferred<> {
    Events events;
    std::optional<Ivar<std::string>> ivar(std::in_place);
    std::optional<Deferred<std::string>> d = ivar->read();
    d->upon([&](const std::string& s) {
      ivar.reset();
      d.reset();
      events.push_back("first " + s);
    });
    d->upon([&](const std::string& s) { events.push_back("second " + s); });
    ivar->fill("text");
    co_await Scheduler::yield_until_no_jobs_remain();
    EXPECT_THAT(events, ElementsAre("first text", "second text"));
  });
}

TEST(Deferred_jobs, bind_waits_for_what_its_function_returned) {
  Simulation().run([]() -> Deferred<> {
    const Ivar<int> ivar;
    const Deferred<int> bound =
        determined(1).bind([=](int x) { return ivar.read().map([=](int y) { return x + y; }); });
    co_await Scheduler::yield_until_no_jobs_remain();
    EXPECT_FALSE(bound.is_determined());
    ivar.fill(2);
    EXPECT_EQ(co_await bound, 3);
  });
}

TEST(Deferred_jobs, a_function_may_return_a_reference_to_what_it_was_given) {
  Simulation().run([]() -> Deferred<> {
    const std::string text(100, 'a');
    Deferred<std::string> d = determined(text);
    const Deferred<std::string> other = d;
    EXPECT_EQ(co_await d.map(std::identity()), text);
    EXPECT_EQ(co_await std::move(d).map(std::identity()), text);
    EXPECT_EQ(co_await other, text);
  });
}

}  // namespace
}  // namespace async
