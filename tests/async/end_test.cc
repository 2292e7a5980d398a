// The end of a scheduler: what is destroyed, and in which order.  end_of_jobs_test.cc has the jobs
// that are left.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
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

namespace async {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::Simulation;
using testing::Stuck;

/// `wait(events, name, d)` says goodbye when its frame is destroyed.
Deferred<> wait(Events& events, std::string name, Deferred<> d) {
  const auto local = goodbye(events, name);
  co_await d;
  events.push_back(name + " went on");
}

TEST(End, destroys_a_child_before_its_parent) {
  Events events;
  const auto child = [&]() -> Deferred<> { co_await wait(events, "grandchild", never()); };
  const auto parent = [&](bool wait_before) -> Deferred<> {
    const auto local = goodbye(events, "parent");
    if (wait_before) co_await Scheduler::yield();
    const auto nested = [&]() -> Deferred<> {
      const auto nested_local = goodbye(events, "child");
      co_await child();
    };
    co_await nested();
  };
  for (const bool wait_before : {false, true}) {
    events.clear();
    Simulation().run([&]() -> Deferred<> {
      const Deferred<> d = parent(wait_before);
      co_await Clock::after(std::chrono::seconds(1));
    });
    EXPECT_THAT(events, ElementsAre("grandchild gone", "child gone", "parent gone"));
  }
}

// The first two wait from the start; the third is called by the second, after both have waited.
TEST(End, destroys_frames_newest_first) {
  Events events;
  Simulation().run([&]() -> Deferred<> {
    const Ivar<> go;
    const Deferred<> first = wait(events, "first", never());
    const auto calls_late = [&]() -> Deferred<> {
      const auto local = goodbye(events, "second");
      const Deferred<> early_child = wait(events, "early child", never());
      co_await go.read();
      const Deferred<> late_child = wait(events, "late child", never());
      co_await never();
    };
    const Deferred<> second = calls_late();
    const Deferred<> third = wait(events, "third", never());
    go.fill();
    co_await Scheduler::yield_until_no_jobs_remain();
  });
  EXPECT_THAT(events, ElementsAre("late child gone", "third gone", "early child gone",
                                  "second gone", "first gone"));
}

// A parent that has not waited yet itself is older than the children that it has called.
TEST(End, destroys_siblings_newest_first_and_before_their_parent) {
  Events events;
  Simulation().run([&]() -> Deferred<> {
    const auto parent = [&]() -> Deferred<> {
      const auto local = goodbye(events, "parent");
      std::vector<Deferred<>> children;
      for (const char* name : {"1", "2", "3"}) children.push_back(wait(events, name, never()));
      co_await all_unit(children);
    };
    const Deferred<> d = parent();
    co_await Scheduler::yield();
  });
  EXPECT_THAT(events, ElementsAre("3 gone", "2 gone", "1 gone", "parent gone"));
}

TEST(End, destroys_the_program_that_an_error_has_ended) {
  Events events;
  EXPECT_THROW(Simulation().run([&]() -> Deferred<> {
    const auto local = goodbye(events, "program");
    Monitor::current().send(Error("x"));
    co_await wait(events, "child", never());
  }),
               std::runtime_error);
  EXPECT_THAT(events, ElementsAre("child gone", "program gone"));
}

TEST(End, destroys_what_is_stuck) {
  Events events;
  EXPECT_THROW(Simulation().run([&]() -> Deferred<> {
    const Ivar<> ivar;
    co_await wait(events, "program", ivar.read());
  }),
               Stuck);
  EXPECT_THAT(events, ElementsAre("program gone"));
}

TEST(End, filling_and_abandoning_in_destructors_does_nothing) {
  Events events;
  Simulation().run([&]() -> Deferred<> {
    const auto fills_at_its_end = [&](Ivar<> filled, Ivar<> abandoned) -> Deferred<> {
      const std::shared_ptr<void> local(nullptr, [&events, filled](void*) {
        events.emplace_back("filling");
        filled.fill();
        EXPECT_FALSE(filled.fill_if_empty());
        EXPECT_NO_THROW(filled.fail(Error("x")));
        EXPECT_FALSE(filled.is_full());
      });
      const Ivar<> mine = std::move(abandoned);
      co_await never();
    };
    std::optional<Ivar<>> filled(std::in_place);
    std::optional<Ivar<>> abandoned(std::in_place);
    filled->read().upon([&] { events.emplace_back("handler of filled"); });
    const Deferred<> older = wait(events, "waits for filled", filled->read());
    const Deferred<> old = wait(events, "waits for abandoned", abandoned->read());
    const Deferred<> d = fills_at_its_end(*std::exchange(filled, std::nullopt),
                                          *std::exchange(abandoned, std::nullopt));
    co_await Scheduler::yield();
  });
  EXPECT_THAT(events, ElementsAre("filling", "waits for abandoned gone", "waits for filled gone"));
}

/// `call_at_end(f)` never ends, and calls `f` when it is destroyed with its scheduler.
Deferred<> call_at_end(std::function<void()> f) {
  const std::shared_ptr<void> local(nullptr, [&](void*) { f(); });
  co_await never();
}

TEST(End, starting_a_coroutine_in_a_destructor_fails_with_scheduler_ended) {
  Events events;
  const auto start = [&events](std::shared_ptr<void>) -> Deferred<int> {
    events.emplace_back("started");
    co_return 1;
  };
  std::optional<Deferred<int>> kept;
  Simulation().run([&]() -> Deferred<> {
    const Deferred<> d = call_at_end([&] {
      kept = start(goodbye(events, "parameter"));
      EXPECT_TRUE(kept->is_determined());
      EXPECT_EQ(kept->peek(), std::nullopt);
    });
    co_await Scheduler::yield();
  });
  EXPECT_THAT(events, ElementsAre("parameter gone"));
  Simulation().run([&]() -> Deferred<> {
    const Or_error<int> result = co_await or_error(*std::exchange(kept, std::nullopt));
    EXPECT_TRUE(result.error().as<Scheduler_ended>());
  });
}

TEST(End, work_that_cannot_be_started_any_more_is_logged_if_nobody_cares) {
  const Captured_log log;
  const auto start = []() -> Deferred<> { co_return; };
  Simulation().run([&]() -> Deferred<> {
    const Deferred<> d = call_at_end([&] { Deferred<> dropped = start(); });
    co_await Scheduler::yield();
  });
  EXPECT_THAT(log.errors(), ElementsAre(HasSubstr("scheduler has ended")));
}

TEST(End, work_for_another_thread_that_a_destructor_starts_does_not_begin) {
  bool ran = false;
  Simulation simulation;
  simulation.run([&]() -> Deferred<> {
    const Deferred<> d =
        call_at_end([&] { Deferred<> dropped = In_thread::run([&] { ran = true; }); });
    co_await Scheduler::yield();
  });
  simulation.run([]() -> Deferred<> { co_await Clock::after(std::chrono::seconds(1)); });
  EXPECT_FALSE(ran);
}

TEST(End, nothing_runs_that_a_destructor_registers) {
  Events events;
  const auto say = [&](std::string name) {
    return [&events, name, probe = goodbye(events, name)](auto&&...) { events.push_back(name); };
  };
  Simulation().run([&]() -> Deferred<> {
    const Deferred<> d = call_at_end([&] {
      determined().upon(say("upon"));
      const Deferred<> mapped = determined(1).map(say("map"));
      const Deferred<> chosen = choose(choice(determined(), say("choose")));
      const Ivar<> ivar;
      ivar.read().upon(say("ivar"));
      ivar.fill_if_empty();
      Clock::after(std::chrono::seconds(1)).upon(say("clock"));
      Scheduler::schedule(say("schedule"));
      events.emplace_back("registered");
    });
    co_await Scheduler::yield();
  });
  EXPECT_THAT(events,
              ::testing::UnorderedElementsAre("registered", "upon gone", "map gone", "choose gone",
                                              "ivar gone", "clock gone", "schedule gone"));
}

TEST(End, a_frame_that_waits_can_be_destroyed_wherever_it_waits) {
  Events events;
  const Ivar<>* outside = nullptr;
  std::optional<Ivar<>> kept;
  Simulation().run([&]() -> Deferred<> {
    kept.emplace();
    outside = &*kept;
    const Deferred<> inner = kept->read();
    const auto pipe = std::make_shared<Pipe::Ends<int>>(Pipe::create<int>());
    const std::vector<Deferred<>> waiting = {
        wait(events, "ivar", inner),
        wait(events, "bind", determined().bind([inner] { return inner; })),
        wait(events, "map", inner.map([] {})),
        wait(events, "choose", any_unit(inner, Clock::after(std::chrono::hours(1)))),
        wait(events, "all", all_unit({inner, Scheduler::yield()})),
        wait(events, "try_with", try_with([inner] { return inner; }).map([](const auto&) {})),
        wait(events, "with_timeout",
             Clock::with_timeout(std::chrono::hours(1), inner).map([](const auto&) {})),
        wait(events, "read", pipe->reader.read().map([pipe](const auto&) {})),
        wait(events, "clock", Clock::after(std::chrono::hours(1))),
        wait(events, "coroutine", wait(events, "child", inner)),
        wait(events, "pipe", pipe->reader.closed()),
    };
    co_await Scheduler::yield_until_no_jobs_remain();
  });
  EXPECT_EQ(events.size(), 12u);
  EXPECT_THAT(events, ::testing::Each(HasSubstr(" gone")));
  outside->fill();
  kept.reset();
}

// The races hold what they wait for, and themselves.
TEST(End, a_race_that_nobody_has_won_leaves_nothing) {
  Events events;
  const auto starts = std::vector<std::function<Deferred<>()>>{
      [&] { return choose(choice(wait(events, "frame", never()), [p = goodbye(events, "f")] {})); },
      [&] { return any(std::vector{wait(events, "frame", never())}); },
      [&] { return any_unit(wait(events, "frame", never()), Clock::after(std::chrono::hours(1))); },
      [&] { return all_unit({wait(events, "frame", never()), determined()}); },
      [&] {
        return both(wait(events, "frame", never()), determined(goodbye(events, "value")))
            .map([](const auto&) {});
      },
      [&] {
        return Clock::with_timeout(std::chrono::hours(1), wait(events, "frame", never()))
            .map([p = goodbye(events, "handler")](const auto&) {});
      },
  };
  const std::vector<std::size_t> gone = {2, 1, 1, 1, 2, 2};
  for (std::size_t i = 0; i < starts.size(); ++i) {
    events.clear();
    Simulation().run([&]() -> Deferred<> {
      const Deferred<> d = starts[i]();
      co_await Scheduler::yield();
    });
    EXPECT_EQ(events.size(), gone[i]) << i;
  }
}

TEST(End, comes_after_the_shutdown_in_which_jobs_still_run) {
  Events events;
  Simulation().run([&]() -> Deferred<> {
    Shutdown::at_shutdown([&]() -> Deferred<> {
      co_await Clock::after(std::chrono::seconds(1));
      events.emplace_back("shutdown");
    });
    const Deferred<> d = wait(events, "frame", never());
    const auto local = goodbye(events, "program");
    co_await Scheduler::yield();
  });
  EXPECT_THAT(events, ElementsAre("program gone", "shutdown", "frame gone"));
}

TEST(End, go_main_returns_and_does_not_exit) {
  Events events;
  const int status = Scheduler::go_main([&]() -> Deferred<int> {
    const Deferred<> d = wait(events, "frame", never());
    co_return 3;
  });
  EXPECT_EQ(status, 3);
  EXPECT_THAT(events, ElementsAre("frame gone"));
}

TEST(End, destroys_the_handlers_that_never_ran) {
  Events events;
  Simulation().run([&]() -> Deferred<> {
    const auto waits = [&]() -> Deferred<> {
      const Ivar<> ivar;
      ivar.read().upon([probe = goodbye(events, "upon")] {});
      const Deferred<> bound =
          ivar.read()
              .map([probe = goodbye(events, "map")] {})
              .bind([probe = goodbye(events, "bind")] { return determined(); });
      co_await never();
    };
    const Deferred<> d = waits();
    co_await Scheduler::yield();
    EXPECT_THAT(events, IsEmpty());
  });
  EXPECT_THAT(events, ::testing::UnorderedElementsAre("upon gone", "map gone", "bind gone"));
}

}  // namespace
}  // namespace async
