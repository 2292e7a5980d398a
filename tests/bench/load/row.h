// tests/bench/load/row.h: the result of a run, one JSON object on a line.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "tests/bench/load/histogram.h"

namespace bench {

class Row {
 public:
  void add(std::string_view name, double value);
  void add(std::string_view name, std::uint64_t value);
  /// `add_latencies(latencies_ns)` adds p50_us, p90_us, p99_us, p999_us, and "latency": pairs of a
  /// quantile and its microseconds, from which a curve can be drawn.
  void add_latencies(const Histogram& latencies_ns);

  void print() const;

 private:
  void add_text(std::string_view name, std::string_view json);

  std::string fields_;
};

}  // namespace bench
