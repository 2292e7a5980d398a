#include "async/time_ns.h"

#include <cstdint>
#include <string>

namespace async {

namespace {

// A number of `unit`s with what remains as decimals, without zeros at the end.
std::string decimal(std::uint64_t value, std::uint64_t unit, const char* name) {
  std::string text = std::to_string(value / unit);
  if (const std::uint64_t rest = value % unit) {
    std::string digits = std::to_string(unit + rest).substr(1);
    digits.erase(digits.find_last_not_of('0') + 1);
    text += "." + digits;
  }
  return text + name;
}

}  // namespace

std::string to_string(Span span) {
  const std::int64_t ns = span.ns().count();
  const auto size = ns < 0 ? 0 - static_cast<std::uint64_t>(ns) : static_cast<std::uint64_t>(ns);
  const std::string sign = ns < 0 ? "-" : "";
  constexpr std::uint64_t us = 1'000, ms = 1'000'000, s = 1'000'000'000, m = 60 * s, h = 60 * m;
  if (size == 0) return "0s";
  if (size < us) return sign + std::to_string(size) + "ns";
  if (size < ms) return sign + decimal(size, us, "us");
  if (size < s) return sign + decimal(size, ms, "ms");
  std::string text = sign;
  if (size >= h) text += std::to_string(size / h) + "h";
  if (size >= m && size % h >= m) text += std::to_string(size % h / m) + "m";
  if (size < m || size % m != 0) text += decimal(size % m, s, "s");
  return text;
}

}  // namespace async
