// tests/bench/core/floor_operations.h: what floor.h is measured with.

#pragma once

#include <vector>

#include "tests/bench/core/operation.h"

namespace async::bench {

std::vector<Operation> floor_operations();

}  // namespace async::bench
