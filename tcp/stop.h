// tcp/stop.h: the one deadline and the one interrupt of an operation.
//
// Layer: tcp.  Read next: connect.cc, route.h and upgrade.h, which wait by it.

#pragma once

#include <expected>
#include <optional>
#include <utility>

#include "async/deferred.h"
#include "async/time_ns.h"
#include "tcp/internal/stop_state.h"
#include "tcp/stopped.h"

namespace async::Tcp {

/// Everything that belongs to one operation waits through its `Stop`, so that the operation ends at
/// once when its time is up or it is interrupted, wherever it is.  Nothing stays behind on the
/// interrupt.
///
/// - Scheduling: it comes by a job of its own.  Who begins to wait after that is told at once.
/// - Errors: an interrupt that fails ends all that waits, with its failure.
/// - Lifetime: what still waits when it ends waits on, for the value alone.
class Stop {
 public:
  /// `Stop(timeout, interrupt)` begins to count now.  That `interrupt` is abandoned means that it
  /// will never come.
  Stop(Span timeout, Deferred<> interrupt) : state_(timeout, std::move(interrupt)) {}
  Stop(const Stop&) = delete;
  Stop& operator=(const Stop&) = delete;

  /// `deadline()` is when the time is up.
  Time_ns deadline() const { return state_.deadline(); }

  /// `has_come()` is why it is over, if its deadline or its interrupt has come; of the two, the
  /// interrupt.
  std::optional<Stopped> has_come() const { return state_.has_come(); }

  /// `wait(d)` is determined with the value of `d`, or with why that does not matter any more.  If
  /// both come together, `d` wins.  If `d` fails, so does this; a failure that is too late goes to
  /// the log.  If `d` is abandoned, only the stop can come.
  template <class T>
  auto wait(Deferred<T> deferred) const -> Deferred<std::expected<T, Stopped>>;

  /// `wait_or_fail(d, f)` is determined with the value of `d`, or fails with `f(why)`, which is a
  /// `std::exception_ptr`; or with what `f` throws.  `f` is called in the current context.
  template <class T, class F>
  Deferred<T> wait_or_fail(Deferred<T> deferred, F f) const;

 private:
  mutable internal::Stop_state state_;
};

}  // namespace async::Tcp

#include "tcp/stop-inl.h"  // IWYU pragma: export
