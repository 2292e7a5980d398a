// tests/bench/counts/versions.h: what counts of instructions depend on.

#pragma once

#include <string>

namespace async::bench {

/// `versions()` names the compiler, the libraries and the processor's architecture: counts that
/// were made with the same are the same.
std::string versions();

}  // namespace async::bench
