// tests/uv/accept_faults.h: making accept4(2) fail.

#pragma once

#include <atomic>

namespace async {

/// While an `Accept_fault` lives, accepting fails with `error` wherever somebody waits.  It takes
/// the place of accept4(2).
class Accept_fault {
 public:
  /// The first `num_times` calls fail.
  explicit Accept_fault(int error, int num_times = 1'000'000'000);
  Accept_fault(const Accept_fault&) = delete;
  Accept_fault& operator=(const Accept_fault&) = delete;
  ~Accept_fault();

  /// `num_failed()` is the number of calls that have failed.
  int num_failed() const;
};

}  // namespace async
