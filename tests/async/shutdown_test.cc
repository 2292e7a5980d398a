#include "async/shutdown.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include "async/async.h"
#include "async/internal/engine.h"
#include "async/testing/simulation.h"
#include "tests/support/captured_log.h"
#include "tests/support/goodbye.h"

namespace async {
namespace {

using namespace std::chrono_literals;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::Simulation;
using ::testing::SizeIs;

// How long the program `main`, which something else ends, takes in virtual time.
template <class F>
Span time_to_end(Simulation& simulation, F main) {
  const Time_ns start = simulation.now();
  EXPECT_THROW(simulation.run(main), Scheduler_ended);
  return simulation.now() - start;
}

TEST(Shutdown, ends_the_program) {
  Simulation simulation;
  const auto main = []() -> Deferred<> {
    EXPECT_FALSE(Shutdown::is_shutting_down());
    co_await Clock::after(5s);
    Shutdown::shutdown();
    EXPECT_TRUE(Shutdown::is_shutting_down());
    co_await Clock::after(1h);
    ADD_FAILURE();
  };
  EXPECT_EQ(time_to_end(simulation, main), Span(5s));
}

TEST(Shutdown, calls_its_handlers_when_it_begins) {
  Events events;
  Simulation simulation;
  const auto main = [&]() -> Deferred<> {
    Shutdown::at_shutdown([&]() -> Deferred<> {
      EXPECT_TRUE(Shutdown::is_shutting_down());
      events.emplace_back("handler");
      co_return;
    });
    co_await Clock::after(1s);
    EXPECT_THAT(events, IsEmpty());
    Shutdown::shutdown();
    EXPECT_THAT(events, IsEmpty());
    co_await never();
  };
  time_to_end(simulation, main);
  EXPECT_THAT(events, ElementsAre("handler"));
}

TEST(Shutdown, begins_when_main_has_ended) {
  Events events;
  Simulation().run([&]() -> Deferred<> {
    Shutdown::at_shutdown([&]() -> Deferred<> {
      EXPECT_TRUE(Shutdown::is_shutting_down());
      co_await Clock::after(1s);
      events.emplace_back("handler");
    });
    co_return;
  });
  EXPECT_THAT(events, ElementsAre("handler"));
}

TEST(Shutdown, begins_when_an_error_has_reached_the_top) {
  Events events;
  Simulation simulation;
  const auto main = [&]() -> Deferred<> {
    Shutdown::at_shutdown([&]() -> Deferred<> {
      co_await Clock::after(1s);
      events.emplace_back("handler");
    });
    Scheduler::schedule([] { throw std::out_of_range("x"); });
    co_await never();
  };
  EXPECT_THROW(simulation.run(main), std::out_of_range);
  EXPECT_THAT(events, ElementsAre("handler"));
}

TEST(Shutdown, runs_its_handlers_at_the_same_time) {
  Events events;
  Simulation simulation;
  const auto main = [&]() -> Deferred<> {
    for (const int seconds : {3, 1, 2}) {
      Shutdown::at_shutdown([&events, seconds]() -> Deferred<> {
        events.push_back("begin " + std::to_string(seconds));
        co_await Clock::after(seconds * 1s);
        events.push_back("end " + std::to_string(seconds));
      });
    }
    Shutdown::shutdown();
    return never();
  };
  EXPECT_EQ(time_to_end(simulation, main), Span(3s));
  EXPECT_THAT(events, ElementsAre("begin 3", "begin 1", "begin 2", "end 1", "end 2", "end 3"));
}

TEST(Shutdown, lets_the_rest_of_the_program_go_on_until_its_handlers_are_done) {
  Events events;
  Simulation simulation;
  const auto main = [&]() -> Deferred<> {
    Shutdown::at_shutdown([] { return Clock::after(5s); });
    Shutdown::shutdown();
    co_await Clock::after(4s);
    events.emplace_back("4s");
    co_await Clock::after(4s);
    events.emplace_back("8s");
  };
  EXPECT_EQ(time_to_end(simulation, main), Span(5s));
  EXPECT_THAT(events, ElementsAre("4s"));
}

TEST(Shutdown, calls_a_handler_that_another_one_adds) {
  Events events;
  Simulation simulation;
  const auto main = [&]() -> Deferred<> {
    Shutdown::at_shutdown([&]() -> Deferred<> {
      Shutdown::at_shutdown([&]() -> Deferred<> {
        co_await Clock::after(1s);
        events.emplace_back("late");
      });
      co_return;
    });
    Shutdown::shutdown();
    return never();
  };
  EXPECT_EQ(time_to_end(simulation, main), Span(1s));
  EXPECT_THAT(events, ElementsAre("late"));
}

TEST(Shutdown, calls_a_late_handler_soon_though_others_still_run) {
  Events events;
  Simulation simulation;
  const auto main = [&]() -> Deferred<> {
    Shutdown::at_shutdown([&]() -> Deferred<> {
      co_await Clock::after(5s);
      events.emplace_back("first");
    });
    Shutdown::shutdown();
    co_await Clock::after(1s);
    Shutdown::at_shutdown([&]() -> Deferred<> {
      events.emplace_back("late");
      co_return;
    });
    co_await never();
  };
  EXPECT_EQ(time_to_end(simulation, main), Span(5s));
  EXPECT_THAT(events, ElementsAre("late", "first"));
}

/// Something open that takes a second to finish.
class Slow_to_finish final : public internal::Ends_with_scheduler {
 public:
  explicit Slow_to_finish(Events& events) : events_(events) {
    internal::engine().open.push_back(*this);
  }

