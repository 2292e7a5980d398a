// tests/bench/counts/echo_operations.h: one client in lockstep with a server that echoes.

#pragma once

#include <vector>

#include "tests/bench/core/operation.h"

namespace async::bench {

/// `echo_operations()` are one message there and back, each with both ends in this process, on this
/// thread.  They run schedulers of their own.
std::vector<Operation> echo_operations();

}  // namespace async::bench
