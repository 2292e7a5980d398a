// async/clock.h: waiting for time to pass.
//
// Layer: async.  Read next: time_source.h, for time in tests.

#pragma once

#include <expected>
#include <functional>
#include <type_traits>
#include <utility>

#include "async/deferred.h"
#include "async/time_ns.h"

namespace async {

/// What `Clock::with_timeout` gives when the time is up.
struct Timed_out {
  Span after;

  friend bool operator==(const Timed_out&, const Timed_out&) = default;
};

/// Time as the current execution context has it: that of the machine, or a simulated one.  It is
/// monotonic, so setting the machine's clock moves no alarm.
///
/// - Scheduling: what an alarm wakes runs as jobs.  Alarms of the machine's time never fire early;
///   they are late by as long as the cycle takes, and by up to a millisecond.
/// - Limits: spans are nanoseconds in 64 bits; longer ones mean the longest.  Setting and aborting
/// an
///   alarm takes constant time.
namespace Clock {

/// `now()` is the time now.
Time_ns now();

/// `after(span)` is determined when `span` has passed: at once if it is zero or less.
Deferred<> after(Span span);

/// `at(time)` is determined when `time` has come.
Deferred<> at(Time_ns time);

/// `with_timeout(span, d)` is determined with the value of `d`, or with `Timed_out` if `d` is not
/// determined within `span`.  When both come together, `d` wins.
///
///     if (auto line = co_await Clock::with_timeout(5s, reader.read_line())) use(*line);
///
/// - Errors: if `d` fails in time, so does this.  A failure that comes later goes to the log.
/// - Lifetime: nothing is cancelled.  The timer goes with the first of the two, and nothing stays
///   behind on `d`.
template <class T>
auto with_timeout(Span span, Deferred<T> deferred) -> Deferred<std::expected<T, Timed_out>>;

struct Every_options {
  /// The first call is made when this is determined.
  Deferred<> start = determined();
  /// Nothing is called any more once this is determined.
  Deferred<> stop = never();
  /// Whether an error of `f` leaves the calls going on.
  bool continue_on_error = true;
};

/// `every(span, f)` calls `f()` again and again, the first time in a job of its own, and then each
/// time when `span` has passed since the last call ended.  If `f` returns a `Deferred<>`, the call
/// ends when that is determined.
///
/// - Errors: those of `f` go to the monitor that is current now.  `span` must be positive: throws
///   `std::invalid_argument`.
/// - Lifetime: `f` lives until the last call has ended.
template <class F>
void every(Span span, Every_options options, F f);
template <class F>
void every(Span span, F f) {
  every(span, Every_options(), std::move(f));
}

/// An alarm that can be moved and taken back.  It is a handle: copies share the alarm, and
/// dropping it takes nothing back.  A moved-from one may only be assigned to or destroyed.
class Event {
 public:
  /// Whether the alarm was still to come.
  enum class Outcome : unsigned char { Ok, Previously_happened, Previously_aborted };

  enum class Status : unsigned char { Scheduled, Happened, Aborted };

  /// `after(span)` and `at(time)` are alarms that do nothing but determine `fired()`.
  static Event after(Span span) { return run_after(span, nullptr); }
  static Event at(Time_ns time) { return run_at(time, nullptr); }

  /// `run_after(span, f)` and `run_at(time, f)` run `f()`, always in a later job.  What `f` raises
  /// goes to the monitor that is current now.
  static Event run_after(Span span, std::move_only_function<void()> f);
  static Event run_at(Time_ns time, std::move_only_function<void()> f);

  /// `abort()` takes the alarm back.  That works until `f` has begun to run, even when the
  /// time has come; `f` may abort its own alarm.
  Outcome abort() const;

  /// `reschedule_after(span)` and `reschedule_at(time)` move the alarm, as long as `abort`
  /// would work.
  Outcome reschedule_after(Span span) const;
  Outcome reschedule_at(Time_ns time) const;

  Status status() const noexcept;

  /// `scheduled_at()` is when the alarm will fire, or would have.
  Time_ns scheduled_at() const;

  /// `fired()` is determined with `Happened` after `f` has run, or with `Aborted`.
  Deferred<Status> fired() const;

  Event(const Event&) noexcept;
  Event(Event&&) noexcept;
  Event& operator=(Event) noexcept;
  ~Event();

 private:
  class State;
  explicit Event(internal::Ref<State> state) noexcept;

  internal::Ref<State> state_;
};

}  // namespace Clock
}  // namespace async

#include "async/clock-inl.h"  // IWYU pragma: export
