#include "async/internal/pool.h"

#include <new>

#include "async/internal/thread_state.h"

namespace async::internal {

namespace {

#if defined(__SANITIZE_ADDRESS__)
constexpr bool pools_are_bypassed = true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
constexpr bool pools_are_bypassed = true;
#else
constexpr bool pools_are_bypassed = false;
#endif
#else
constexpr bool pools_are_bypassed = false;
#endif

// Empties the thread's pool when the thread ends.  The pool itself is trivially destructible,
// so that handles destroyed later still find it, closed.
struct Closes_pool_at_thread_exit {
  bool armed = false;
  ~Closes_pool_at_thread_exit() {
    if (armed) thread_state.pool.close();
  }
};
thread_local Closes_pool_at_thread_exit closes_pool_at_thread_exit;

}  // namespace

void* Pool::allocate_slowly(std::size_t size) {
  // A block of a class is as large as the class, for it may come back for another size of it.
  return ::operator new(size <= largest ? size_of(class_of(size)) : size);
}

void Pool::release_slowly(void* p, std::size_t size) noexcept {
  if (stage_ == Stage::Unused) {
    stage_ = pools_are_bypassed ? Stage::Bypassed : Stage::Open;
    closes_pool_at_thread_exit.armed = true;
    release(p, size);
    return;
  }
  ::operator delete(p);
}

void Pool::close() noexcept {
  stage_ = Stage::Bypassed;
  for (Block*& free : free_) {
    while (Block* block = free) {
      free = block->next;
      ::operator delete(block);
    }
  }
}

}  // namespace async::internal
