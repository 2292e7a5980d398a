// async/internal/thread_state.h: what this library keeps for each thread.
//
// Layer: async.  Read next: kernel.h.

#pragma once

#include <cstddef>
#include <new>

#include "async/internal/pool.h"

namespace async::internal {

struct Kernel;

struct Thread_state {
  Kernel* kernel = nullptr;  // of the scheduler of this thread, if it has one
  Pool pool;
};

// Initial-exec: an address, where position-independent code would make a call.  It is small enough
// for libraries that are loaded late, too.
[[gnu::tls_model("initial-exec")]] inline constinit thread_local Thread_state thread_state;

/// A class that derives from `Pooled` lives in the pool of its thread.
class Pooled {
 public:
  static void* operator new(std::size_t size) { return thread_state.pool.allocate(size); }
  static void operator delete(void* p, std::size_t size) noexcept {
    thread_state.pool.release(p, size);
  }
  static void* operator new(std::size_t size, std::align_val_t alignment) {
    return ::operator new(size, alignment);
  }
  static void operator delete(void* p, std::size_t, std::align_val_t alignment) noexcept {
    ::operator delete(p, alignment);
  }
};

}  // namespace async::internal
