// tests/bench/core/ours.h: the operations of this library.

#pragma once

#include <vector>

#include "tests/bench/core/operation.h"

namespace async::bench {

/// `core_operations()` makes this thread's scheduler, which lives as long as they do.
std::vector<Operation> core_operations();

}  // namespace async::bench
