// Losing a race removes what it registered.

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
#include "tests/support/goodbye.h"
#include "tests/support/recording_monitor.h"

namespace async {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::Simulation;

Deferred<> settle() { return Scheduler::yield_until_no_jobs_remain(); }

TEST(Choose_loser, its_function_is_destroyed_when_the_choice_is_made) {
  Simulation().run([]() -> Deferred<> {
    Events events;
    const Ivar<> winner;
    const Ivar<> loser;
    const auto say = [&](std::string name) {
      return [&events, name, probe = goodbye(events, name)] { events.push_back(name); };
    };
    const Deferred<> d =
        choose(choice(loser.read(), say("loser")), choice(winner.read(), say("winner")),
               choice(determined().bind([=] { return loser.read(); }), say("linked")),
               choice(never(), say("never")));
    co_await settle();
    EXPECT_THAT(events, ElementsAre("never gone"));
    events.clear();
    winner.fill();
    co_await d;
    EXPECT_THAT(events, ElementsAre("loser gone", "linked gone", "winner", "winner gone"));
  });
}

TEST(Choose_loser, its_function_is_destroyed_though_the_winner_was_ready_at_once) {
  Simulation().run([]() -> Deferred<> {
    Events events;
    const Ivar<> loser;
    const auto say = [&](std::string name) {
      return [&events, name, probe = goodbye(events, name)] { events.push_back(name); };
    };
    co_await choose(choice(loser.read(), say("loser")), choice(determined(), say("winner")),
                    choice(determined(), say("late")));
    EXPECT_THAT(events, ElementsAre("loser gone", "late gone", "winner", "winner gone"));
  });
}

// A handler that stayed would be a job when the loser is filled.
TEST(Choose_loser, leaves_no_handler_on_a_deferred_that_lives_long) {
  Simulation().run([]() -> Deferred<> {
    const Ivar<> closed;
    const auto nothing = [] {};
    for (int i = 0; i < 100; ++i) {
      co_await choose(choice(closed.read(), nothing), choice(Scheduler::yield(), nothing));
      co_await any_unit(closed.read(), Scheduler::yield());
      co_await any(std::vector{closed.read(), Scheduler::yield()});
    }
    const Deferred<> timed_out =
        Clock::with_timeout(std::chrono::seconds(1), closed.read()).map([](const auto&) {});
    co_await timed_out;
    const auto before = Scheduler::num_jobs_run();
    closed.fill();
    co_await Scheduler::yield();
    co_await Scheduler::yield();
    EXPECT_LT(Scheduler::num_jobs_run() - before, 10u);
  });
}

TEST(Choose_loser, lets_go_of_its_deferred_when_the_choice_is_made) {
  Simulation().run([]() -> Deferred<> {
    auto value = std::make_shared<int>(1);
    const std::weak_ptr<int> watch = value;
    Ivar<std::shared_ptr<int>> late;
    const Deferred<> d = choose(choice(determined(), [] {}),
                                choice(late.read(), [](const std::shared_ptr<int>&) {}));
    late.fill(std::move(value));
    co_await d;
    EXPECT_FALSE(watch.expired());
    late = Ivar<std::shared_ptr<int>>();
    EXPECT_TRUE(watch.expired());
  });
}

// A read of a pipe that nobody waits for any more takes no value.
TEST(Choose_loser, that_nobody_else_holds_is_known_to_be_unwanted) {
  Simulation().run([]() -> Deferred<> {
    const auto [reader, writer] = Pipe::create<int>();
    co_await any_unit(reader.read(), Clock::after(std::chrono::seconds(1)));
    const Deferred<> second =
        choose(choice(reader.read(), [](const Read_result<int>&) {}), choice(determined(), [] {}));
    co_await second;
    writer.write_without_pushback(5);
    EXPECT_EQ(co_await reader.read(), Read_result<int>(5));
  });
}

TEST(Choose_loser, that_fails_later_goes_to_the_log_and_to_no_monitor) {
  const Captured_log log;
  Simulation().run([]() -> Deferred<> {
    const Recording_monitor listener;
    const Ivar<> go;
    co_await listener.under([&]() -> Deferred<> {
      const auto fail_later = [](Deferred<> wait, std::string message) -> Deferred<> {
        co_await wait;
        throw std::runtime_error(message);
      };
      co_await choose(choice(fail_later(go.read(), "choose"), [] {}), choice(determined(), [] {}));
      co_await any_unit(fail_later(go.read(), "any_unit"), determined());
      co_await any(std::vector{fail_later(go.read(), "any"), Scheduler::yield()});
      const Deferred<> timed_out =
          Clock::with_timeout(std::chrono::seconds(1), fail_later(go.read(), "with_timeout"))
              .map([](const auto&) {});
      co_await timed_out;
    });
    go.fill();
    co_await settle();
    EXPECT_THAT(listener.heard(), IsEmpty());
  });
  EXPECT_THAT(log.errors(), ElementsAre(HasSubstr("choose"), HasSubstr("any_unit"),
                                        HasSubstr("any"), HasSubstr("with_timeout")));
}

TEST(Choose_loser, that_has_failed_when_the_choice_is_made_goes_to_the_log) {
  const Captured_log log;
  Simulation().run([]() -> Deferred<> {
    const Recording_monitor listener;
    co_await listener.under(
        [] { return any_unit(determined(1), failed(Error("second")), failed(Error("third"))); });
    co_await settle();
    EXPECT_THAT(listener.heard(), IsEmpty());
  });
  EXPECT_THAT(log.errors(), ElementsAre(HasSubstr("second"), HasSubstr("third")));
}

TEST(Choose_loser, that_fails_into_the_hands_of_somebody_else_is_not_logged) {
  const Captured_log log;
  Simulation().run([]() -> Deferred<> {
    const Ivar<> ivar;
    const Deferred<> d = ivar.read();
    const Deferred<Or_error<void>> watched = or_error(d.map([] {}));
    co_await any_unit(d, determined());
    ivar.fail(std::runtime_error("x"));
    EXPECT_STREQ((co_await watched).error().what(), "x");
    EXPECT_STREQ((co_await or_error(d)).error().what(), "x");
  });
  EXPECT_THAT(log.errors(), IsEmpty());
}

TEST(Choose_loser, that_fails_after_dont_wait_for_goes_to_its_monitor) {
  const Captured_log log;
  Simulation().run([]() -> Deferred<> {
    const Recording_monitor listener;
    const Ivar<> ivar = listener.under([] { return determined(Ivar<>()); }).peek().value();
    dont_wait_for(ivar.read());
    co_await any_unit(ivar.read(), determined());
    ivar.fail(std::runtime_error("x"));
    co_await settle();
    EXPECT_THAT(listener.heard(), ElementsAre("x"));
  });
  EXPECT_THAT(log.errors(), IsEmpty());
}

// Both races give up the same record.
TEST(Choose_loser, of_several_races_is_logged_once) {
  const Captured_log log;
  Simulation().run([]() -> Deferred<> {
    std::optional<Ivar<>> ivar(std::in_place);
    const auto mapped = [&] { return ivar->read().map([] {}); };
    co_await any_unit(ivar->read(), mapped(), determined());
    co_await any_unit(mapped(), determined());
    ivar->fail(std::runtime_error("x"));
    ivar.reset();
    co_await settle();
  });
  EXPECT_THAT(log.errors(), ElementsAre(HasSubstr("x")));
}

TEST(Choose_loser, that_is_abandoned_later_is_silent) {
  const Captured_log log;
  Simulation().run([]() -> Deferred<> {
    std::optional<Ivar<>> ivar(std::in_place);
    co_await any_unit(ivar->read(), determined());
    ivar.reset();
    co_await settle();
  });
  EXPECT_THAT(log.errors(), IsEmpty());
}

TEST(Choose_loser, goes_on_with_what_it_does) {
  Simulation().run([]() -> Deferred<> {
    Events events;
    const auto work = [&]() -> Deferred<> {
      co_await Clock::after(std::chrono::seconds(2));
      events.emplace_back("done");
    };
    co_await any_unit(work(), Clock::after(std::chrono::seconds(1)));
    EXPECT_THAT(events, IsEmpty());
    co_await Clock::after(std::chrono::seconds(2));
    EXPECT_THAT(events, ElementsAre("done"));
  });
}

// Both are jobs already when the first of them makes the choice.
TEST(Choose_loser, that_is_queued_already_is_taken_out) {
  Simulation().run([]() -> Deferred<> {
    Events events;
    const Ivar<> first;
    const Ivar<> second;
    const Deferred<> d = choose(choice(first.read(), [&] { events.emplace_back("first"); }),
                                choice(second.read(), [&] { events.emplace_back("second"); }));
    second.fill();
    first.fill();
    second.read().upon([&] { events.emplace_back("after"); });
    co_await settle();
    EXPECT_THAT(events, ElementsAre("first", "after"));
  });
}

}  // namespace
}  // namespace async