  Deferred<> finish() override {
    events_.emplace_back("finish");
    co_await Clock::after(2s);
    events_.emplace_back("finished");
  }
  void scheduler_ends() noexcept override { events_.emplace_back("end"); }

 private:
  Events& events_;
};

TEST(Shutdown, waits_for_what_is_open) {
  Events events;
  std::optional<Slow_to_finish> open;
  Simulation simulation;
  const auto main = [&]() -> Deferred<> {
    open.emplace(events);
    Shutdown::shutdown();
    return never();
  };
  EXPECT_EQ(time_to_end(simulation, main), Span(2s));
  EXPECT_THAT(events, ElementsAre("finish", "finished", "end"));
}

TEST(Shutdown, calls_a_handler_that_is_added_while_only_what_is_open_is_waited_for) {
  Events events;
  std::optional<Slow_to_finish> open;
  Simulation simulation;
  const auto main = [&]() -> Deferred<> {
    open.emplace(events);
    Shutdown::shutdown();
    co_await Clock::after(1s);
    Shutdown::at_shutdown([&]() -> Deferred<> {
      events.emplace_back("late");
      co_return;
    });
    co_await never();
  };
  time_to_end(simulation, main);
  EXPECT_THAT(events, ElementsAre("finish", "late", "finished", "end"));
}

TEST(Shutdown, waits_for_its_handlers_for_10_seconds) {
  Captured_log log;
  Simulation simulation;
  const auto main = []() -> Deferred<> {
    Shutdown::at_shutdown([] { return never(); });
    Shutdown::shutdown();
    return never();
  };
  EXPECT_EQ(time_to_end(simulation, main), Span(10s));
  EXPECT_THAT(log.errors(), ElementsAre(HasSubstr("10s")));
}

TEST(Shutdown, waits_for_its_handlers_as_long_as_it_was_told) {
  for (const Span bound : {Span(0s), Span(3s), Span(1h)}) {
    Captured_log log;
    Events events;
    Simulation simulation;
    const auto main = [&]() -> Deferred<> {
      Shutdown::set_default_force(bound);
      Shutdown::at_shutdown([&]() -> Deferred<> {
        events.emplace_back("begin");
        co_await Clock::after(24h);
        events.emplace_back("end");
      });
      Shutdown::shutdown();
      return never();
    };
    EXPECT_EQ(time_to_end(simulation, main), bound);
    EXPECT_THAT(events, ElementsAre("begin"));
    EXPECT_THAT(log.errors(), ElementsAre(HasSubstr(to_string(bound))));
  }
}

TEST(Shutdown, logs_the_handlers_that_fail_and_waits_for_the_others) {
  Captured_log log;
  Events events;
  Simulation simulation;
  const auto main = [&]() -> Deferred<> {
    Shutdown::at_shutdown([]() -> Deferred<> {
      co_await Clock::after(1s);
      throw std::runtime_error("failed");
    });
    Shutdown::at_shutdown([]() -> Deferred<> { throw std::runtime_error("thrown"); });
    Shutdown::at_shutdown([&]() -> Deferred<> {
      co_await Clock::after(3s);
      events.emplace_back("other");
    });
    Shutdown::shutdown();
    return never();
  };
  EXPECT_EQ(time_to_end(simulation, main), Span(3s));
  EXPECT_THAT(events, ElementsAre("other"));
  EXPECT_THAT(log.errors(), SizeIs(2));
  EXPECT_THAT(log.errors(), Contains(HasSubstr("failed: failed")));
  EXPECT_THAT(log.errors(), Contains(HasSubstr("failed: thrown")));
}

TEST(Shutdown, keeps_its_handlers_while_they_run) {
  Events events;
  Simulation simulation;
  const auto main = [&]() -> Deferred<> {
    Shutdown::at_shutdown(
        [&events, g = goodbye(events, "f"), n = std::make_unique<int>(3)]() -> Deferred<> {
          co_await Clock::after(1s);
          events.push_back(std::to_string(*n));
        });
    Shutdown::shutdown();
    return never();
  };
  time_to_end(simulation, main);
  EXPECT_THAT(events, ElementsAre("3", "f gone"));
}

TEST(Shutdown, is_of_one_scheduler_only) {
  Simulation().run([]() -> Deferred<> {
    Shutdown::set_default_force(1s);
    co_return;
  });
  Simulation simulation;
  const auto main = []() -> Deferred<> {
    EXPECT_FALSE(Shutdown::is_shutting_down());
    Shutdown::at_shutdown([] { return Clock::after(5s); });
    Shutdown::shutdown();
    return never();
  };
  EXPECT_EQ(time_to_end(simulation, main), Span(5s));
}

TEST(Shutdown, needs_a_scheduler) {
  EXPECT_THROW(Shutdown::shutdown(), No_scheduler);
  EXPECT_THROW((void)Shutdown::requested(), No_scheduler);
  EXPECT_THROW(Shutdown::at_shutdown([] { return determined(); }), No_scheduler);
}

}  // namespace
}  // namespace async
