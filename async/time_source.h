// async/time_source.h: where time comes from.
//
// Layer: async.  Read next: clock.h, scheduler.h (within); async/testing/ for whole programs in
// simulated time.

#pragma once

#include <optional>

#include "async/deferred.h"
#include "async/internal/time_state.h"
#include "async/time_ns.h"

namespace async {

/// A `Time_source` is a clock with its alarms: that of the machine, or a simulated one, which
/// stands still until it is advanced.  It is part of the execution context, so all of `Clock`
/// and everything built on it follow the one that is current:
///
///     auto time = Time_source::create();
///     Scheduler::within({.time_source = time}, [] { return program(); });
///     co_await time.advance_by_alarms_by(10s);
///
/// A `Time_source` is a handle: copies share the clock.
class Time_source {
 public:
  /// `current()` is that of the current execution context.
  static Time_source current();

  /// `create(now)` is a simulated one that shows `now`.
  static Time_source create(Time_ns now = Time_ns());

  /// `now()` is the time that it shows.
  Time_ns now() const { return state_->read(); }
  bool is_wall_clock() const noexcept { return state_->is_wall_clock(); }

  /// `next_alarm_fires_at()` is a time before which no alarm is due: that of the first alarm, or a
  /// little earlier.  Nothing if there is no alarm.
  std::optional<Time_ns> next_alarm_fires_at() const { return state_->next_alarm(); }

  /// `advance_directly(to)` moves simulated time to `to`.  What becomes due on the way is enqueued,
  /// and sees the time `to`.  Errors: throws `std::logic_error` for the machine's time.
  void advance_directly(Time_ns to) const;

  /// `advance_by_alarms(to)` moves simulated time to `to` by way of each alarm: it lets all jobs
  /// run that one alarm causes before it goes on to the next.  Errors: fails with
  /// `std::logic_error` for the machine's time.
  Deferred<> advance_by_alarms(Time_ns to) const;
  Deferred<> advance_by_alarms_by(Span span) const;

 private:
  friend class Scheduler;
  explicit Time_source(internal::Ref<internal::Time_state> state) : state_(std::move(state)) {}

  internal::Ref<internal::Time_state> state_;
};

}  // namespace async
