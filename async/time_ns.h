// async/time_ns.h: points in time and lengths of time, in nanoseconds.
//
// Layer: async.  Read next: clock.h, time_source.h.

#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <limits>
#include <ratio>
#include <string>
#include <type_traits>

namespace async {

/// A point in time, to the nanosecond, since 1970 in UTC.
using Time_ns = std::chrono::time_point<std::chrono::system_clock, std::chrono::nanoseconds>;

namespace internal {

/// `to_ns(d)` is `d` in whole nanoseconds, or the nearest that there are.
template <class Rep, class Period>
constexpr std::chrono::nanoseconds to_ns(std::chrono::duration<Rep, Period> d) {
  using Factor = std::ratio_divide<Period, std::nano>;
  using Limits = std::numeric_limits<std::int64_t>;
  if constexpr (std::is_integral_v<Rep> && Factor::den == 1) {
    if (d.count() > Limits::max() / Factor::num) return std::chrono::nanoseconds::max();
    if (d.count() < Limits::min() / Factor::num) return std::chrono::nanoseconds::min();
  } else {
    const auto ns = std::chrono::duration<long double, std::nano>(d).count();
    if (ns >= static_cast<long double>(Limits::max())) return std::chrono::nanoseconds::max();
    if (ns <= static_cast<long double>(Limits::min())) return std::chrono::nanoseconds::min();
  }
  return std::chrono::duration_cast<std::chrono::nanoseconds>(d);
}

}  // namespace internal

/// A length of time.  It is made from any `std::chrono` duration, whole or floating; one that is
/// too long for nanoseconds in 64 bits becomes the longest, which is 292 years.
class Span {
 public:
  constexpr Span() = default;
  template <class Rep, class Period>
  constexpr Span(std::chrono::duration<Rep, Period> d) : ns_(internal::to_ns(d)) {}

  constexpr std::chrono::nanoseconds ns() const { return ns_; }

  static constexpr Span max() { return std::chrono::nanoseconds::max(); }

  friend constexpr auto operator<=>(Span, Span) = default;
  /// A point beyond the last one becomes the last one.
  friend constexpr Time_ns operator+(Time_ns time, Span span) {
    const auto t = time.time_since_epoch();
    if (span.ns_ > std::chrono::nanoseconds::zero() &&
        t > std::chrono::nanoseconds::max() - span.ns_)
      return Time_ns::max();
    if (span.ns_ < std::chrono::nanoseconds::zero() &&
        t < std::chrono::nanoseconds::min() - span.ns_)
      return Time_ns::min();
    return Time_ns(t + span.ns_);
  }

 private:
  std::chrono::nanoseconds ns_{0};
};

/// `to_string(span)` is short and exact: "500ms", "1.5s", "250us", "7ns", "2m3s".
std::string to_string(Span span);

}  // namespace async
