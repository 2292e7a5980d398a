// tests/bench/load/histogram.h: how often each latency was seen, to within 1.6 %.

#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace bench {

/// Values up to 63 have a bucket each; above that, each power of two has 64 of them.
class Histogram {
 public:
  void add(std::uint64_t value) {
    ++buckets_[index_of(value)];
    ++count_;
    max_ = std::max(max_, value);
  }

  void clear() { *this = {}; }

  std::uint64_t count() const { return count_; }

  /// `quantile(q)` is a value below which a part `q` of all values are; zero if there are none.
  double quantile(double q) const {
    if (count_ == 0) return 0;
    const auto wanted =
        std::min(static_cast<std::uint64_t>(q * static_cast<double>(count_)), count_ - 1);
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < buckets_.size(); ++i) {
      seen += buckets_[i];
      if (seen > wanted) return std::min(middle_of(i), static_cast<double>(max_));
    }
    return static_cast<double>(max_);
  }

 private:
  static constexpr int steps_log = 6;
  static constexpr std::uint64_t steps = 1 << steps_log;

  static std::size_t index_of(std::uint64_t value) {
    if (value < steps) return value;
    const int shift = std::bit_width(value) - 1 - steps_log;
    return (static_cast<std::size_t>(shift + 1) << steps_log) | ((value >> shift) & (steps - 1));
  }

  static double middle_of(std::size_t index) {
    if (index < steps) return static_cast<double>(index);
    const std::size_t shift = (index >> steps_log) - 1;
    const std::uint64_t begin = ((index & (steps - 1)) | steps) << shift;
    return static_cast<double>(begin) + static_cast<double>(1ULL << shift) / 2;
  }

  std::array<std::uint64_t, steps * (64 - steps_log + 1)> buckets_ = {};
  std::uint64_t count_ = 0;
  std::uint64_t max_ = 0;
};

}  // namespace bench
