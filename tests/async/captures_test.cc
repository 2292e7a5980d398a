// A callable given to the library lives until what it returned is determined, and no longer than
// it must.

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
#include "tests/support/goodbye.h"

namespace async {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::Simulation;

Deferred<> settle() { return Scheduler::yield_until_no_jobs_remain(); }

const std::string text = "a capture that is too long to be stored inside the string object itself";

/// What a test lets a capturing coroutine lambda wait for, and sees of it.
class Scene {
 public:
  /// `use(capture)` is a coroutine that uses its parameter, a reference into the captures of
  /// the lambda that calls it, after it has waited.
  Deferred<std::size_t> use(const std::string& capture) const {
    co_await go.read();
    co_return capture.size();
  }
  /// `lambda()` is a coroutine lambda that uses its captures after it has waited.  The callable
  /// says goodbye to `events`.
  auto lambda() {
    return [this, text = text,
            probe = goodbye(events, "callable")](auto&&...) -> Deferred<std::size_t> {
      co_await go.read();
      events.push_back(probe.use_count() > 0 ? "used" : "dangling");
      co_return text.size();
    };
  }
  /// `ends(d)` lets the lambda go on, whose value `d` has in the end.
  Deferred<> ends(Deferred<std::size_t> d) {
    co_await settle();
    EXPECT_THAT(events, IsEmpty());
    go.fill();
    EXPECT_EQ(co_await std::move(d), text.size());
    co_await settle();
    EXPECT_THAT(events, ElementsAre("used", "callable gone"));
  }

