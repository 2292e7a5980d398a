#include "async/internal/stack.h"

#include <algorithm>
#include <cstddef>

#if defined(__linux__)
#include <pthread.h>
#endif

namespace async::internal {

namespace {

constexpr std::ptrdiff_t most = 256 * 1024;

std::ptrdiff_t stack_left_below([[maybe_unused]] const char* here) noexcept {
#if defined(__linux__)
  pthread_attr_t attributes;
  if (pthread_getattr_np(pthread_self(), &attributes) == 0) {
    void* lowest = nullptr;
    std::size_t size = 0;
    const int error = pthread_attr_getstack(&attributes, &lowest, &size);
    pthread_attr_destroy(&attributes);
    if (error == 0) return here - static_cast<const char*>(lowest);
  }
#endif
  return 2 * most;
}

}  // namespace

const char* stack_limit_from_here() noexcept {
  const auto* here = static_cast<const char*>(__builtin_frame_address(0));
  return here - std::min(most, stack_left_below(here) / 2);
}

}  // namespace async::internal
