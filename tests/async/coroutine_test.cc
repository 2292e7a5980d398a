// How coroutines start, go on and end.  coroutine_await_test.cc has what co_await gives.

#include "async/coroutine.h"

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
#include "tests/support/counts_copies.h"
#include "tests/support/goodbye.h"

namespace async {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::Simulation;

Deferred<> say_around(Events& events, Deferred<> wait) {
  events.emplace_back("begin");
  co_await wait;
  events.emplace_back("end");
}

TEST(Coroutine, starts_at_once_and_runs_to_its_first_suspension) {
  Simulation().run([]() -> Deferred<> {
    Events events;
    const Ivar<> ivar;
    const Deferred<> d = say_around(events, ivar.read());
    EXPECT_THAT(events, ElementsAre("begin"));
    EXPECT_FALSE(d.is_determined());
    ivar.fill();
    co_await d;
  });
}

TEST(Coroutine, that_never_waits_is_determined_when_the_call_returns) {
  Simulation().run([]() -> Deferred<> {
    Events events;
    const Deferred<> d = say_around(events, determined());
    EXPECT_THAT(events, ElementsAre("begin", "end"));
    EXPECT_TRUE(d.is_determined());
    co_return;
  });
}

TEST(Coroutine, goes_on_as_a_job_and_not_inside_fill) {
  Simulation().run([]() -> Deferred<> {
    Events events;
    const Ivar<> ivar;
    const Deferred<> d = say_around(events, ivar.read());
    determined().upon([&] { events.emplace_back("queued before"); });
    ivar.fill();
    EXPECT_THAT(events, ElementsAre("begin"));
    determined().upon([&] { events.emplace_back("queued after"); });
    co_await Scheduler::yield_until_no_jobs_remain();
    EXPECT_THAT(events, ElementsAre("begin", "queued before", "end", "queued after"));
  });
}

TEST(Coroutine, that_ends_lets_those_who_wait_go_on_as_jobs) {
  Simulation().run([]() -> Deferred<> {
    Events events;
    const Ivar<> ivar;
    const auto inner = [&]() -> Deferred<> {
      co_await ivar.read();
      determined().upon([&] { events.emplace_back("queued before the end"); });
      events.emplace_back("inner");
    };
    const auto outer = [&]() -> Deferred<> {
      co_await inner();
      events.emplace_back("outer");
    };
    const Deferred<> d = outer();
    ivar.fill();
    co_await d;
    EXPECT_THAT(events, ElementsAre("inner", "queued before the end", "outer"));
  });
}

TEST(Coroutine, several_that_await_the_same_go_on_in_order) {
  Simulation().run([]() -> Deferred<> {
    Events events;
    const Ivar<> ivar;
    const auto wait = [&](std::string name) -> Deferred<> {
      co_await ivar.read();
      events.push_back(name);
    };
    const std::vector all = {wait("1"), wait("2"), wait("3")};
    ivar.fill();
    co_await all_unit(all);
    EXPECT_THAT(events, ElementsAre("1", "2", "3"));
  });
}

TEST(Coroutine, an_await_of_what_is_determined_overtakes_queued_jobs) {
  Simulation().run([]() -> Deferred<> {
    Events events;
    determined().upon([&] { events.emplace_back("queued"); });
    co_await determined();
    EXPECT_EQ(co_await determined(5), 5);
    EXPECT_FALSE(co_await or_error(failed(Error("x"))));  // this one is a job
    EXPECT_THAT(events, ElementsAre("queued"));
    events.clear();
    determined().upon([&] { events.emplace_back("queued"); });
    EXPECT_THAT(co_await determined(&events), ::testing::Pointee(IsEmpty()));
    try {
      co_await failed(Error("x"));
    } catch (const std::runtime_error&) {
      events.emplace_back("caught");
    }
    EXPECT_THAT(events, ElementsAre("caught"));
    co_await Scheduler::yield();
    EXPECT_THAT(events, ElementsAre("caught", "queued"));
  });
}

// The budget is 10, of which the job that goes on after `yield` is the first.
TEST(Coroutine, an_await_costs_a_job_and_is_one_when_none_is_left) {
  Simulation().run([]() -> Deferred<> {
    Scheduler::set_max_num_jobs_per_priority_per_cycle(10);
    co_await Scheduler::yield();
    const auto first_cycle = Scheduler::cycle_count();
    std::optional<int> ran_before;
    int awaited = 0;
    determined().upon([&] { ran_before = awaited; });
    std::vector<std::uint64_t> cycles;
    for (awaited = 1; awaited <= 30; ++awaited) {
      co_await determined();
      cycles.push_back(Scheduler::cycle_count() - first_cycle);
    }
    // Nine go on at once.  The tenth waits for the next cycle, where the queued job is before it.
    EXPECT_EQ(ran_before, 10);
    EXPECT_EQ(cycles[8], 0u);
    EXPECT_EQ(cycles[9], 1u);
    EXPECT_EQ(cycles[17], 1u);
    EXPECT_EQ(cycles[18], 2u);
    EXPECT_EQ(cycles[27], 2u);
    EXPECT_EQ(cycles[28], 3u);
  });
}

TEST(Coroutine, a_loop_of_ready_awaits_does_not_starve_others) {
  Simulation().run([]() -> Deferred<> {
    bool stop = false;
    Clock::after(Span()).upon([&] { stop = true; });
    int rounds = 0;
    while (!stop && ++rounds < 1'000'000) co_await determined();
    EXPECT_LT(rounds, 10'000);
  });
}

TEST(Coroutine, destroys_locals_and_parameters_before_anybody_who_waits_runs) {
  Simulation().run([]() -> Deferred<> {
    Events events;
    const Ivar<> ivar;
    const auto run = [&](std::shared_ptr<void>) -> Deferred<int> {
      const auto outer = goodbye(events, "outer local");
      const auto inner = goodbye(events, "inner local");
      co_await ivar.read();
      events.emplace_back("end");
      co_return 1;
    };
    const Deferred<int> d = run(goodbye(events, "parameter"));
    d.upon([&](int) { events.emplace_back("handler"); });
    ivar.fill();
    co_await d;
    EXPECT_THAT(events, ElementsAre("end", "inner local gone", "outer local gone", "parameter gone",
                                    "handler"));
  });
}

TEST(Coroutine, that_throws_destroys_locals_and_parameters_before_anybody_who_waits_runs) {
  Simulation().run([]() -> Deferred<> {
    Events events;
    const Ivar<> ivar;
    const auto run = [&](std::shared_ptr<void>) -> Deferred<int> {
      const auto local = goodbye(events, "local");
      co_await ivar.read();
      throw std::runtime_error("x");
    };
    const Deferred<int> d = run(goodbye(events, "parameter"));
    const auto handled =
        or_error(d).map([&](const Or_error<int>&) { events.emplace_back("handler"); });
    ivar.fill();
    co_await handled;
    EXPECT_THAT(events, ElementsAre("local gone", "parameter gone", "handler"));
  });
}

TEST(Coroutine, destroys_the_temporaries_of_an_await_once_when_that_is_over) {
  Simulation().run([]() -> Deferred<> {
    Events events;
    const auto run = [](std::shared_ptr<void>, Deferred<int> d) { return d; };
    const Ivar<int> ivar;
    const auto wait = [&]() -> Deferred<> {
      EXPECT_EQ(co_await run(goodbye(events, "temporary"), ivar.read()), 1);
      events.emplace_back("next");
    };
    const Deferred<> d = wait();
    EXPECT_THAT(events, IsEmpty());
    ivar.fill(1);
    co_await d;
    EXPECT_THAT(events, ElementsAre("temporary gone", "next"));
  });
}

TEST(Coroutine, a_kept_deferred_keeps_the_value_alone) {
  Simulation().run([]() -> Deferred<> {
    Events events;
    const auto run = [&](std::shared_ptr<void>, bool wait) -> Deferred<std::shared_ptr<void>> {
      const auto local = goodbye(events, "local");
      if (wait) co_await Scheduler::yield();
      co_return goodbye(events, "value");
    };
    for (const bool wait : {false, true}) {
      events.clear();
      std::optional d = run(goodbye(events, "parameter"), wait);
      const Deferred<std::shared_ptr<void>> copy = *d;
      co_await Scheduler::yield_until_no_jobs_remain();
      EXPECT_TRUE(d->is_determined());
      EXPECT_THAT(events, ElementsAre("local gone", "parameter gone"));
      d.reset();
      EXPECT_EQ(events.size(), 2u);
    }
    EXPECT_EQ(events.size(), 3u);
  });
}

TEST(Coroutine, that_throws_before_its_first_suspension_fails_and_does_not_throw) {
  Simulation().run([]() -> Deferred<> {
    const auto run = []() -> Deferred<int> {
      throw std::out_of_range("x");
      co_return 1;
    };
    std::optional<Deferred<int>> d;
    EXPECT_NO_THROW(d = run());
    EXPECT_TRUE(d->is_determined());
    EXPECT_TRUE((co_await or_error(*d)).error().as<std::out_of_range>());
  });
}

TEST(Coroutine, fails_when_a_local_throws_on_its_way_out) {
  struct Throws_at_its_end {
    ~Throws_at_its_end() noexcept(false) { throw std::runtime_error("at the end"); }
  };
  Simulation().run([]() -> Deferred<> {
    const auto value = std::make_shared<int>(1);
    const auto run = [&]() -> Deferred<std::shared_ptr<int>> {
      const Throws_at_its_end local;
      co_return value;
    };
    const auto result = co_await or_error(run());
    EXPECT_EQ(result.error().what(), std::string("at the end"));
    EXPECT_EQ(value.use_count(), 1);
  });
}

TEST(Coroutine, returns_whatever_converts_to_its_value) {
  Simulation().run([]() -> Deferred<> {
    struct Base {
      virtual ~Base() = default;
    };
    struct Derived : Base {};
    const auto text = []() -> Deferred<std::string> { co_return "text"; };
    const auto braces = []() -> Deferred<std::pair<int, int>> { co_return {1, 2}; };
    const auto derived = []() -> Deferred<std::unique_ptr<Base>> {
      co_return std::make_unique<Derived>();
    };
    const auto error = []() -> Deferred<Or_error<int>> { co_return std::unexpected(Error("x")); };
    EXPECT_EQ(co_await text(), "text");
    EXPECT_EQ(co_await braces(), std::pair(1, 2));
    EXPECT_TRUE(co_await derived());
    EXPECT_FALSE(co_await error());
  });
}

TEST(Coroutine, moves_a_local_into_its_value) {
  Simulation().run([]() -> Deferred<> {
    const auto copies = []() -> Deferred<Counts_copies> {
      Counts_copies local(1);
      co_await Scheduler::yield();
      co_return local;
    };
    const auto unique = []() -> Deferred<std::unique_ptr<int>> {
      auto local = std::make_unique<int>(2);
      co_return local;
    };
    EXPECT_EQ((co_await copies()).copies, 0);
    EXPECT_EQ(**co_await or_error(unique()), 2);
  });
}

TEST(Coroutine, runs_in_the_context_in_which_it_was_called) {
  static const Scheduler::Local_key<int> key;
  Simulation().run([]() -> Deferred<> {
    Events events;
    const auto say = [&](const std::string& what) {
      events.push_back(what + " under " + Monitor::current().name() +
                       (Scheduler::find_local(key) ? " with local" : ""));
    };
    const Ivar<> ivar;
    const auto run = [&]() -> Deferred<> {
      say("begins");
      co_await ivar.read();
      say("goes on");
      co_await determined();
      say("ends");
    };
    const Deferred<> d = Scheduler::within({.monitor = Monitor::create("m")}, [&] {
      return Scheduler::with_local(key, 1, [&] { return run(); });
    });
    say("the caller");
    Scheduler::within({.monitor = Monitor::create("other")}, [&] { ivar.fill(); });
    co_await d;
    say("the caller");
    EXPECT_THAT(events, ElementsAre("begins under m with local", "the caller under main",
                                    "goes on under m with local", "ends under m with local",
                                    "the caller under main"));
  });
}

TEST(Coroutine, keeps_the_priority_with_which_it_was_called) {
  Simulation().run([]() -> Deferred<> {
    Events events;
    const Ivar<> ivar;
    const auto run = [&](std::string name) -> Deferred<> {
      co_await ivar.read();
      events.push_back(name);
    };
    const Deferred<> low =
        Scheduler::within({.priority = Priority::Low}, [&] { return run("low"); });
    const Deferred<> normal = run("normal");
    ivar.fill();
    co_await all_unit({low, normal});
    EXPECT_THAT(events, ElementsAre("normal", "low"));
  });
}

TEST(Coroutine, may_be_a_member_a_template_or_a_generic_lambda) {
  struct Adder {
    int base;
    Deferred<int> add(int x) const {
      co_await Scheduler::yield();
      co_return base + x;
    }
  };
  Simulation().run([]() -> Deferred<> {
    const Adder adder{10};
    const auto twice = [](auto x) -> Deferred<decltype(x)> {
      co_await Scheduler::yield();
      co_return x + x;
    };
    EXPECT_EQ(co_await adder.add(1), 11);
    EXPECT_EQ(co_await twice(std::string("ab")), "abab");
  });
}

}  // namespace
}  // namespace async
