// Long chains that the library makes go without recursion.

#include <gtest/gtest.h>

#include <utility>
#include <vector>

#include "async/async.h"
#include "async/testing/simulation.h"

namespace async {
namespace {

using testing::Simulation;

constexpr int depth = 200'000;

Deferred<> all_of_all(Deferred<> innermost) {
  Deferred<> outermost = std::move(innermost);
  for (int i = 0; i < depth; ++i) {
    std::vector<Deferred<>> one;
    one.push_back(std::move(outermost));
    outermost = all_unit(std::move(one));
  }
  return outermost;
}

TEST(Deep, all_of_all_is_determined_and_goes) {
  Simulation().run([]() -> Deferred<> {
    const Ivar<> ivar;
    const Deferred<> outermost = all_of_all(ivar.read());
    ivar.fill();
    co_await outermost;
  });
}

TEST(Deep, all_of_all_fails_and_goes) {
  Simulation().run([]() -> Deferred<> {
    const Ivar<> ivar;
    const Deferred<> outermost = all_of_all(ivar.read());
    ivar.fail(Error("no"));
    EXPECT_FALSE(co_await or_error(outermost));
  });
}

TEST(Deep, all_of_all_goes_with_its_scheduler) {
  Simulation().run([]() -> Deferred<> {
    const Ivar<> unfilled;
    all_of_all(unfilled.read()).upon([] {});
    dont_wait_for(determined().bind([unfilled] { return unfilled.read(); }));
    co_return;
  });
}

void step(int left, int& steps) {
  ++steps;
  if (left == 0) return;
  (void)try_with([left, &steps]() -> Deferred<> {
    Scheduler::schedule([left, &steps] { step(left - 1, steps); });
    return determined();
  });
}

TEST(Deep, try_with_in_try_with_goes) {
  int steps = 0;
  Simulation().run([&]() -> Deferred<> {
    step(depth, steps);
    co_await Scheduler::yield_until_no_jobs_remain();
  });
  EXPECT_EQ(steps, depth + 1);
}

const Scheduler::Local_key<int> key;

void bind_another(int left) {
  if (left == 0) return;
  Scheduler::with_local(key, left, [left] {
    Scheduler::schedule({.monitor = Monitor::create()}, [left] { bind_another(left - 1); });
  });
}

TEST(Deep, monitors_and_local_values_in_others_go) {
  Simulation().run([]() -> Deferred<> {
    bind_another(5 * depth);
    co_await Scheduler::yield_until_no_jobs_remain();
  });
}

}  // namespace
}  // namespace async
