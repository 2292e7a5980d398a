// tests/support/counts_copies.h: a value that knows how often it was copied.

#pragma once

#include <utility>

namespace async {

/// A moved-from one has no value left.
struct Counts_copies {
  explicit Counts_copies(int value) : value(value) {}
  Counts_copies(const Counts_copies& other) : value(other.value), copies(other.copies + 1) {}
  Counts_copies(Counts_copies&& other) noexcept
      : value(std::exchange(other.value, -1)), copies(other.copies) {}
  Counts_copies& operator=(const Counts_copies&) = delete;
  Counts_copies& operator=(Counts_copies&&) = delete;
  ~Counts_copies() = default;

  int value;
  int copies = 0;
};

}  // namespace async
