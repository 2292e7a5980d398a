#include "async/all.h"

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
#include "tests/support/captured_log.h"
#include "tests/support/counts_copies.h"
#include "tests/support/goodbye.h"
#include "tests/support/recording_monitor.h"

namespace async {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::Simulation;

using Unique = std::unique_ptr<int>;

Deferred<> settle() { return Scheduler::yield_until_no_jobs_remain(); }

TEST(Both, is_determined_with_both_values_once_both_are_there) {
  Simulation().run([]() -> Deferred<> {
    const Ivar<int> a;
    const Ivar<std::string> b;
    const auto d = both(a.read(), b.read());
    b.fill("b");
    co_await settle();
    EXPECT_FALSE(d.is_determined());
    a.fill(1);
    EXPECT_EQ(co_await d, std::pair(1, std::string("b")));
  });
}

TEST(Both, gives_a_unit_for_void) {
  Simulation().run([]() -> Deferred<> {
    EXPECT_EQ(co_await both(determined(), determined(2)), std::pair(Unit(), 2));
    const auto [a, b] = co_await both(Scheduler::yield(), Scheduler::yield());
    EXPECT_EQ(a, b);
  });
}

TEST(Both, moves_values_that_nobody_else_has_and_copies_others) {
  Simulation().run([]() -> Deferred<> {
    const auto later = []() -> Deferred<Counts_copies> {
      co_await Scheduler::yield();
      co_return Counts_copies(1);
    };
    const Deferred<Counts_copies> kept = later();
    const auto values = co_await both(later(), kept);
    EXPECT_EQ(values.first.copies, 0);
    EXPECT_EQ(values.second.copies, 1);
    EXPECT_EQ(kept.peek()->value, 1);
    auto unique =
        co_await both(determined(std::make_unique<int>(1)), determined(std::make_unique<int>(2)));
    EXPECT_EQ(*unique.first + *unique.second, 3);
  });
}

TEST(Both, may_have_the_same_deferred_twice) {
  Simulation().run([]() -> Deferred<> {
    const Ivar<std::string> ivar;
    const Deferred<std::string> d = ivar.read();
    const auto twice = both(d, d);
    ivar.fill("x");
    EXPECT_EQ(co_await twice, std::pair(std::string("x"), std::string("x")));
    const Ivar<int> failing;
    const auto failed_twice = both(failing.read(), failing.read());
    failing.fail(Error("y"));
    EXPECT_STREQ((co_await or_error(failed_twice)).error().what(), "y");
  });
}

TEST(All, is_determined_with_the_values_in_order_once_all_are_there) {
  Simulation().run([]() -> Deferred<> {
    std::vector<Ivar<int>> ivars(4);
    std::vector<Deferred<int>> reads;
    for (const Ivar<int>& ivar : ivars) reads.push_back(ivar.read());
    const auto d = all(reads);
    for (const int i : {2, 0, 3}) ivars[i].fill(i);
    co_await settle();
    EXPECT_FALSE(d.is_determined());
    ivars[1].fill(1);
    EXPECT_THAT(co_await d, ElementsAre(0, 1, 2, 3));
  });
}

TEST(All, of_nothing_is_empty) {
  Simulation().run([]() -> Deferred<> {
    EXPECT_THAT(co_await all(std::vector<Deferred<int>>()), IsEmpty());
    co_await all_unit({});
  });
}

TEST(All, runs_its_parts_at_the_same_time) {
  Simulation().run([]() -> Deferred<> {
    const Time_ns start = Clock::now();
    const auto square = [](int x) -> Deferred<int> {
      co_await Clock::after(std::chrono::seconds(x));
      co_return x* x;
    };
    EXPECT_THAT(co_await all(std::vector{square(3), square(1), square(2)}), ElementsAre(9, 1, 4));
    EXPECT_EQ(Clock::now() - start, std::chrono::seconds(3));
  });
}

TEST(All, takes_very_many) {
  Simulation().run([]() -> Deferred<> {
    constexpr int count = 100'000;
    std::vector<Ivar<int>> ivars(count);
    std::vector<Deferred<int>> reads;
    for (const Ivar<int>& ivar : ivars) reads.push_back(ivar.read());
    const auto d = all(std::move(reads));
    for (int i = count; i-- > 0;) ivars[i].fill(i);
    const std::vector<int>& values = co_await d;
    EXPECT_EQ(values.size(), static_cast<std::size_t>(count));
    EXPECT_EQ(values[12345], 12345);
  });
}

TEST(All, moves_move_only_values) {
  Simulation().run([]() -> Deferred<> {
    std::vector<Deferred<Unique>> parts;
    for (int i = 0; i < 3; ++i) {
      parts.push_back(Scheduler::yield().map([i] { return std::make_unique<int>(i); }));
    }
    std::vector<Unique> values = co_await all(std::move(parts));
    EXPECT_THAT(values,
                ElementsAre(::testing::Pointee(0), ::testing::Pointee(1), ::testing::Pointee(2)));
  });
}

TEST(All_unit, is_determined_once_all_are) {
  Simulation().run([]() -> Deferred<> {
    const Ivar<> a;
    const Ivar<> b;
    const Deferred<> d = all_unit({a.read(), determined(), b.read()});
    b.fill();
    co_await settle();
    EXPECT_FALSE(d.is_determined());
    a.fill();
    co_await d;
  });
}

TEST(All_unit, lets_go_on_as_a_job) {
  Simulation().run([]() -> Deferred<> {
    Events events;
    const Ivar<> ivar;
    const Deferred<> d = all_unit({ivar.read()}).map([&] { events.emplace_back("all"); });
    ivar.fill();
    EXPECT_THAT(events, IsEmpty());
    co_await d;
    EXPECT_THAT(events, ElementsAre("all"));
  });
}

TEST(All, fails_as_soon_as_one_fails) {
  Simulation().run([]() -> Deferred<> {
    const Ivar<int> failing;
    const auto of_two = both(never<int>(), failing.read());
    const auto of_many = all(std::vector{never<int>(), failing.read(), determined(1)});
    const auto unit = all_unit({never(), failing.read().map([](int) {})});
    failing.fail(std::out_of_range("x"));
    EXPECT_TRUE((co_await or_error(of_two)).error().as<std::out_of_range>());
    EXPECT_TRUE((co_await or_error(of_many)).error().as<std::out_of_range>());
    EXPECT_TRUE((co_await or_error(unit)).error().as<std::out_of_range>());
  });
}

TEST(All, lets_the_rest_go_on_unwatched) {
  Simulation().run([]() -> Deferred<> {
    Events events;
    const auto work = [&](std::string name) -> Deferred<int> {
      const auto local = goodbye(events, name + "'s local");
      co_await Clock::after(std::chrono::seconds(1));
      events.push_back(name);
      co_return 1;
    };
    const auto d = all(std::vector{work("first"), failed<int>(Error("x")), work("third")});
    EXPECT_FALSE(co_await or_error(d));
    EXPECT_THAT(events, IsEmpty());
    co_await Clock::after(std::chrono::seconds(2));
    EXPECT_THAT(events, ElementsAre("first", "first's local gone", "third", "third's local gone"));
  });
}

TEST(All, a_later_failure_goes_to_the_log_and_to_no_monitor) {
  const Captured_log log;
  Simulation().run([]() -> Deferred<> {
    const Recording_monitor listener;
    const Ivar<> go;
    co_await listener.under([&]() -> Deferred<> {
      const auto fail_later = [](Deferred<> wait, std::string message) -> Deferred<> {
        co_await wait;
        throw std::runtime_error(message);
      };
      const Deferred<> failure = failed(Error("first"));
      EXPECT_FALSE(co_await or_error(both(fail_later(go.read(), "in both"), failure)));
      EXPECT_FALSE(co_await or_error(all_unit({failure, fail_later(go.read(), "in all_unit")})));
    });
    go.fill();
    co_await settle();
    EXPECT_THAT(listener.heard(), IsEmpty());
  });
  EXPECT_THAT(log.errors(), ElementsAre(HasSubstr("in both"), HasSubstr("in all_unit")));
}

TEST(All, of_several_failures_gives_the_first_and_logs_the_others) {
  const Captured_log log;
  Simulation().run([]() -> Deferred<> {
    const Ivar<> go;
    const auto fail_later = [&](std::string message) -> Deferred<> {
      co_await go.read();
      throw std::runtime_error(message);
    };
    const Deferred<> d = all_unit({never(), fail_later("first"), fail_later("second")});
    const Deferred<> at_once = all_unit({failed(Error("third")), failed(Error("fourth"))});
    go.fill();
    EXPECT_STREQ((co_await or_error(at_once)).error().what(), "third");
    EXPECT_STREQ((co_await or_error(d)).error().what(), "first");
  });
  EXPECT_THAT(log.errors(), ElementsAre(HasSubstr("fourth"), HasSubstr("second")));
}

TEST(All, passes_the_same_record_on) {
  Simulation().run([]() -> Deferred<> {
    const Recording_monitor listener;
    listener.under([] {
      const Deferred<> part = failed(Error("x"));
      Deferred<> dropped = all_unit({part, determined()});
      Deferred<> other = both(part, part).map([](const auto&) {});
    });
    co_await settle();
    EXPECT_THAT(listener.heard(), ElementsAre("x"));
  });
}

TEST(All, lets_go_of_the_rest_when_one_fails) {
  Simulation().run([]() -> Deferred<> {
    const auto [reader, writer] = Pipe::create<int>();
    const auto d = both(reader.read(), failed(Error("x")));
    EXPECT_FALSE(co_await or_error(d));
    writer.write_without_pushback(1);
    EXPECT_EQ(co_await reader.read(), Read_result<int>(1));
  });
}

TEST(All, that_is_dropped_waits_for_nobody_and_keeps_nothing) {
  Simulation().run([]() -> Deferred<> {
    auto value = std::make_shared<int>(1);
    const std::weak_ptr<int> watch = value;
    const Ivar<> ivar;
    {
      Deferred<> dropped = both(ivar.read(), determined(std::move(value))).map([](const auto&) {});
    }
    ivar.fill();
    co_await settle();
    EXPECT_TRUE(watch.expired());
  });
}

TEST(All, fails_when_copying_a_value_throws) {
  struct Throws_when_copied {
    Throws_when_copied() = default;
    Throws_when_copied(const Throws_when_copied&) { throw std::runtime_error("no copy"); }
    Throws_when_copied(Throws_when_copied&&) = default;
  };
  Simulation().run([]() -> Deferred<> {
    const Deferred<Throws_when_copied> d = determined(Throws_when_copied());
    EXPECT_STREQ((co_await or_error(all(std::vector{d, d}))).error().what(), "no copy");
    EXPECT_STREQ((co_await or_error(both(d, d))).error().what(), "no copy");
  });
}

}  // namespace
}  // namespace async
