// The jobs that are left when a scheduler ends.

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

// Each round registers handlers that are jobs at once, so that some wait whenever the end comes.
struct Busy {
  std::function<void()> start;

  static void round(const std::shared_ptr<Busy>& busy) {
    Scheduler::schedule([busy] { round(busy); });
    for (int i = 0; i < 3; ++i) busy->start();
  }
};

class End_of_jobs : public ::testing::Test {
 protected:
  /// `probe()` is counted by `alive` until its last copy is destroyed.
  std::shared_ptr<void> probe() {
    ++alive;
    ++made;
    return std::shared_ptr<void>(nullptr, [this](void*) { --alive; });
  }
  /// `expect_nothing_left(start)` ends a scheduler while what `start` registers waits to run.
  void expect_nothing_left(std::function<void()> start) {
    Simulation().run([&]() -> Deferred<> {
      Scheduler::set_max_num_jobs_per_priority_per_cycle(11);
      Busy::round(std::make_shared<Busy>(std::move(start)));
      for (int i = 0; i < 5; ++i) co_await Scheduler::yield();
    });
    EXPECT_GT(made, 10);
    EXPECT_EQ(alive, 0);
  }

  int alive = 0;
  int made = 0;
};

using Probe = std::shared_ptr<void>;

TEST_F(End_of_jobs, that_wait_for_upon_leaves_nothing) {
  expect_nothing_left([this] { determined(probe()).upon([p = probe()](const Probe&) {}); });
}

TEST_F(End_of_jobs, that_wait_for_map_leaves_nothing) {
  expect_nothing_left(
      [this] { Deferred<> dropped = determined(probe()).map([p = probe()](const Probe&) {}); });
}

TEST_F(End_of_jobs, that_wait_for_bind_leaves_nothing) {
  expect_nothing_left([this] {
    Deferred<> dropped =
        determined(probe()).bind([p = probe()](const Probe&) { return determined(); });
  });
}

TEST_F(End_of_jobs, that_wait_for_or_error_leaves_nothing) {
  expect_nothing_left(
      [this] { Deferred<Or_error<Probe>> dropped = or_error(determined(probe())); });
}

TEST_F(End_of_jobs, that_wait_for_choose_leaves_nothing) {
  expect_nothing_left([this] {
    Deferred<> dropped = choose(choice(determined(probe()), [p = probe()](const Probe&) {}),
                                choice(determined(probe()), [p = probe()](const Probe&) {}));
  });
}

TEST_F(End_of_jobs, that_wait_for_all_leaves_nothing) {
  expect_nothing_left([this] {
    const Ivar<Probe> ivar;
    Deferred<std::pair<Probe, Probe>> dropped = both(ivar.read(), determined(probe()));
    ivar.fill(probe());
  });
}

TEST_F(End_of_jobs, that_wait_for_with_timeout_leaves_nothing) {
  expect_nothing_left([this] {
    Deferred<std::expected<Probe, Timed_out>> dropped =
        Clock::with_timeout(std::chrono::seconds(1), determined(probe()));
  });
}

TEST_F(End_of_jobs, that_wait_for_try_with_leaves_nothing) {
  expect_nothing_left([this] {
    const Ivar<Probe> ivar;
    Deferred<Or_error<Probe>> dropped = try_with([d = ivar.read(), p = probe()] { return d; });
    ivar.fill(probe());
  });
}

TEST_F(End_of_jobs, that_wait_for_a_coroutine_leaves_nothing) {
  expect_nothing_left([this] {
    const Ivar<Probe> ivar;
    Deferred<> dropped = [](Deferred<Probe> d, Probe) -> Deferred<> {
      const Probe value = co_await d;
    }(ivar.read(), probe());
    ivar.fill(probe());
  });
}

TEST_F(End_of_jobs, that_wait_for_schedule_leaves_nothing) {
  expect_nothing_left([this] { Scheduler::schedule([p = probe()] {}); });
}

TEST_F(End_of_jobs, that_wait_for_an_error_handler_leaves_nothing) {
  expect_nothing_left([this] {
    const Monitor monitor = Monitor::create();
    monitor.detach_and_iter_errors([p = probe()](const Error&) {});
    monitor.send(Error("x"));
  });
}

}  // namespace
}  // namespace async
