// None of what tests/bench/core measures allocates once the free lists are full.

#include <gtest/gtest.h>

#include <cstdint>

#include "tests/bench/core/ours.h"
#include "tests/support/allocations.h"

namespace async::bench {
namespace {

TEST(Nothing_is_allocated, by_any_operation_of_the_core) {
  constexpr std::uint64_t operations = 20'000;
  for (const Operation& operation : core_operations()) {
    operation.run(operations);
    const std::uint64_t before = allocations();
    operation.run(operations);
    EXPECT_EQ(allocations() - before, 0) << operation.name;
  }
}

}  // namespace
}  // namespace async::bench
