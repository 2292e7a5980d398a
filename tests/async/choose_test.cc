// Who wins.  choose_loser_test.cc has what becomes of those that lose.

#include "async/choose.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "async/async.h"
#include "async/testing/simulation.h"
#include "tests/support/counts_copies.h"
#include "tests/support/goodbye.h"
#include "tests/support/recording_monitor.h"

namespace async {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::Simulation;

using Unique = std::unique_ptr<int>;

Deferred<> settle() { return Scheduler::yield_until_no_jobs_remain(); }

/// `name_of(name)` is a choice's function that says which it is.
auto name_of(std::string name) {
  return [name = std::move(name)](auto&&...) { return name; };
}

TEST(Choose, is_determined_by_the_first) {
  Simulation().run([]() -> Deferred<> {
    const Ivar<int> first;
    const Ivar<std::string> second;
    int calls = 0;
    const Deferred<std::string> d = choose(choice(first.read(),
                                                  [&](int x) {
                                                    ++calls;
                                                    return std::to_string(x);
                                                  }),
                                           choice(second.read(), [&](const std::string& s) {
                                             ++calls;
                                             return s;
                                           }));
    co_await settle();
    EXPECT_FALSE(d.is_determined());
    second.fill("second");
    EXPECT_EQ(co_await d, "second");
    first.fill(1);
    co_await settle();
    EXPECT_EQ(d.peek(), "second");
    EXPECT_EQ(calls, 1);
  });
}

TEST(Choose, calls_its_functions_in_jobs) {
  Simulation().run([]() -> Deferred<> {
    Events events;
    const Ivar<> ivar;
    const auto say = [&] { events.emplace_back("called"); };
    const Deferred<> waiting = choose(choice(ivar.read(), say));
    ivar.fill();
    EXPECT_THAT(events, IsEmpty());
    const Deferred<> ready = choose(choice(determined(), say));
    EXPECT_THAT(events, IsEmpty());
    EXPECT_FALSE(ready.is_determined());
    co_await settle();
    EXPECT_THAT(events, ElementsAre("called", "called"));
  });
}

TEST(Choose, takes_the_first_in_the_order_given_of_those_that_are_ready) {
  Simulation().run([]() -> Deferred<> {
    EXPECT_EQ(
        co_await choose(choice(never(), name_of("never")), choice(determined(1), name_of("1")),
                        choice(determined(2), name_of("2"))),
        "1");
  });
}

TEST(Choose, takes_the_first_in_the_order_given_even_if_it_came_later) {
  Simulation().run([]() -> Deferred<> {
    const Ivar<> first;
    const Ivar<> second;
    const auto race = [&] {
      return choose(choice(first.read(), name_of("first")),
                    choice(second.read(), name_of("second")));
    };
    const Deferred<std::string> waiting = race();
    second.fill();
    const Deferred<std::string> half_ready = race();
    first.fill();
    EXPECT_EQ(co_await waiting, "first");
    EXPECT_EQ(co_await half_ready, "first");
  });
}

TEST(Choose, runs_the_function_where_choose_was_called) {
  Simulation().run([]() -> Deferred<> {
    const Ivar<> ivar;
    const Monitor monitor = Monitor::create("m");
    const Deferred<std::string> d = Scheduler::within({.monitor = monitor}, [&] {
      return choose(choice(ivar.read(), [] { return Monitor::current().name(); }));
    });
    ivar.fill();
    EXPECT_EQ(co_await d, "m");
  });
}

TEST(Choose, a_failure_that_comes_first_wins_and_is_rethrown) {
  Simulation().run([]() -> Deferred<> {
    bool called = false;
    const Ivar<int> failing;
    const Ivar<int> other;
    const auto call = [&](int) { called = true; };
    const Deferred<> d = choose(choice(other.read(), call), choice(failing.read(), call));
    failing.fail(std::out_of_range("x"));
    std::string caught;
    try {
      co_await d;
    } catch (const std::out_of_range& e) {
      caught = e.what();
    }
    EXPECT_EQ(caught, "x");
    const Deferred<> ready = choose(choice(failing.read(), call), choice(determined(1), call));
    EXPECT_TRUE((co_await or_error(ready)).error().as<std::out_of_range>());
    EXPECT_FALSE(called);
  });
}

TEST(Choose, that_is_dropped_reports_the_failure_that_won) {
  Simulation().run([]() -> Deferred<> {
    const Recording_monitor listener;
    listener.under([] { Deferred<> dropped = choose(choice(failed(Error("x")), [] {})); });
    co_await settle();
    EXPECT_THAT(listener.heard(), ElementsAre("x"));
  });
}

TEST(Choose, fails_when_the_function_throws_and_calls_no_other) {
  Simulation().run([]() -> Deferred<> {
    bool called = false;
    const Deferred<int> d =
        choose(choice(determined(), []() -> int { throw std::out_of_range("x"); }),
               choice(determined(), [&] {
                 called = true;
                 return 2;
               }));
    EXPECT_TRUE((co_await or_error(d)).error().as<std::out_of_range>());
    EXPECT_FALSE(called);
  });
}

TEST(Choose, that_is_dropped_calls_the_function_all_the_same) {
  Simulation().run([]() -> Deferred<> {
    const Recording_monitor listener;
    bool called = false;
    const Ivar<> ivar;
    listener.under([&] {
      Deferred<> dropped = choose(choice(ivar.read(), [&] {
        called = true;
        throw std::runtime_error("x");
      }));
    });
    ivar.fill();
    co_await settle();
    EXPECT_TRUE(called);
    EXPECT_THAT(listener.heard(), ElementsAre("x"));
  });
}

TEST(Choose, waits_for_the_deferred_that_a_function_returns) {
  Simulation().run([]() -> Deferred<> {
    const Ivar<int> later;
    const auto d = choose(choice(
        determined(1), [&](int x) { return later.read().map([x](int y) { return x + y; }); }));
    static_assert(std::is_same_v<decltype(d), const Deferred<int>>);
    co_await settle();
    EXPECT_FALSE(d.is_determined());
    later.fill(2);
    EXPECT_EQ(co_await d, 3);
  });
}

TEST(Choose, functions_may_return_deferreds_that_are_ready_failing_or_throw) {
  Simulation().run([]() -> Deferred<> {
    const auto ready = choose(choice(determined(1), [](int x) { return determined(x); }));
    const auto failure = choose(choice(determined(), [] { return failed<int>(Error("failed")); }));
    const auto late = choose(choice(determined(), []() -> Deferred<int> {
      co_await Scheduler::yield();
      throw std::runtime_error("late");
    }));
    const auto thrown =
        choose(choice(determined(), []() -> Deferred<int> { throw std::runtime_error("thrown"); }));
    EXPECT_EQ(co_await ready, 1);
    EXPECT_STREQ((co_await or_error(failure)).error().what(), "failed");
    EXPECT_STREQ((co_await or_error(late)).error().what(), "late");
    EXPECT_STREQ((co_await or_error(thrown)).error().what(), "thrown");
  });
}

TEST(Choose, mixes_functions_that_return_values_and_deferreds) {
  Simulation().run([]() -> Deferred<> {
    const Ivar<> ivar;
    const auto race = [&] {
      return choose(choice(ivar.read(), [] { return determined(1); }),
                    choice(Clock::after(std::chrono::seconds(1)), [] { return 2; }));
    };
    EXPECT_EQ(co_await race(), 2);
    ivar.fill();
    EXPECT_EQ(co_await race(), 1);
  });
}

TEST(Choose, moves_move_only_values) {
  Simulation().run([]() -> Deferred<> {
    const auto same = [](Unique p) { return p; };
    const Ivar<Unique> ivar;
    Deferred<Unique> d = choose(choice(ivar.read(), same), choice(never<Unique>(), same));
    ivar.fill(std::make_unique<int>(1));
    EXPECT_EQ(*co_await std::move(d), 1);
  });
}

TEST(Choose, of_an_rvalue_moves_and_of_an_lvalue_shows_the_value) {
  Simulation().run([]() -> Deferred<> {
    const auto later = []() -> Deferred<Counts_copies> {
      co_await Scheduler::yield();
      co_return Counts_copies(1);
    };
    const auto by_value = [](Counts_copies value) { return value.copies; };
    EXPECT_EQ(co_await choose(choice(determined(Counts_copies(1)), by_value)), 0);
    EXPECT_EQ(co_await choose(choice(later(), by_value), choice(later(), by_value)), 0);
    const Deferred<Counts_copies> d = later();
    const Counts_copies* seen =
        co_await choose(choice(d, [](const Counts_copies& c) { return &c; }));
    const Counts_copies& value = co_await d;
    EXPECT_EQ(seen, &value);
    EXPECT_EQ(value.copies, 0);
  });
}

TEST(Choose, may_have_the_same_deferred_twice) {
  Simulation().run([]() -> Deferred<> {
    const Ivar<int> ivar;
    const Deferred<int> same = ivar.read();
    const auto d = choose(choice(same, name_of("first")), choice(same, name_of("second")));
    ivar.fill(1);
    EXPECT_EQ(co_await d, "first");
  });
}

TEST(Choose, nests) {
  Simulation().run([]() -> Deferred<> {
    const Ivar<> a;
    const Ivar<> b;
    const auto same = [](std::string s) { return s; };
    const auto d = choose(choice(choose(choice(a.read(), name_of("a"))), same),
                          choice(choose(choice(b.read(), name_of("b"))), same));
    b.fill();
    EXPECT_EQ(co_await d, "b");
  });
}

TEST(Choose, between_deferreds_that_bind_has_linked) {
  Simulation().run([]() -> Deferred<> {
    const Ivar<int> ivar;
    const Deferred<int> inner = ivar.read();
    const auto before = choose(choice(inner, name_of("inner")), choice(never(), name_of("never")));
    const Deferred<int> outer = determined().bind([=] { return inner; });
    co_await settle();
    const auto after = choose(choice(outer, name_of("outer")), choice(inner, name_of("inner")));
    ivar.fill(1);
    EXPECT_EQ(co_await before, "inner");
    EXPECT_EQ(co_await after, "outer");
  });
}

TEST(Choose, from_a_vector) {
  Simulation().run([]() -> Deferred<> {
    std::vector<Ivar<int>> ivars(5);
    const auto same = [](int x) { return x; };
    std::vector<decltype(choice(ivars[0].read(), same))> choices;
    for (const Ivar<int>& ivar : ivars) choices.push_back(choice(ivar.read(), same));
    const Deferred<int> d = choose(std::move(choices));
    ivars[4].fill(4);
    ivars[3].fill(3);
    EXPECT_EQ(co_await d, 3);
  });
}

TEST(Choose, from_no_choices_is_never) {
  Simulation().run([]() -> Deferred<> {
    const auto same = [](int x) { return x; };
    std::vector<decltype(choice(never<int>(), same))> none;
    const Deferred<int> chosen = choose(std::move(none));
    const Deferred<int> first = any(std::vector<Deferred<int>>());
    const Deferred<> unit = any_unit(std::vector<Deferred<int>>());
    co_await settle();
    EXPECT_FALSE(chosen.is_determined());
    EXPECT_FALSE(first.is_determined());
    EXPECT_FALSE(unit.is_determined());
  });
}

TEST(Any, is_determined_as_the_first_is) {
  Simulation().run([]() -> Deferred<> {
    const Ivar<int> first;
    const Ivar<int> second;
    const Deferred<int> d = any(std::vector{first.read(), second.read()});
    second.fill(2);
    EXPECT_EQ(co_await d, 2);
    const Deferred<int> failure = any(std::vector{first.read(), failed<int>(Error("x"))});
    EXPECT_STREQ((co_await or_error(failure)).error().what(), "x");
    co_await any(std::vector{never(), determined()});
  });
}

TEST(Any, moves_values_that_nobody_else_has) {
  Simulation().run([]() -> Deferred<> {
    std::vector<Deferred<Unique>> unique;
    unique.push_back(never<Unique>());
    unique.push_back(determined(std::make_unique<int>(1)));
    EXPECT_EQ(*co_await any(std::move(unique)), 1);
    const Counts_copies value = co_await any(std::vector{determined(Counts_copies(1))});
    EXPECT_LE(value.copies, 1);  // the initializer list copies the deferred, not the value
  });
}

TEST(Any_unit, is_determined_when_the_first_is_whatever_its_value) {
  Simulation().run([]() -> Deferred<> {
    const Ivar<int> number;
    const Ivar<std::string> text;
    const Deferred<> d = any_unit(number.read(), text.read(), never());
    const Deferred<> of_vector = any_unit(std::vector{never<int>(), number.read()});
    const Deferred<> failing = any_unit(never(), failed<int>(Error("x")));
    co_await settle();
    EXPECT_FALSE(d.is_determined());
    EXPECT_FALSE(of_vector.is_determined());
    text.fill("text");
    co_await d;
    number.fill(1);
    co_await of_vector;
    EXPECT_STREQ((co_await or_error(failing)).error().what(), "x");
    co_await any_unit(determined(std::make_unique<int>(1)), never());
  });
}

// A value that cannot be copied after all.
struct Uncopied {
  Uncopied() = default;
  Uncopied(const Uncopied&) { throw std::runtime_error("copied"); }
  Uncopied(Uncopied&&) noexcept = default;
};

TEST(Choose, fails_with_what_copying_the_value_of_the_winners_deferred_throws) {
  Simulation().run([]() -> Deferred<> {
    const Ivar<Uncopied> ivar;
    ivar.fill();
    const auto result =
        co_await or_error(choose(choice(determined(), [&] { return ivar.read(); })));
    EXPECT_STREQ(result.error().what(), "copied");
  });
}

}  // namespace
}  // namespace async
