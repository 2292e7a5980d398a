// tests/support/allocations.h: counting what the program allocates.

#pragma once

#include <cstdint>

namespace async {

/// `allocations()` is how often this thread has asked the system's allocator for memory.  Only
/// programs that link allocations.cc have it.
std::uint64_t allocations() noexcept;

}  // namespace async
