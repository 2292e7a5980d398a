#include "async/random.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <set>
#include <vector>

#include "async/async.h"
#include "async/testing/simulation.h"

namespace async {
namespace {

using ::testing::ElementsAre;
using ::testing::Ne;
using testing::Simulation;

std::vector<std::uint64_t> some_numbers(Simulation& simulation) {
  std::vector<std::uint64_t> numbers;
  simulation.run([&]() -> Deferred<> {
    for (int i = 0; i < 5; ++i) numbers.push_back(Random::bits());
    co_await Clock::after(std::chrono::seconds(1));
    for (int i = 0; i < 5; ++i) numbers.push_back(Random::below(1'000'000'000));
    for (int i = 0; i < 5; ++i) numbers.push_back(static_cast<std::uint64_t>(Random::unit() * 1e9));
  });
  return numbers;
}

TEST(Random, is_the_same_in_simulations_of_the_same_seed) {
  Simulation a({.seed = 7});
  Simulation b({.seed = 7});
  EXPECT_EQ(some_numbers(a), some_numbers(b));
  EXPECT_EQ(some_numbers(a), some_numbers(b));
}

TEST(Random, differs_between_seeds) {
  Simulation a({.seed = 7});
  Simulation b({.seed = 8});
  EXPECT_THAT(some_numbers(a), Ne(some_numbers(b)));
}

TEST(Random, repeats_with_the_seed_that_a_simulation_chose) {
  Simulation a;
  Simulation b({.seed = a.seed()});
  EXPECT_EQ(some_numbers(a), some_numbers(b));
}

TEST(Random, differs_between_runs_on_the_machine) {
  const auto bits = [] { return determined(Random::bits()); };
  EXPECT_NE(Scheduler::go(bits), Scheduler::go(bits));
}

TEST(Random, below_gives_each_number_that_is_smaller_and_no_other) {
  Simulation().run([]() -> Deferred<> {
    std::set<std::uint64_t> seen;
    for (int i = 0; i < 1000; ++i) seen.insert(Random::below(3));
    EXPECT_THAT(seen, ElementsAre(0, 1, 2));
    EXPECT_EQ(Random::below(1), 0);
    constexpr std::uint64_t largest = std::numeric_limits<std::uint64_t>::max();
    bool exceeds_32_bits = false;
    for (int i = 0; i < 100; ++i) {
      const std::uint64_t n = Random::below(largest);
      EXPECT_LT(n, largest);
      exceeds_32_bits |= n > std::numeric_limits<std::uint32_t>::max();
    }
    EXPECT_TRUE(exceeds_32_bits);
    co_return;
  });
}

TEST(Random, unit_is_at_least_0_and_less_than_1) {
  Simulation().run([]() -> Deferred<> {
    bool was_small = false;
    bool was_large = false;
    for (int i = 0; i < 10'000; ++i) {
      const double x = Random::unit();
      EXPECT_GE(x, 0);
      EXPECT_LT(x, 1);
      was_small |= x < 0.01;
      was_large |= x > 0.99;
    }
    EXPECT_TRUE(was_small);
    EXPECT_TRUE(was_large);
    co_return;
  });
}

TEST(Random, needs_a_scheduler) { EXPECT_THROW(Random::bits(), No_scheduler); }

}  // namespace
}  // namespace async
