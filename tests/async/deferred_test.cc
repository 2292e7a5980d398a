// Values and handles.  deferred_job_test.cc has handlers and their order, failure_test.cc failures.

#include "async/deferred.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <expected>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "async/async.h"
#include "async/testing/simulation.h"
#include "tests/support/counts_copies.h"

namespace async {
namespace {

using ::testing::ElementsAre;
using testing::Simulation;

using Unique = std::unique_ptr<int>;

template <class D>
concept Can_peek = requires(const D& d) { d.peek(); };

TEST(Deferred, is_a_handle_whose_copies_share_one_cell) {
  Simulation().run([]() -> Deferred<> {
    const Ivar<int> ivar;
    const Deferred<int> d = ivar.read();
    const Deferred<int> copy = d;
    Deferred<int> assigned;
    assigned = copy;
    ivar.fill(3);
    EXPECT_EQ(d.peek(), 3);
    EXPECT_EQ(copy.peek(), 3);
    EXPECT_EQ(assigned.peek(), 3);
    co_return;
  });
}

TEST(Deferred, can_be_assigned_to_itself_and_to_another) {
  Simulation().run([]() -> Deferred<> {
    const auto first = std::make_shared<int>(1);
    Deferred<std::shared_ptr<int>> d = determined(first);
    auto& same = d;
    d = same;
    d = std::move(same);
    EXPECT_EQ(d.peek(), first);
    EXPECT_EQ(first.use_count(), 2);
    d = determined(std::make_shared<int>(2));
    EXPECT_EQ(first.use_count(), 1);
    co_return;
  });
}

TEST(Deferred, lets_its_value_go_with_the_last_handle) {
  Simulation().run([]() -> Deferred<> {
    auto value = std::make_shared<int>(1);
    const std::weak_ptr<int> watch = value;
    std::optional d = determined(std::move(value));
    std::optional copy = d;
    d.reset();
    EXPECT_FALSE(watch.expired());
    copy.reset();
    EXPECT_TRUE(watch.expired());
    co_return;
  });
}

TEST(Deferred, is_determined_once_there_is_a_value_or_a_failure) {
  Simulation().run([]() -> Deferred<> {
    const Ivar<int> filled;
    const Ivar<int> failing;
    const Deferred<int> value = filled.read();
    const Deferred<int> failure = failing.read();
    EXPECT_FALSE(value.is_determined());
    EXPECT_FALSE(failure.is_determined());
    filled.fill(1);
    failing.fail(std::runtime_error("x"));
    EXPECT_TRUE(value.is_determined());
    EXPECT_TRUE(failure.is_determined());
    EXPECT_EQ((co_await or_error(failure)).error().what(), std::string("x"));
  });
}

TEST(Deferred, peek_is_a_copy_of_the_value_if_there_is_one) {
  Simulation().run([]() -> Deferred<> {
    const Ivar<std::string> ivar;
    const Deferred<std::string> d = ivar.read();
    EXPECT_EQ(d.peek(), std::nullopt);
    ivar.fill("text");
    EXPECT_EQ(d.peek(), "text");
    EXPECT_EQ(d.peek(), "text");
    const Deferred<std::string> failure = failed<std::string>(Error("x"));
    EXPECT_EQ(failure.peek(), std::nullopt);
    EXPECT_FALSE(co_await or_error(failure));
  });
}

TEST(Deferred, peek_of_void_is_a_unit) {
  Simulation().run([]() -> Deferred<> {
    const Ivar<> ivar;
    EXPECT_EQ(ivar.read().peek(), std::nullopt);
    ivar.fill();
    EXPECT_EQ(ivar.read().peek(), Unit());
    EXPECT_EQ(determined().peek(), Unit());
    co_return;
  });
}

TEST(Deferred, does_not_convert_to_bool) {
  static_assert(!std::is_constructible_v<bool, Deferred<bool>>);
  static_assert(!std::is_constructible_v<bool, Deferred<>>);
  static_assert(!std::is_convertible_v<int, Deferred<int>>);
}

TEST(Deferred, of_a_move_only_type_is_move_only) {
  static_assert(std::is_copy_constructible_v<Deferred<int>>);
  static_assert(std::is_copy_assignable_v<Deferred<>>);
  static_assert(!std::is_copy_constructible_v<Deferred<Unique>>);
  static_assert(!std::is_copy_assignable_v<Deferred<Unique>>);
  static_assert(std::is_nothrow_move_constructible_v<Deferred<Unique>>);
  static_assert(std::is_nothrow_move_assignable_v<Deferred<Unique>>);
  static_assert(!Can_peek<Deferred<Unique>>);
  static_assert(Can_peek<Deferred<int>>);
}

// The standard containers claim that they can be copied whatever is in them.
TEST(Deferred, looks_into_containers_to_see_whether_they_are_move_only) {
  EXPECT_FALSE((std::is_copy_constructible_v<Deferred<std::vector<Unique>>>));
  EXPECT_FALSE((std::is_copy_constructible_v<Deferred<std::map<int, Unique>>>));
  EXPECT_FALSE((std::is_copy_constructible_v<Deferred<std::vector<std::vector<Unique>>>>));
  EXPECT_FALSE((std::is_copy_constructible_v<Deferred<std::pair<int, std::vector<Unique>>>>));
  EXPECT_TRUE((std::is_copy_constructible_v<Deferred<std::vector<int>>>));
  EXPECT_TRUE((std::is_copy_constructible_v<Deferred<std::string>>));
}

// What or_error, with_timeout, Pipe and repeat_until_finished wrap a value in.
TEST(Deferred, looks_into_the_wrappers_of_the_library_to_see_whether_they_are_move_only) {
  using Container = std::vector<Unique>;
  EXPECT_FALSE(Is_copyable<Or_error<Container>>::value);
  EXPECT_FALSE((Is_copyable<std::expected<Container, Timed_out>>::value));
  EXPECT_FALSE(Is_copyable<Read_result<Container>>::value);
  EXPECT_FALSE((Is_copyable<Repeat_or_finished<Container, int>>::value));
  EXPECT_FALSE((Is_copyable<Repeat_or_finished<int, Container>>::value));
  EXPECT_FALSE(Is_copyable<std::optional<Container>>::value);
  EXPECT_FALSE((Is_copyable<std::tuple<int, Container>>::value));
  EXPECT_TRUE(Is_copyable<Or_error<std::vector<int>>>::value);
  EXPECT_TRUE(Is_copyable<Or_error<void>>::value);
}

TEST(Deferred, default_constructed_is_never) {
  Simulation().run([]() -> Deferred<> {
    const Deferred<int> d;
    EXPECT_FALSE(d.is_determined());
    EXPECT_EQ(d.peek(), std::nullopt);
    bool called = false;
    const Deferred<int> mapped = d.map([&](int x) {
      called = true;
      return x;
    });
    co_await Scheduler::yield_until_no_jobs_remain();
    EXPECT_FALSE(called);
    EXPECT_FALSE(mapped.is_determined());
  });
}

TEST(Deferred, determined_copies_an_lvalue_and_decays) {
  Simulation().run([]() -> Deferred<> {
    const std::string text = "text";
    static_assert(std::is_same_v<decltype(determined(text)), Deferred<std::string>>);
    static_assert(std::is_same_v<decltype(determined("text")), Deferred<const char*>>);
    EXPECT_EQ(determined(text).peek(), "text");
    EXPECT_EQ(text, "text");
    co_return;
  });
}

TEST(Deferred, handlers_of_an_lvalue_see_one_value_in_place) {
  Simulation().run([]() -> Deferred<> {
    const Deferred<Counts_copies> d = determined(Counts_copies(7));
    std::vector<const Counts_copies*> seen;
    const auto see = [&](const Counts_copies& value) {
      seen.push_back(&value);
      EXPECT_EQ(value.copies, 0);
    };
    d.upon(see);
    co_await d.map(see);
    co_await d.bind([&](const Counts_copies& value) {
      see(value);
      return determined();
    });
    const Counts_copies& awaited = co_await d;
    EXPECT_THAT(seen, ElementsAre(&awaited, &awaited, &awaited));
    EXPECT_EQ(awaited.value, 7);
  });
}

TEST(Deferred, an_rvalue_that_is_the_only_handle_moves_its_value_out) {
  Simulation().run([]() -> Deferred<> {
    std::vector<int> copies;
    const auto take = [&](Counts_copies value) { copies.push_back(value.copies); };
    determined(Counts_copies(1)).upon(take);
    co_await determined(Counts_copies(2)).map(take);
    co_await determined(Counts_copies(3)).bind([&](Counts_copies value) {
      take(std::move(value));
      return determined();
    });
    take(*co_await or_error(determined(Counts_copies(4))));
    EXPECT_THAT(copies, ElementsAre(0, 0, 0, 0));
  });
}

TEST(Deferred, an_rvalue_with_other_handles_hands_out_a_copy) {
  Simulation().run([]() -> Deferred<> {
    const Deferred<Counts_copies> kept = determined(Counts_copies(7));
    std::vector<std::pair<int, int>> seen;
    const auto take = [&](Counts_copies value) { seen.emplace_back(value.value, value.copies); };
    Deferred(kept).upon(take);
    co_await Deferred(kept).map(take);
    co_await Deferred(kept).bind([&](Counts_copies value) {
      take(std::move(value));
      return determined();
    });
    take(*co_await or_error(kept));
    const std::pair one_copy(7, 1);
    EXPECT_THAT(seen, ElementsAre(one_copy, one_copy, one_copy, one_copy));
    EXPECT_EQ((co_await kept).value, 7);
  });
}

// A handler that has been registered counts as a handle.
TEST(Deferred, an_rvalue_does_not_take_the_value_from_other_handlers) {
  Simulation().run([]() -> Deferred<> {
    std::vector<int> seen;
    Deferred<std::vector<int>> d = determined(std::vector{1, 2});
    d.upon([&](const std::vector<int>& v) { seen.push_back(static_cast<int>(v.size())); });
    Deferred copy = d;
    std::move(d).upon([&](std::vector<int> v) { seen.push_back(static_cast<int>(v.size())); });
    std::move(copy).upon([&](std::vector<int> v) { seen.push_back(static_cast<int>(v.size())); });
    co_await Scheduler::yield_until_no_jobs_remain();
    EXPECT_THAT(seen, ElementsAre(2, 2, 2));
  });
}

TEST(Deferred, a_value_is_not_copied_on_its_way_through_nested_binds) {
  Simulation().run([]() -> Deferred<> {
    const Ivar<> go;
    Deferred<Counts_copies> d = determined().bind([go] {
      return determined().bind([go] { return go.read().map([] { return Counts_copies(7); }); });
    });
    co_await Scheduler::yield_until_no_jobs_remain();
    go.fill();
    const Counts_copies value = co_await std::move(d);
    EXPECT_EQ(value.value, 7);
    EXPECT_EQ(value.copies, 0);
  });
}

TEST(Deferred, passes_move_only_values_on) {
  Simulation().run([]() -> Deferred<> {
    Unique end = co_await determined(std::make_unique<int>(1))
                     .map([](Unique p) {
                       ++*p;
                       return p;
                     })
                     .bind([](Unique p) {
                       ++*p;
                       return determined(std::move(p));
                     });
    EXPECT_EQ(*end, 3);
    int seen = 0;
    determined(std::move(end)).upon([&](Unique p) { seen = *p; });
    co_await Scheduler::yield_until_no_jobs_remain();
    EXPECT_EQ(seen, 3);
  });
}

TEST(Deferred, of_a_move_only_type_shows_its_value_to_handlers_of_an_lvalue) {
  Simulation().run([]() -> Deferred<> {
    Deferred<Unique> d = determined(std::make_unique<int>(5));
    EXPECT_EQ(co_await d.map([](const Unique& p) { return *p; }), 5);
    EXPECT_EQ(*co_await std::move(d), 5);
  });
}

TEST(Deferred, of_void_gives_its_handlers_nothing) {
  Simulation().run([]() -> Deferred<> {
    int calls = 0;
    const Deferred<> d = determined();
    d.upon([&] { ++calls; });
    const Deferred<> mapped = d.map([&] { ++calls; });
    EXPECT_EQ(co_await d.bind([] { return determined(5); }), 5);
    co_await mapped;
    EXPECT_EQ(calls, 2);
  });
}

TEST(Deferred, map_decays_what_its_function_returns) {
  Simulation().run([]() -> Deferred<> {
    auto source = std::make_optional(determined(std::string("text")));
    auto same = [](const std::string& s) -> const std::string& { return s; };
    const auto mapped = source->map(same);
    static_assert(std::is_same_v<decltype(mapped), const Deferred<std::string>>);
    co_await Scheduler::yield_until_no_jobs_remain();
    source.reset();
    EXPECT_EQ(mapped.peek(), "text");
  });
}

TEST(Deferred, takes_pointers_to_members_and_to_functions) {
  struct Point {
    int x;
    int twice() const { return 2 * x; }
  };
  Simulation().run([]() -> Deferred<> {
    const Deferred<Point> d = determined(Point{4});
    EXPECT_EQ(co_await d.map(&Point::x), 4);
    EXPECT_EQ(co_await d.map(&Point::twice), 8);
    EXPECT_EQ(co_await d.map(&Point::x).bind(&determined<const int&>), 4);
  });
}

TEST(Deferred, takes_move_only_functions) {
  Simulation().run([]() -> Deferred<> {
    auto p = std::make_unique<int>(1);
    EXPECT_EQ(co_await determined(2).map([p = std::move(p)](int x) { return x + *p; }), 3);
  });
}

TEST(Deferred, fails_when_copying_the_value_throws) {
  struct Throws_when_copied {
    Throws_when_copied() = default;
    Throws_when_copied(const Throws_when_copied&) { throw std::runtime_error("no copy"); }
    Throws_when_copied(Throws_when_copied&&) = default;
  };
  Simulation().run([]() -> Deferred<> {
    const Deferred<Throws_when_copied> d = determined(Throws_when_copied());
    const auto ignore = [](const Throws_when_copied&) {};
    const auto mapped = co_await or_error(Deferred(d).map([](Throws_when_copied) {}));
    const auto bound =
        co_await or_error(determined().bind([d] { return d; }).map([](Throws_when_copied) {}));
    const auto awaited = co_await try_with([d]() -> Deferred<> { co_await Deferred(d); });
    EXPECT_EQ(mapped.error().what(), std::string("no copy"));
    EXPECT_EQ(bound.error().what(), std::string("no copy"));
    EXPECT_EQ(awaited.error().what(), std::string("no copy"));
    EXPECT_TRUE(co_await or_error(d.map(ignore)));
  });
}

TEST(Deferred, keeps_the_alignment_of_its_value) {
  struct alignas(64) Aligned {
    int x = 1;
  };
  Simulation().run([]() -> Deferred<> {
    const Ivar<Aligned> ivar;
    ivar.fill();
    const Deferred<Aligned> read = ivar.read();
    const Deferred<Aligned> mapped = read.map([](const Aligned& a) { return a; });
    for (const Deferred<Aligned>* d : {&read, &mapped}) {
      const Aligned& value = co_await *d;
      EXPECT_EQ(reinterpret_cast<std::uintptr_t>(&value) % 64, 0u);
    }
  });
}

TEST(Deferred, dropping_it_cancels_nothing) {
  Simulation().run([]() -> Deferred<> {
    std::vector<std::string> events;
    const Ivar<> ivar;
    {
      Deferred<> d = ivar.read();
      d.upon([&] { events.emplace_back("upon"); });
      Deferred<> coroutine = [](Deferred<> wait, auto& log) -> Deferred<> {
        co_await wait;
        log.emplace_back("coroutine");
      }(d, events);
      Deferred<> mapped = d.map([&] { events.emplace_back("map"); });
    }
    ivar.fill();
    co_await Scheduler::yield_until_no_jobs_remain();
    EXPECT_THAT(events, ElementsAre("upon", "coroutine", "map"));
  });
}

}  // namespace
}  // namespace async
