// async/internal/time_state.h: the state behind a Time_source.
//
// Layer: async.  Read next: async/time_source.h, timing_wheel.h.

#pragma once

#include <cstdint>
#include <optional>
#include <utility>

#include "async/internal/ends_with_scheduler.h"
#include "async/internal/kernel.h"
#include "async/internal/shared.h"
#include "async/internal/timing_wheel.h"
#include "async/time_ns.h"

namespace async::internal {

/// A clock and its alarms.  An alarm may fire late, never early.
class Time_state : public Shared, public Ends_with_scheduler {
 public:
  /// `read()` is the time now.
  virtual Time_ns read() const noexcept = 0;
  virtual bool is_wall_clock() const noexcept = 0;

  /// `add_after(alarm, span)` makes `alarm` fire when `span` has passed from now on.
  virtual void add_after(Alarm& alarm, Span span) noexcept = 0;
  /// `add_at(alarm, time)` makes `alarm` fire at `time`.
  void add_at(Alarm& alarm, Time_ns time) noexcept {
    ensure_open();
    alarm.is_unplaced = false;
    alarm.deadline = to_ticks(time);
    wheel_.add(alarm);
  }

  /// `deadline_of(alarm)` is when an alarm of this will fire, or would have.
  Time_ns deadline_of(Alarm& alarm) noexcept {
    place_all();
    if (std::exchange(alarm.is_unplaced, false)) {  // it was taken back before it was placed
      alarm.deadline = to_ticks(read() + span_of(alarm));
    }
    return to_time(alarm.deadline);
  }
  /// `next_alarm()` is a time at which to advance, not after the first deadline.
  std::optional<Time_ns> next_alarm() noexcept {
    place_all();
    const auto next = wheel_.next();
    return next ? std::optional(to_time(*next)) : std::nullopt;
  }

  /// `advance_to(time)` fires what is due then.
  void advance_to(Time_ns time) noexcept {
    place_all();
    wheel_.advance(to_ticks(time));
  }

  void scheduler_ends() noexcept override {
    const auto self = Ref<Time_state>::share(this);  // which an alarm may be the last to know
    place_all();
    wheel_.discard_all();
  }

 protected:
  explicit Time_state(Time_ns now) : wheel_(to_ticks(now)) {}

  /// `ensure_open()` has this told of the end of the scheduler once more, if it was told already:
  /// an alarm that is added meanwhile will not fire either.
  void ensure_open() noexcept {
    if (!is_linked()) [[unlikely]]
      add_open(*this);
  }

  /// `place_all()` puts into the wheel what waits to be put there.
  void place_all() noexcept {
    if (!unplaced_.is_empty()) place_now();
  }

  // Times before 1970 count as 1970: a deadline there has passed in any case.
  static std::uint64_t to_ticks(Time_ns time) noexcept {
    const auto ns = time.time_since_epoch().count();
    return ns < 0 ? 0 : static_cast<std::uint64_t>(ns);
  }
  static Time_ns to_time(std::uint64_t ticks) noexcept {
    return Time_ns(std::chrono::nanoseconds(static_cast<std::int64_t>(ticks)));
  }
  static Span span_of(const Alarm& unplaced) noexcept {
    return std::chrono::nanoseconds(static_cast<std::int64_t>(unplaced.deadline));
  }

  Timing_wheel wheel_;
  List<Alarm> unplaced_;

 private:
  void place_now() noexcept;
};

/// The time of the machine: it begins at the system's clock and goes on with the monotonic one, so
/// that setting the clock moves no alarm.
class Wall_clock_state final : public Time_state {
 public:
  Wall_clock_state();

  Time_ns read() const noexcept override;
  bool is_wall_clock() const noexcept override { return true; }
  void add_after(Alarm& alarm, Span span) noexcept override {
    // Reading the clock for every alarm would cost more than the alarm, so that waits until
    // the cycle ends.  Most alarms have been aborted by then.
    ensure_open();
    alarm.deadline = static_cast<std::uint64_t>(span.ns().count());
    alarm.is_unplaced = true;
    unplaced_.push_back(alarm);
  }

 private:
  std::chrono::nanoseconds offset_;  // from the monotonic clock to the time since 1970
};

/// Time that stands still until somebody moves it.
class Simulated_time_state final : public Time_state {
 public:
  explicit Simulated_time_state(Time_ns now) : Time_state(now) {}

  Time_ns read() const noexcept override { return to_time(wheel_.now()); }
  bool is_wall_clock() const noexcept override { return false; }
  void add_after(Alarm& alarm, Span span) noexcept override { add_at(alarm, read() + span); }
};

/// `current_time()` is the time of the current execution context.
inline Time_state& current_time() {
  return static_cast<Time_state&>(*kernel().current->environment->time_source);
}

}  // namespace async::internal
