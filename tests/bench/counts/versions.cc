#include "tests/bench/counts/versions.h"

#include <gnu/libc-version.h>
#include <uv.h>

namespace async::bench {

namespace {

std::string compiler() {
#if defined(__clang__)
  const int version[] = {__clang_major__, __clang_minor__, __clang_patchlevel__};
  std::string text = "clang";
#else
  const int version[] = {__GNUC__, __GNUC_MINOR__, __GNUC_PATCHLEVEL__};
  std::string text = "gcc";
#endif
  char separator = ' ';
  for (const int number : version) {
    text += separator + std::to_string(number);
    separator = '.';
  }
  return text;
}

std::string standard_library() {
#if defined(_LIBCPP_VERSION)
  return "libc++ " + std::to_string(_LIBCPP_VERSION);
#else
  // Of one release there are several dates.
  return "libstdc++ " + std::to_string(_GLIBCXX_RELEASE) + " of " + std::to_string(__GLIBCXX__);
#endif
}

std::string architecture() {
#if defined(__x86_64__)
  return "x86_64";
#elif defined(__aarch64__)
  return "aarch64";
#else
  return "another architecture";
#endif
}

}  // namespace

std::string versions() {
  return architecture() + ", " + compiler() + ", " + standard_library() + ", libuv " +
         uv_version_string() + ", glibc " + gnu_get_libc_version();
}

}  // namespace async::bench
