// tests/bench/load/measurement.h: what a stretch of time cost the server, and who else was at work.

#pragma once

#include <cstdint>
#include <vector>

#include "tests/bench/load/histogram.h"
#include "tests/bench/load/row.h"

namespace bench {

/// Processes of a server.
using Pids = std::vector<int>;

/// `resident_bytes(pids)` is the memory that they occupy.
std::uint64_t resident_bytes(const Pids& pids);

/// `wait_until_idle(pids)` waits until they use the processor no more.
void wait_until_idle(const Pids& pids);

class Measurement {
 public:
  /// It begins now.
  explicit Measurement(const Pids& pids);
  void end();

  double seconds() const;
  /// `server_seconds()` is the time on a processor of all threads of the server.
  double server_seconds() const;

  /// `add_to(row)` adds the seconds and how the machine was: `utilisation` of its processor by the
  /// server; `foreign`, the processors' time that went to others; `steal`, that went to other
  /// machines; and how long the load and the server waited for a processor.  All but the first as
  /// parts of the seconds.
  void add_to(Row& row) const;
  /// `add_requests_to(row, count, latencies_ns)` adds all that, and what `count` requests cost.
  void add_requests_to(Row& row, std::uint64_t count, const Histogram& latencies_ns) const;

 private:
  struct Times {
    double now = 0;
    double server = 0;
    double server_wait = 0;
    double load = 0;
    double load_wait = 0;
    double busy = 0;
    double steal = 0;
  };
  static Times times(const Pids& pids);

  Pids pids_;
  Times begin_;
  Times end_;
};

}  // namespace bench
