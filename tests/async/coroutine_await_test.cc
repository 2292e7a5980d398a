// What co_await gives.

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

namespace async {
namespace {

using ::testing::ElementsAre;
using testing::Simulation;

using Unique = std::unique_ptr<int>;

TEST(Await, of_an_lvalue_gives_a_reference_into_the_cell) {
  Simulation().run([]() -> Deferred<> {
    const Ivar<Counts_copies> ivar;
    Deferred<Counts_copies> d = ivar.read();
    Clock::after(std::chrono::seconds(1)).upon([&] { ivar.fill(7); });
    auto&& waited = co_await d;
    auto&& ready = co_await d;
    static_assert(std::is_same_v<decltype(ready), const Counts_copies&>);
    EXPECT_EQ(&waited, &ready);
    EXPECT_EQ(ready.value, 7);
    EXPECT_EQ(ready.copies, 0);
  });
}

TEST(Await, of_an_rvalue_moves_when_it_is_the_only_handle) {
  Simulation().run([]() -> Deferred<> {
    const auto later = []() -> Deferred<Counts_copies> {
      co_await Scheduler::yield();
      co_return Counts_copies(2);
    };
    auto&& ready = co_await determined(Counts_copies(1));
    static_assert(std::is_same_v<decltype(ready), Counts_copies&&>);
    const Counts_copies waited = co_await later();
    Deferred<Counts_copies> d = later();
    const Counts_copies named = co_await std::move(d);
    EXPECT_EQ(ready.copies, 0);
    EXPECT_EQ(waited.copies, 0);
    EXPECT_EQ(named.copies, 0);
    EXPECT_EQ(named.value, 2);
  });
}

TEST(Await, of_an_rvalue_copies_when_there_are_other_handles) {
  Simulation().run([]() -> Deferred<> {
    const Deferred<Counts_copies> ready = determined(Counts_copies(1));
    const Ivar<Counts_copies> ivar;
    const Deferred<Counts_copies> later = ivar.read();
    Clock::after(std::chrono::seconds(1)).upon([&] { ivar.fill(2); });
    const Counts_copies first = co_await Deferred(ready);
    const Counts_copies second = co_await Deferred(later);
    EXPECT_EQ(first.copies, 1);
    EXPECT_EQ(second.copies, 1);
    EXPECT_EQ((co_await ready).value, 1);
    EXPECT_EQ((co_await later).value, 2);
  });
}

// Two that wait for the same value: neither may take it from the other.
TEST(Await, of_two_rvalues_of_one_cell_gives_both_the_value) {
  Simulation().run([]() -> Deferred<> {
    const auto source = []() -> Deferred<std::string> {
      co_await Scheduler::yield();
      co_return "a string that is too long to be stored inside";
    };
    const auto consume = [](Deferred<std::string> d) -> Deferred<std::size_t> {
      const std::string text = co_await std::move(d);
      co_return text.size();
    };
    const Deferred<std::string> d = source();
    EXPECT_THAT(co_await all(std::vector{consume(d), consume(d)}), ElementsAre(45u, 45u));
  });
}

TEST(Await, gives_move_only_values) {
  Simulation().run([]() -> Deferred<> {
    const auto later = []() -> Deferred<Unique> {
      co_await Scheduler::yield();
      co_return std::make_unique<int>(2);
    };
    EXPECT_EQ(*co_await determined(std::make_unique<int>(1)), 1);
    EXPECT_EQ(*co_await later(), 2);
    Deferred<Unique> d = later();
    EXPECT_EQ(*co_await d, 2);
    EXPECT_EQ(*co_await d, 2);
    const Unique mine = co_await std::move(d);
    EXPECT_EQ(*mine, 2);
  });
}

TEST(Await, leaves_a_value_that_is_destroyed_with_the_last_handle) {
  Simulation().run([]() -> Deferred<> {
    Events events;
    std::optional d = determined(goodbye(events, "value"));
    co_await *d;
    EXPECT_TRUE(events.empty());
    d.reset();
    EXPECT_THAT(events, ElementsAre("value gone"));
  });
}

TEST(Await, rethrows_the_failure_each_time) {
  Simulation().run([]() -> Deferred<> {
    const Deferred<int> d = failed<int>(Error(std::out_of_range("x")));
    int caught = 0;
    for (int i = 0; i < 2; ++i) {
      try {
        co_await d;
      } catch (const std::out_of_range& e) {
        EXPECT_EQ(e.what(), std::string("x"));
        ++caught;
      }
    }
    EXPECT_EQ(caught, 2);
  });
}

TEST(Await, in_one_expression_can_be_done_several_times) {
  Simulation().run([]() -> Deferred<> {
    const auto slow = [](int x) -> Deferred<int> {
      co_await Scheduler::yield();
      co_return x;
    };
    const auto sum = [](int a, int b, int c) { return a + b + c; };
    EXPECT_EQ(sum(co_await slow(1), co_await slow(2), co_await slow(co_await slow(3))), 6);
    EXPECT_EQ((co_await slow(0) ? co_await slow(1) : co_await slow(2)), 2);
  });
}

// The handle may go while the coroutine waits: those who will fill the cell keep it.
TEST(Await, does_not_need_the_handle_to_stay) {
  Simulation().run([]() -> Deferred<> {
    const Ivar<std::string> ivar;
    auto d = std::make_unique<Deferred<std::string>>(ivar.read());
    const auto wait = [](Deferred<std::string>& where) -> Deferred<std::string> {
      co_return co_await std::move(where);
    };
    const Deferred<std::string> result = wait(*d);
    d.reset();
    ivar.fill("text");
    EXPECT_EQ(co_await result, "text");
  });
}

TEST(Await, of_what_bind_has_linked_gives_its_value) {
  Simulation().run([]() -> Deferred<> {
    const Ivar<int> ivar;
    const auto wait = [](Deferred<int> d) -> Deferred<int> { co_return co_await d; };
    const Deferred<int> inner = ivar.read();
    const Deferred<int> before = wait(inner);
    const Deferred<int> outer = determined().bind([=] { return inner; });
    co_await Scheduler::yield_until_no_jobs_remain();
    const Deferred<int> after = wait(inner);
    const Deferred<int> of_outer = wait(outer);
    ivar.fill(1);
    EXPECT_EQ(co_await before + co_await after + co_await of_outer, 3);
  });
}

TEST(Await, can_follow_a_catch) {
  Simulation().run([]() -> Deferred<> {
    std::optional<Error> error;
    try {
      co_await failed(Error("x"));
    } catch (...) {
      error = Error::current();
    }
    co_await Scheduler::yield();
    EXPECT_EQ(error->what(), std::string("x"));
    EXPECT_FALSE(std::current_exception());
  });
}

}  // namespace
}  // namespace async
