#include "tests/bench/load/row.h"

#include <cmath>
#include <cstdio>

namespace bench {

void Row::add_text(std::string_view name, std::string_view json) {
  if (!fields_.empty()) fields_ += ", ";
  fields_ += '"';
  fields_ += name;
  fields_ += "\": ";
  fields_ += json;
}

static std::string decimal(double value) {
  char text[64];
  std::snprintf(text, sizeof text, "%.6g", std::isfinite(value) ? value : 0.0);
  return text;
}

void Row::add(std::string_view name, double value) { add_text(name, decimal(value)); }
void Row::add(std::string_view name, std::uint64_t value) { add_text(name, std::to_string(value)); }

void Row::add_latencies(const Histogram& latencies_ns) {
  const auto us = [&](double q) { return latencies_ns.quantile(q) / 1000; };
  add("p50_us", us(0.5));
  add("p90_us", us(0.9));
  add("p99_us", us(0.99));
  add("p999_us", us(0.999));
  // As dense in 0.9 to 0.99, and in 0.99 to 0.999, as in 0 to 0.9.
  std::string pairs;
  const auto add_pair = [&](double q) {
    if (!pairs.empty()) pairs += ", ";
    pairs += "[" + decimal(q) + ", " + decimal(us(q)) + "]";
  };
  for (double tail = 1; tail > 0.00005; tail /= 10) {
    for (int tenth = 0; tenth < 9; ++tenth) add_pair(1 - tail + tail * tenth / 10);
  }
  add_text("latency", "[" + pairs + "]");
}

void Row::print() const { std::printf("{%s}\n", fields_.c_str()); }

}  // namespace bench
