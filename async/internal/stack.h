// async/internal/stack.h: how deep coroutines may start coroutines.
//
// Layer: async.  Read next: frame.h.

#pragma once

namespace async::internal {

/// `stack_limit_from_here()` is the address down to which coroutines start at once, inside their
/// callers: a quarter of a megabyte below the caller, or half of what the thread's stack has left.
const char* stack_limit_from_here() noexcept;

}  // namespace async::internal
