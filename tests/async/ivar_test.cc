#include "async/ivar.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>

#include "async/async.h"
#include "async/testing/simulation.h"
#include "tests/support/goodbye.h"

namespace async {
namespace {

using ::testing::ElementsAre;
using testing::Simulation;

template <class T, class Arg>
concept Can_be_filled_with = requires(const Ivar<T>& ivar, Arg arg) { ivar.fill(arg); };

TEST(Ivar, is_empty_until_it_is_filled) {
  Simulation().run([]() -> Deferred<> {
    const Ivar<int> ivar;
    EXPECT_TRUE(ivar.is_empty());
    EXPECT_FALSE(ivar.read().is_determined());
    ivar.fill(3);
    EXPECT_TRUE(ivar.is_full());
    EXPECT_EQ(ivar.read().peek(), 3);
    EXPECT_EQ(co_await ivar.read(), 3);
  });
}

TEST(Ivar, the_value_can_be_seen_as_soon_as_fill_returns) {
  Simulation().run([]() -> Deferred<> {
    const Ivar<int> ivar;
    const Deferred<int> d = ivar.read();
    ivar.fill(3);
    EXPECT_TRUE(d.is_determined());
    EXPECT_EQ(d.peek(), 3);
    co_return;
  });
}

TEST(Ivar, refuses_a_second_value) {
  Simulation().run([]() -> Deferred<> {
    const Ivar<int> ivar;
    ivar.fill(1);
    EXPECT_THROW(ivar.fill(2), Already_filled);
    EXPECT_THROW(ivar.fail(Error("x")), Already_filled);
    EXPECT_EQ(ivar.read().peek(), 1);
    co_return;
  });
}

TEST(Ivar, refuses_a_value_after_a_failure) {
  Simulation().run([]() -> Deferred<> {
    const Ivar<int> ivar;
    ivar.fail(std::runtime_error("first"));
    EXPECT_TRUE(ivar.is_full());
    EXPECT_FALSE(ivar.is_empty());
    EXPECT_THROW(ivar.fill(2), Already_filled);
    EXPECT_THROW(ivar.fail(Error("second")), Already_filled);
    EXPECT_FALSE(ivar.fill_if_empty(3));
    EXPECT_EQ((co_await or_error(ivar.read())).error().what(), std::string("first"));
  });
}

TEST(Ivar, fill_if_empty_says_whether_it_did) {
  Simulation().run([]() -> Deferred<> {
    const Ivar<int> ivar;
    EXPECT_TRUE(ivar.fill_if_empty(1));
    EXPECT_FALSE(ivar.fill_if_empty(2));
    EXPECT_EQ(ivar.read().peek(), 1);
    co_return;
  });
}

TEST(Ivar, a_refused_value_stays_with_the_caller) {
  Simulation().run([]() -> Deferred<> {
    const Ivar<std::unique_ptr<int>> ivar;
    ivar.fill(std::make_unique<int>(1));
    auto p = std::make_unique<int>(2);
    EXPECT_FALSE(ivar.fill_if_empty(std::move(p)));
    EXPECT_THROW(ivar.fill(std::move(p)), Already_filled);
    EXPECT_TRUE(p);
    co_return;
  });
}

TEST(Ivar, makes_the_value_in_place) {
  struct Cannot_be_moved_from_outside {
    Cannot_be_moved_from_outside(int a, std::unique_ptr<int> b) : sum(a + *b) {}
    int sum;
  };
  Simulation().run([]() -> Deferred<> {
    const Ivar<std::string> text;
    text.fill(3u, 'x');
    EXPECT_EQ(text.read().peek(), "xxx");
    const Ivar<Cannot_be_moved_from_outside> sum;
    sum.fill(1, std::make_unique<int>(2));
    const Deferred<Cannot_be_moved_from_outside> d = sum.read();
    EXPECT_EQ((co_await d).sum, 3);
    const Ivar<> unit;
    unit.fill();
    EXPECT_TRUE(unit.is_full());
  });
}

TEST(Ivar, stays_empty_when_making_the_value_throws) {
  struct Picky {
    explicit Picky(int x) : x(x) {
      if (x < 0) throw std::invalid_argument("negative");
    }
    int x;
  };
  Simulation().run([]() -> Deferred<> {
    const Ivar<Picky> ivar;
    EXPECT_THROW(ivar.fill(-1), std::invalid_argument);
    EXPECT_THROW(ivar.fill_if_empty(-1), std::invalid_argument);
    EXPECT_TRUE(ivar.is_empty());
    ivar.fill(1);
    EXPECT_EQ((co_await ivar.read()).x, 1);
  });
}

TEST(Ivar, fails_with_any_kind_of_exception) {
  Simulation().run([]() -> Deferred<> {
    const auto message_of = [](const Ivar<int>& ivar) {
      return or_error(ivar.read()).map([](const Or_error<int>& r) {
        return std::string(r.error().what());
      });
    };
    const Ivar<int> by_error;
    by_error.fail(Error("error"));
    const Ivar<int> by_pointer;
    by_pointer.fail(std::make_exception_ptr(42));
    const Ivar<int> by_object;
    by_object.fail(std::out_of_range("object"));
    const Ivar<int> by_lvalue;
    const std::out_of_range lvalue("lvalue");
    by_lvalue.fail(lvalue);
    EXPECT_EQ(co_await message_of(by_error), "error");
    EXPECT_EQ(co_await message_of(by_pointer), "an exception of type int");
    EXPECT_EQ(co_await message_of(by_object), "object");
    EXPECT_EQ(co_await message_of(by_lvalue), "lvalue");
    EXPECT_TRUE((co_await or_error(by_object.read())).error().as<std::out_of_range>());
  });
}

TEST(Ivar, copies_share_the_cell) {
  Simulation().run([]() -> Deferred<> {
    const Ivar<int> ivar;
    const Ivar<int> copy = ivar;
    Ivar<int> assigned;
    assigned = copy;
    assigned.fill(5);
    EXPECT_TRUE(ivar.is_full());
    EXPECT_TRUE(copy.is_full());
    EXPECT_EQ(ivar.read().peek(), 5);
    co_return;
  });
}

TEST(Ivar, can_be_assigned_to_itself) {
  Simulation().run([]() -> Deferred<> {
    Ivar<int> ivar;
    const Deferred<int> d = ivar.read();
    auto& same = ivar;
    ivar = same;
    ivar = std::move(same);
    EXPECT_FALSE(d.is_determined());
    ivar.fill(1);
    EXPECT_EQ(d.peek(), 1);
    co_return;
  });
}

TEST(Ivar, can_be_read_any_number_of_times) {
  Simulation().run([]() -> Deferred<> {
    const Ivar<int> ivar;
    const Deferred<int> before = ivar.read();
    const Deferred<int> again = ivar.read();
    ivar.fill(5);
    const Deferred<int> after = ivar.read();
    EXPECT_EQ(co_await before + co_await again + co_await after, 15);
  });
}

TEST(Ivar, of_a_move_only_type_can_be_read_once) {
  Simulation().run([]() -> Deferred<> {
    const Ivar<std::unique_ptr<int>> ivar;
    Deferred<std::unique_ptr<int>> first = ivar.read();
    Deferred<std::unique_ptr<int>> second = Ivar(ivar).read();
    ivar.fill(std::make_unique<int>(1));
    const auto refused = co_await or_error(std::move(second));
    EXPECT_TRUE(refused.error().as<std::logic_error>());
    EXPECT_EQ(*co_await std::move(first), 1);
  });
}

TEST(Ivar, the_value_outlives_it) {
  Simulation().run([]() -> Deferred<> {
    std::optional<Ivar<int>> ivar(std::in_place);
    const Deferred<int> d = ivar->read();
    ivar->fill(1);
    ivar.reset();
    EXPECT_EQ(co_await d, 1);
  });
}

TEST(Ivar, keeps_its_value_while_it_can_be_read) {
  Simulation().run([]() -> Deferred<> {
    std::optional<Ivar<std::shared_ptr<int>>> ivar(std::in_place);
    auto value = std::make_shared<int>(1);
    const std::weak_ptr<int> watch = value;
    ivar->fill(std::move(value));
    EXPECT_EQ(*co_await ivar->read(), 1);
    EXPECT_FALSE(watch.expired());
    ivar.reset();
    EXPECT_TRUE(watch.expired());
  });
}

TEST(Ivar, can_be_filled_when_nobody_reads_it) {
  Simulation().run([]() -> Deferred<> {
    const Ivar<int> ivar;
    {
      const Deferred<int> dropped = ivar.read();
    }
    ivar.fill(1);
    EXPECT_EQ(ivar.read().peek(), 1);
    co_return;
  });
}

TEST(Ivar, runs_handlers_whose_deferred_was_dropped) {
  Simulation().run([]() -> Deferred<> {
    Events events;
    const Ivar<int> ivar;
    ivar.read().upon([&](int) { events.emplace_back("upon"); });
    ivar.fill(1);
    co_await Scheduler::yield_until_no_jobs_remain();
    EXPECT_THAT(events, ElementsAre("upon"));
  });
}

TEST(Ivar, can_be_filled_from_a_handler) {
  Simulation().run([]() -> Deferred<> {
    Events events;
    const Ivar<int> first;
    const Ivar<int> second;
    second.read().upon([&](int x) { events.push_back("second " + std::to_string(x)); });
    first.read().upon([&](int x) {
      EXPECT_FALSE(first.fill_if_empty(x));
      EXPECT_THROW(first.fill(x), Already_filled);
      second.fill(x + 1);
      events.emplace_back("first");
    });
    first.fill(1);
    co_await Scheduler::yield_until_no_jobs_remain();
    EXPECT_THAT(events, ElementsAre("first", "second 2"));
  });
}

TEST(Ivar, can_be_filled_when_all_that_waited_is_gone) {
  Simulation().run([]() -> Deferred<> {
    const Ivar<int> ivar;
    const int winner = co_await choose(choice(ivar.read(), [](int x) { return x; }),
                                       choice(determined(), [] { return 7; }));
    EXPECT_EQ(winner, 7);
    ivar.fill(1);
    co_await Scheduler::yield_until_no_jobs_remain();
    EXPECT_EQ(ivar.read().peek(), 1);
  });
}

// The callable that bind keeps holds the only handle, through which it is filled.
TEST(Ivar, may_be_destroyed_by_what_filling_it_sets_free) {
  Simulation().run([]() -> Deferred<> {
    Events events;
    const Ivar<int>* inside = nullptr;
    const Deferred<int> d =
        determined().bind([&inside, ivar = Ivar<int>(), probe = goodbye(events, "callable")] {
          inside = &ivar;
          return ivar.read();
        });
    co_await Scheduler::yield_until_no_jobs_remain();
    inside->fill(1);
    EXPECT_EQ(co_await d, 1);
    EXPECT_THAT(events, ElementsAre("callable gone"));
  });
}

TEST(Ivar, may_be_failed_by_what_failing_it_sets_free) {
  Simulation().run([]() -> Deferred<> {
    const Ivar<int>* inside = nullptr;
    const Deferred<int> d = determined().bind([&inside, ivar = Ivar<int>()] {
      inside = &ivar;
      return ivar.read();
    });
    co_await Scheduler::yield_until_no_jobs_remain();
    inside->fail(std::runtime_error("x"));
    EXPECT_EQ((co_await or_error(d)).error().what(), std::string("x"));
  });
}

TEST(Ivar, filling_from_two_places_determines_once) {
  Simulation().run([]() -> Deferred<> {
    int calls = 0;
    const Ivar<int> ivar;
    const Deferred<int> linked = determined().bind([=] { return ivar.read(); });
    linked.upon([&](int x) {
      ++calls;
      EXPECT_EQ(x, 1);
    });
    co_await Scheduler::yield_until_no_jobs_remain();
    EXPECT_TRUE(ivar.fill_if_empty(1));
    EXPECT_FALSE(ivar.fill_if_empty(2));
    co_await Scheduler::yield_until_no_jobs_remain();
    EXPECT_EQ(calls, 1);
  });
}

TEST(Ivar, refuses_arguments_of_which_no_value_can_be_made) {
  static_assert(Can_be_filled_with<std::string, const char*>);
  static_assert(!Can_be_filled_with<std::string, std::optional<int>>);
  static_assert(!Can_be_filled_with<void, int>);
  static_assert(std::is_nothrow_move_constructible_v<Ivar<int>>);
}

}  // namespace
}  // namespace async
