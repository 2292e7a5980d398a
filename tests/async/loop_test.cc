#include "async/loop.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "async/async.h"
#include "async/testing/simulation.h"
#include "tests/support/goodbye.h"
#include "tests/support/recording_monitor.h"

namespace async {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::Simulation;

using Unique = std::unique_ptr<int>;

TEST(Repeat_until_finished, passes_the_state_on_until_the_end) {
  Simulation().run([]() -> Deferred<> {
    std::vector<int> states;
    const std::string result = co_await repeat_until_finished(
        3, [&](int n) -> Deferred<Repeat_or_finished<int, std::string>> {
          states.push_back(n);
          co_await Scheduler::yield();
          if (n == 0) co_return Finished{std::string("done")};
          co_return Repeat{n - 1};
        });
    EXPECT_EQ(result, "done");
    EXPECT_THAT(states, ElementsAre(3, 2, 1, 0));
  });
}

TEST(Repeat_until_finished, needs_neither_a_state_nor_a_result) {
  Simulation().run([]() -> Deferred<> {
    int calls = 0;
    co_await repeat_until_finished([&]() -> Deferred<Repeat_or_finished<void, void>> {
      if (++calls < 3) co_return Repeat();
      co_return Finished();
    });
    EXPECT_EQ(calls, 3);
    const int result =
        co_await repeat_until_finished([&]() -> Deferred<Repeat_or_finished<void, int>> {
          if (++calls < 6) co_return Repeat();
          co_return Finished{calls};
        });
    EXPECT_EQ(result, 6);
    co_await repeat_until_finished(0, [&](int n) -> Deferred<Repeat_or_finished<int, void>> {
      if (n < 3) co_return Repeat{n + 1};
      co_return Finished();
    });
  });
}

TEST(Repeat_until_finished, goes_on_at_once_while_the_answers_are_there) {
  Simulation().run([]() -> Deferred<> {
    int calls = 0;
    const Deferred<int> d =
        repeat_until_finished(0, [&](int n) -> Deferred<Repeat_or_finished<int, int>> {
          ++calls;
          if (n == 2) return determined(Repeat_or_finished<int, int>(Finished{n}));
          return determined(Repeat_or_finished<int, int>(Repeat{n + 1}));
        });
    EXPECT_EQ(calls, 3);
    EXPECT_EQ(co_await d, 2);
  });
}

TEST(Repeat_until_finished, waits_for_each_step) {
  Simulation().run([]() -> Deferred<> {
    const Time_ns start = Clock::now();
    co_await repeat_until_finished(1, [](int n) -> Deferred<Repeat_or_finished<int, void>> {
      co_await Clock::after(std::chrono::seconds(n));
      if (n == 3) co_return Finished();
      co_return Repeat{n + 1};
    });
    EXPECT_EQ(Clock::now() - start, std::chrono::seconds(6));
  });
}

TEST(Repeat_until_finished, moves_the_state_and_the_result) {
  Simulation().run([]() -> Deferred<> {
    const Unique end = co_await repeat_until_finished(
        std::make_unique<int>(0), [](Unique p) -> Deferred<Repeat_or_finished<Unique, Unique>> {
          if (*p == 3) co_return Finished{std::move(p)};
          ++*p;
          co_return Repeat{std::move(p)};
        });
    EXPECT_EQ(*end, 3);
  });
}

TEST(Repeat_until_finished, ends_with_an_error_of_its_function) {
  Simulation().run([]() -> Deferred<> {
    int calls = 0;
    const auto fail_at_once =
        repeat_until_finished([&]() -> Deferred<Repeat_or_finished<void, void>> {
          ++calls;
          throw std::out_of_range("at once");
        });
    const auto fail_later =
        repeat_until_finished(0, [&](int n) -> Deferred<Repeat_or_finished<int, void>> {
          ++calls;
          co_await Scheduler::yield();
          if (n == 2) throw std::out_of_range("later");
          co_return Repeat{n + 1};
        });
    EXPECT_STREQ((co_await or_error(fail_at_once)).error().what(), "at once");
    EXPECT_STREQ((co_await or_error(fail_later)).error().what(), "later");
    EXPECT_EQ(calls, 4);
  });
}

TEST(Repeat_until_finished, keeps_no_step_alive) {
  Simulation().run([]() -> Deferred<> {
    int alive = 0;
    int most = 0;
    co_await repeat_until_finished(0, [&](int n) -> Deferred<Repeat_or_finished<int, void>> {
      const std::shared_ptr<void> local(nullptr, [&](void*) { --alive; });
      most = std::max(most, ++alive);
      if (n % 3 == 0) co_await Scheduler::yield();
      if (n == 1000) co_return Finished();
      co_return Repeat{n + 1};
    });
    EXPECT_EQ(most, 1);
    EXPECT_EQ(alive, 0);
  });
}

TEST(Repeat_until_finished, does_not_starve_others) {
  Simulation().run([]() -> Deferred<> {
    bool stop = false;
    Scheduler::yield().upon([&] { stop = true; });
    int calls = 0;
    co_await repeat_until_finished([&]() -> Deferred<Repeat_or_finished<void, void>> {
      if (stop || ++calls == 1'000'000) co_return Finished();
      co_return Repeat();
    });
    EXPECT_LT(calls, 10'000);
  });
}

TEST(Forever, calls_its_function_again_and_again_with_what_it_returned) {
  Simulation().run([]() -> Deferred<> {
    std::vector<int> states;
    const Ivar<> enough;
    forever(1, [&states, enough](int n) -> Deferred<int> {
      states.push_back(n);
      if (n == 8) enough.fill();
      co_await Clock::after(std::chrono::seconds(1));
      co_return 2 * n;
    });
    EXPECT_THAT(states, ElementsAre(1));
    co_await enough.read();
    EXPECT_THAT(states, ElementsAre(1, 2, 4, 8));
  });
}

TEST(Forever, waits_for_each_call) {
  Simulation().run([]() -> Deferred<> {
    int running = 0;
    int calls = 0;
    forever([&]() -> Deferred<> {
      ++calls;
      EXPECT_EQ(++running, 1);
      co_await Clock::after(std::chrono::seconds(1));
      --running;
    });
    co_await Clock::after(std::chrono::milliseconds(3500));
    EXPECT_EQ(calls, 4);
  });
}

TEST(Forever, ends_with_an_error_which_goes_to_the_monitor_of_the_caller) {
  Simulation().run([]() -> Deferred<> {
    const Recording_monitor listener;
    int calls = 0;
    listener.under([&] {
      forever([&]() -> Deferred<> {
        co_await Scheduler::yield();
        if (++calls == 3) throw std::runtime_error("third");
      });
      forever([]() -> Deferred<> { throw std::runtime_error("first"); });
      forever(1, [](int) -> Deferred<int> { throw std::runtime_error("with state"); });
    });
    EXPECT_THAT(listener.heard(), IsEmpty());
    co_await Clock::after(std::chrono::seconds(1));
    EXPECT_THAT(listener.heard(), ElementsAre("first", "with state", "third"));
    EXPECT_EQ(calls, 3);
  });
}

TEST(Forever, ends_with_its_scheduler) {
  Events events;
  Simulation().run([&]() -> Deferred<> {
    forever([probe = goodbye(events, "function")]() -> Deferred<> {
      co_await Clock::after(std::chrono::milliseconds(1));
    });
    co_await Clock::after(std::chrono::seconds(1));
    EXPECT_THAT(events, IsEmpty());
  });
  EXPECT_THAT(events, ElementsAre("function gone"));
}

}  // namespace
}  // namespace async