  Events events;
  Ivar<> go;
};

TEST(Captures, live_in_bind) {
  Simulation().run([]() -> Deferred<> {
    Scene scene;
    co_await scene.ends(determined(1).bind(scene.lambda()));
  });
}

TEST(Captures, live_in_bind_though_the_result_is_dropped) {
  Simulation().run([]() -> Deferred<> {
    Scene scene;
    {
      Deferred<std::size_t> dropped = determined().bind(scene.lambda());
    }
    co_await scene.ends(determined(text.size()));
  });
}

TEST(Captures, live_in_bind_of_a_bind) {
  Simulation().run([]() -> Deferred<> {
    Scene scene;
    co_await scene.ends(determined().bind([&scene, other = text] {
      return determined().bind(scene.lambda()).bind([other](std::size_t n) {
        return determined(n);
      });
    }));
  });
}

TEST(Captures, live_in_choice) {
  Simulation().run([]() -> Deferred<> {
    Scene scene;
    co_await scene.ends(choose(choice(determined(), scene.lambda()),
                               choice(never(), [] { return std::size_t(); })));
  });
}

TEST(Captures, live_in_a_vector_of_choices) {
  Simulation().run([]() -> Deferred<> {
    Scene scene;
    std::vector choices = {choice(determined(), scene.lambda())};
    co_await scene.ends(choose(std::move(choices)));
  });
}

TEST(Captures, live_in_try_with) {
  Simulation().run([]() -> Deferred<> {
    Scene scene;
    co_await scene.ends(
        try_with(scene.lambda()).map([](const Or_error<std::size_t>& n) { return *n; }));
  });
}

TEST(Captures, live_in_try_with_after_its_result) {
  Simulation().run([]() -> Deferred<> {
    Scene scene;
    const auto result = co_await try_with([f = scene.lambda()]() mutable -> Deferred<std::size_t> {
      dont_wait_for(failed(Error("in the background")));
      co_return co_await f();
    });
    EXPECT_FALSE(result);
    co_await scene.ends(determined(text.size()));
  });
}

TEST(Captures, live_in_protect) {
  Simulation().run([]() -> Deferred<> {
    Scene scene;
    co_await scene.ends(protect(scene.lambda(), [] {}));
  });
}

TEST(Captures, live_in_the_end_of_protect) {
  Simulation().run([]() -> Deferred<> {
    Scene scene;
    co_await scene.ends(protect([] { return determined(text.size()); },
                                [&, f = scene.lambda()]() -> Deferred<> { co_await f(); }));
  });
}

TEST(Captures, live_in_within_schedule_and_with_local) {
  static const Scheduler::Local_key<int> key;
  Simulation().run([]() -> Deferred<> {
    {
      Scene scene;
      co_await scene.ends(Scheduler::within({}, scene.lambda()));
    }
    {
      Scene scene;
      co_await scene.ends(Scheduler::with_local(key, 1, scene.lambda()));
    }
    {
      Scene scene;
      Scheduler::schedule([f = scene.lambda()]() mutable -> Deferred<> { co_await f(); });
      co_await scene.ends(determined(text.size()));
    }
  });
}

TEST(Captures, live_in_repeat_until_finished) {
  Simulation().run([]() -> Deferred<> {
    Scene scene;
    co_await scene.ends(repeat_until_finished(
        0, [f = scene.lambda()](int n) mutable -> Deferred<Repeat_or_finished<int, std::size_t>> {
          if (n < 10) {
            co_await Scheduler::yield();
            co_return Repeat{n + 1};
          }
          co_return Finished{co_await f()};
        }));
  });
}

TEST(Captures, live_in_forever) {
  Simulation().run([]() -> Deferred<> {
    Events events;
    const Ivar<> enough;
    forever([&events, enough, text = text, calls = 0]() mutable -> Deferred<> {
      co_await Scheduler::yield();
      events.push_back(std::to_string(text.size()));
      if (++calls == 3) {
        enough.fill();
        co_await never();
      }
    });
    co_await enough.read();
    EXPECT_EQ(events.size(), 3u);
  });
}

TEST(Captures, live_in_iter_of_a_pipe) {
  Simulation().run([]() -> Deferred<> {
    Events events;
    const auto [reader, writer] = Pipe::create<int>();
    const Deferred<> end = reader.iter(
        [&events, text = text, probe = goodbye(events, "callable")](int x) -> Deferred<> {
          co_await Scheduler::yield();
          events.push_back(std::to_string(text.size() + x));
        });
    for (int i = 0; i < 3; ++i) co_await writer.write(i);
    writer.close();
    co_await end;
    const auto n = text.size();
    EXPECT_THAT(events, ElementsAre(std::to_string(n), std::to_string(n + 1), std::to_string(n + 2),
                                    "callable gone"));
  });
}

TEST(Captures, live_in_every) {
  Simulation().run([]() -> Deferred<> {
    Events events;
    const Ivar<> stop;
    Clock::every(std::chrono::seconds(1), {.stop = stop.read()},
                 [&events, text = text, probe = goodbye(events, "callable")]() -> Deferred<> {
                   co_await Clock::after(std::chrono::seconds(1));
                   events.push_back(std::to_string(text.size()));
                 });
    co_await Clock::after(std::chrono::milliseconds(2500));
    stop.fill();
    co_await Clock::after(std::chrono::seconds(1));
    const auto n = std::to_string(text.size());
    EXPECT_THAT(events, ElementsAre(n, n, "callable gone"));
  });
}

// The temporaries of an await live until it ends: no library needed, but compilers get it wrong.
TEST(Captures, of_a_temporary_in_an_await_are_destroyed_once) {
  Simulation().run([]() -> Deferred<> {
    Events events;
    const auto call = [](auto f) -> Deferred<std::size_t> { co_return co_await f(); };
    const auto n = co_await call(
        [text = text, probe = goodbye(events, "callable")]() -> Deferred<std::size_t> {
          co_await Scheduler::yield();
          co_return text.size();
        });
    EXPECT_EQ(n, text.size());
    EXPECT_THAT(events, ElementsAre("callable gone"));
  });
}

TEST(Captures, live_when_a_plain_function_hands_out_references_to_them) {
  Simulation().run([]() -> Deferred<> {
    Scene scene;
    const auto bound = determined().bind([&scene, capture = text] { return scene.use(capture); });
    const auto chosen =
        choose(choice(determined(), [&scene, capture = text] { return scene.use(capture); }));
    const auto tried = try_with([&scene, capture = text] { return scene.use(capture); });
    co_await settle();
    scene.go.fill();
    EXPECT_EQ(co_await bound, text.size());
    EXPECT_EQ(co_await chosen, text.size());
    EXPECT_EQ(co_await tried, text.size());
  });
}

TEST(Captures, are_destroyed_when_what_was_returned_fails_or_is_abandoned) {
  Simulation().run([]() -> Deferred<> {
    Events events;
    const Ivar<> failing;
    std::optional<Ivar<>> abandoned(std::in_place);
    const Deferred<> first =
        determined().bind([d = failing.read(), probe = goodbye(events, "first")] { return d; });
    const Deferred<> second =
        determined().bind([d = abandoned->read(), probe = goodbye(events, "second")] { return d; });
    co_await settle();
    EXPECT_THAT(events, IsEmpty());
    failing.fail(Error("x"));
    EXPECT_THAT(events, ElementsAre("first gone"));
    abandoned.reset();
    EXPECT_THAT(events, ElementsAre("first gone", "second gone"));
    EXPECT_FALSE(co_await or_error(first));
    EXPECT_FALSE(co_await or_error(second));
    EXPECT_FALSE(co_await or_error(failing.read()));
  });
}

TEST(Captures, are_destroyed_at_once_when_what_was_returned_is_determined) {
  Simulation().run([]() -> Deferred<> {
    Events events;
    const Deferred<> d =
        determined().bind([probe = goodbye(events, "bind")] { return determined(); }).map([&] {
          events.emplace_back("next");
        });
    co_await d;
    EXPECT_THAT(events, ElementsAre("bind gone", "next"));
  });
}

TEST(Captures, are_destroyed_with_the_scheduler_if_nothing_else_comes) {
  Events events;
  Simulation().run([&]() -> Deferred<> {
    const auto waits = [&](std::string name) {
      return [probe = goodbye(events, std::move(name))](auto&&...) -> Deferred<> {
        co_await never();
        EXPECT_TRUE(probe.use_count() > 100) << "it went on";
      };
    };
    const std::vector<Deferred<>> waiting = {
        determined().bind(waits("bind")), choose(choice(determined(), waits("choice"))),
        protect(waits("protect"), [] {}), Scheduler::within({}, waits("within")),
        repeat_until_finished(
            [f = waits("repeat")]() mutable -> Deferred<Repeat_or_finished<void, void>> {
              co_await f();
              co_return Finished();
            })};
    const auto tried = try_with(waits("try_with"));
    Clock::every(std::chrono::seconds(1), waits("every"));
    co_await settle();
    EXPECT_THAT(events, IsEmpty());
  });
  EXPECT_THAT(events, ::testing::UnorderedElementsAre("bind gone", "choice gone", "protect gone",
                                                      "within gone", "repeat gone", "try_with gone",
                                                      "every gone"));
}

}  // namespace
}  // namespace async
