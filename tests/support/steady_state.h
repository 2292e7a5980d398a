// tests/support/steady_state.h: what something allocates once the program has warmed up.

#pragma once

#include <cstdint>

#include "async/async.h"
#include "tests/support/allocations.h"

namespace async {

/// How often it is done: `warm_up` times, and `counted` times after that.
struct Times {
  int warm_up = 2'000;
  int counted = 20'000;
};

/// `allocations_of(operation, times)` is what the counted calls of `operation` allocate, on this
/// thread.
template <class F>
Deferred<std::uint64_t> allocations_of(F operation, Times times = {}) {
  for (int i = 0; i < times.warm_up; ++i) co_await operation();
  const std::uint64_t before = allocations();
  for (int i = 0; i < times.counted; ++i) co_await operation();
  co_return allocations() - before;
}

}  // namespace async
