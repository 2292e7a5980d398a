// tests/support/bytes_in_use.h: how much memory the program has allocated.

#pragma once

#include <cstddef>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define ASYNC_TESTS_WITH_A_SANITIZER
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define ASYNC_TESTS_WITH_A_SANITIZER
#endif

#if defined(ASYNC_TESTS_WITH_A_SANITIZER)
#include <sanitizer/allocator_interface.h>
#else
#include <malloc.h>
#endif

namespace async {

#if defined(ASYNC_TESTS_WITH_A_SANITIZER)
inline constexpr bool has_sanitizer = true;
inline std::size_t bytes_in_use() { return __sanitizer_get_current_allocated_bytes(); }
#else
inline constexpr bool has_sanitizer = false;
inline std::size_t bytes_in_use() {
  const auto info = mallinfo2();
  return info.uordblks + info.hblkhd;
}
#endif

}  // namespace async
