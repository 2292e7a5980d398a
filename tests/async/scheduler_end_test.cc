// What becomes of what is unfinished when a scheduler ends.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "async/async.h"
#include "async/testing/simulation.h"
#include "tests/support/captured_log.h"
#include "tests/support/goodbye.h"

namespace async {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::Simulation;

Deferred<> hold_until_the_end(std::shared_ptr<void> held) {
  co_await never();
  (void)held;
}

Deferred<> hold_while(std::shared_ptr<void> held, std::function<Deferred<>()> f) {
  co_await f();
  (void)held;
}

/// Calls `f` in the scheduler's end, when no job runs any more.
void at_the_end(std::function<void()> f) {
  dont_wait_for(hold_until_the_end(std::shared_ptr<void>(nullptr, [f](void*) { f(); })));
}

TEST(Scheduler_end, destroys_suspended_coroutines_newest_first) {
  Events events;
  Simulation().run([&]() -> Deferred<> {
    dont_wait_for(hold_until_the_end(goodbye(events, "oldest")));
    dont_wait_for(hold_while(goodbye(events, "parent"), [&] {
      return hold_while(goodbye(events, "child"),
                        [&] { return hold_until_the_end(goodbye(events, "grandchild")); });
    }));
    dont_wait_for(hold_until_the_end(goodbye(events, "newest")));
    co_await Scheduler::yield();
    EXPECT_THAT(events, IsEmpty());
  });
  EXPECT_THAT(events, ElementsAre("newest gone", "grandchild gone", "child gone", "parent gone",
                                  "oldest gone"));
}

TEST(Scheduler_end, destroys_a_child_first_that_waited_later_than_its_parent) {
  Events events;
  Simulation().run([&]() -> Deferred<> {
    dont_wait_for(hold_while(goodbye(events, "parent"), [&]() -> Deferred<> {
      return Clock::after(1s).bind([&] { return hold_until_the_end(goodbye(events, "child")); });
    }));
    dont_wait_for(hold_until_the_end(goodbye(events, "between")));
    co_await Clock::after(2s);
  });
  EXPECT_THAT(events, ElementsAre("child gone", "between gone", "parent gone"));
}

TEST(Scheduler_end, drops_the_handlers_of_what_never_came) {
  Events events;
  const auto handler = [&](const char* name) { return [g = goodbye(events, name)] {}; };
  Ivar<>* unfilled = nullptr;
  Simulation().run([&]() -> Deferred<> {
    unfilled = new Ivar<>;
    unfilled->read().upon(handler("upon"));
    Scheduler::within({}, [&unfilled, h = handler("within")] { return unfilled->read(); }).upon([] {
    });
    co_return;
  });
  EXPECT_THAT(events, ElementsAre("within gone"));
  delete unfilled;
  EXPECT_THAT(events, ElementsAre("within gone", "upon gone"));
}

TEST(Scheduler_end, drops_the_jobs_that_are_left) {
  Events events;
  Simulation().run([&]() -> Deferred<> {
    const Deferred<std::shared_ptr<void>> d = determined(goodbye(events, "value"));
    // More than it runs before it ends.
    Scheduler::within({.priority = Priority::Low}, [&] {
      for (int i = 0; i < 2000; ++i) {
        d.upon([g = goodbye(events, "upon")](const auto&) {});
        (void)d.map([](const auto&) { return 1; });
        (void)d.bind([](const auto&) { return determined(); });
        (void)or_error(d);
        (void)try_with([&] { return d.bind([](const auto&) { return determined(); }); });
        (void)choose(choice(d, [](const auto&) { return 1; }));
        (void)Clock::with_timeout(1s, d);
        dont_wait_for([](Deferred<std::shared_ptr<void>> e) -> Deferred<> { co_await e; }(d));
      }
    });
    co_return;
  });
  EXPECT_EQ(std::ranges::count(events, "upon gone"), 2000);
  EXPECT_EQ(std::ranges::count(events, "value gone"), 1);
}

/// Lets something of this kind, which holds `held`, wait for `d`.
void wait_in_vain(std::string_view kind, std::shared_ptr<void> held, const Deferred<int>& d) {
  const auto same = [held](int i) { return i; };
  const auto wait = [](Deferred<> waited_for, std::shared_ptr<void> h) -> Deferred<> {
    co_await waited_for;
    (void)h;
  };
  if (kind == "upon") d.upon([held](int) {});
  if (kind == "map") (void)d.map(same);
  if (kind == "bind") (void)d.bind([held](int) { return determined(); });
  if (kind == "within") (void)Scheduler::within({}, [held, d] { return d; });
  if (kind == "try_with") (void)try_with([held, d] { return d; });
  if (kind == "or_error") (void)or_error(d.map(same));
  if (kind == "choose") (void)choose(choice(d, same), choice(never<int>(), same));
  if (kind == "choose_one") (void)choose(choice(d.map(same), [](int) {}));
  if (kind == "any") (void)any<int>({d, d.map(same)});
  if (kind == "both") (void)both(d, d.map(same));
  if (kind == "all") (void)all<int>({d, d.map(same)});
  if (kind == "with_timeout") (void)Clock::with_timeout(1h, d.map(same));
  if (kind == "coroutine") dont_wait_for(wait(d.map([](int) {}), held));
  if (kind == "coroutine_that_chooses") {
    const auto choice_of_coroutines =
        choose(choice(wait(never(), held), [] {}), choice(wait(d.map([](int) {}), held), [] {}));
    dont_wait_for(wait(choice_of_coroutines, held));
  }
}

class Scheduler_end_drops : public ::testing::TestWithParam<const char*> {};

TEST_P(Scheduler_end_drops, what_waits_in_vain) {
  Events events;
  Simulation().run([&]() -> Deferred<> {
    const auto ivar = std::make_shared<Ivar<int>>();
    wait_in_vain(GetParam(), goodbye(events, "it"), ivar->read());
    dont_wait_for(hold_until_the_end(ivar));
    co_await Clock::after(1s);
    EXPECT_THAT(events, IsEmpty());
  });
  EXPECT_THAT(events, ElementsAre("it gone"));
}

INSTANTIATE_TEST_SUITE_P(Scheduler_end, Scheduler_end_drops,
                         ::testing::Values("upon", "map", "bind", "within", "try_with", "or_error",
                                           "choose", "choose_one", "any", "both", "all",
                                           "with_timeout", "coroutine", "coroutine_that_chooses"),
                         [](const auto& info) { return std::string(info.param); });

TEST(Scheduler_end, runs_no_job_that_is_made_meanwhile) {
  Events events;
  Simulation().run([&]() -> Deferred<> {
    auto ivar = std::make_shared<Ivar<>>();
    ivar->read().upon([&] { events.emplace_back("handler ran"); });
    at_the_end([&events, ivar] {
      ivar->fill();
      events.emplace_back("end");
    });
    co_return;
  });
  EXPECT_THAT(events, ElementsAre("end"));
}

TEST(Scheduler_end, drops_what_is_scheduled_meanwhile) {
  Events events;
  Simulation().run([&]() -> Deferred<> {
    at_the_end([&] {
      try {
        Scheduler::schedule([&, g = goodbye(events, "job")] { events.emplace_back("job ran"); });
      } catch (const Scheduler_ended&) {
      }
    });
    co_return;
  });
  EXPECT_THAT(events, ElementsAre("job gone"));
}

TEST(Scheduler_end, drops_the_handlers_that_are_registered_meanwhile) {
  Events events;
  Simulation().run([&]() -> Deferred<> {
    const Deferred<> d = determined();
    at_the_end([&events, d] {
      d.upon([&, g = goodbye(events, "upon")] { events.emplace_back("upon ran"); });
      const Deferred<> mapped =
          d.map([&, g = goodbye(events, "map")] { events.emplace_back("map ran"); });
    });
    co_return;
  });
  EXPECT_THAT(events, ElementsAre("upon gone", "map gone"));
}

TEST(Scheduler_end, drops_the_alarms_that_are_set_meanwhile) {
  Events events;
  Simulation().run([&]() -> Deferred<> {
    at_the_end([&] {
      (void)Clock::Event::run_after(
          0s, [&, g = goodbye(events, "event")] { events.emplace_back("event ran"); });
      Clock::after(1s).upon([g = goodbye(events, "after")] {});
    });
    co_return;
  });
  EXPECT_THAT(events, ElementsAre("event gone", "after gone"));
}

TEST(Scheduler_end, fails_the_coroutines_that_are_called_meanwhile) {
  Captured_log log;
  Events events;
  Simulation().run([&]() -> Deferred<> {
    at_the_end([&] {
      const Deferred<> d = hold_until_the_end(goodbye(events, "argument"));
      EXPECT_TRUE(d.is_determined());
      EXPECT_EQ(d.peek(), std::nullopt);
    });
    co_return;
  });
  EXPECT_THAT(events, ElementsAre("argument gone"));
  EXPECT_THAT(log.errors(), ElementsAre(HasSubstr(Scheduler_ended().what())));
}

TEST(Scheduler_end, delivers_errors_that_are_on_their_way) {
  const auto drops_a_failure = [](std::string& heard) -> Deferred<> {
    Monitor::main().get_next_error().upon([&](const Error& e) { heard = e.what(); });
    Scheduler::schedule([] { (void)failed(Error("just in time")); });
    co_return;
  };
  std::string heard;
  EXPECT_THROW(Simulation().run([&] { return drops_a_failure(heard); }), std::runtime_error);
}

TEST(Scheduler_end, logs_errors_that_come_too_late) {
  Captured_log log;
  Simulation().run([]() -> Deferred<> {
    at_the_end([] { (void)failed(Error("too late")); });
    at_the_end([] { Monitor::current().send(Error("too late as well")); });
    co_return;
  });
  EXPECT_THAT(log.errors(), ElementsAre(HasSubstr("too late as well"), HasSubstr("too late")));
}

TEST(Scheduler_end, logs_a_failure_that_outlives_it) {
  Captured_log log;
  std::optional<Deferred<>> d;
  Simulation().run([&]() -> Deferred<> {
    d = failed(Error("nobody saw it"));
    co_return;
  });
  EXPECT_THAT(log.errors(), IsEmpty());
  d.reset();
  EXPECT_THAT(log.errors(), ElementsAre(HasSubstr("nobody saw it")));
}

}  // namespace
}  // namespace async
