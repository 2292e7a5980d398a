// async/internal/timing_wheel.h: alarms by deadline, to the nanosecond.
//
// Layer: async.  Read next: time_state.h.
//
// A hierarchy of wheels of 64 slots.  An alarm is on the wheel of the highest base-64 digit in
// which its deadline and the present differ, in the slot of its deadline's digit there; when the
// present enters that slot the alarm moves to a lower wheel.  So adding and removing are O(1),
// each alarm moves at most once per wheel, and alarms of equal deadline keep their order.

#pragma once

#include <bit>
#include <cstdint>
#include <optional>

#include "async/internal/list.h"

namespace async::internal {

/// Something that happens at a time.  It leaves the wheel by firing, or by `unlink()`.
class Alarm : public List_link {
 public:
  /// `fire()` is called when the deadline has passed.  It runs no code of the user.
  virtual void fire() noexcept = 0;
  /// `discard()` is called in place of `fire()` when the scheduler ends, or nobody is left who
  /// could let that time come.
  virtual void discard() noexcept = 0;

  std::uint64_t deadline = 0;  // ns; while it waits to be placed, a span
  bool is_unplaced = false;    // see Time_state

 protected:
  Alarm() = default;
  ~Alarm() {
    if (is_linked()) unlink();
  }
};

class Timing_wheel {
 public:
  explicit Timing_wheel(std::uint64_t now) : now_(now) {}
  Timing_wheel(const Timing_wheel&) = delete;
  Timing_wheel& operator=(const Timing_wheel&) = delete;
  ~Timing_wheel() { discard_all(); }

  std::uint64_t now() const noexcept { return now_; }

  void add(Alarm& alarm) noexcept {
    if (alarm.deadline <= now_) {
      due_.push_back(alarm);
      return;
    }
    const int level = (63 - std::countl_zero(alarm.deadline ^ now_)) / bits;
    const auto slot = alarm.deadline >> (level * bits) & mask;
    Wheel& wheel = wheels_[level];
    wheel.slots[slot].push_back(alarm);
    wheel.occupied |= std::uint64_t{1} << slot;
    levels_ |= 1U << level;
  }

  /// `next()` is a time at which there may be something to do, not after the first deadline.
  std::optional<std::uint64_t> next() noexcept {
    if (!due_.is_empty()) return now_;
    const auto at = first_slot();
    return at ? std::optional(at->start) : std::nullopt;
  }

  /// `advance(to)` fires all alarms that are due at `to`, in order.
  void advance(std::uint64_t to) noexcept;

  /// `discard_all()` discards every alarm.
  void discard_all() noexcept;

 private:
  static constexpr int bits = 6;
  static constexpr std::uint64_t mask = (1 << bits) - 1;
  static constexpr int num_levels = 11;  // 66 bits

  struct Wheel {
    std::uint64_t occupied = 0;  // a bit may outlive its slot's last alarm
    List<Alarm> slots[1 << bits];
  };
  struct Slot {
    int level;
    std::uint64_t index;
    std::uint64_t start;
  };

  std::optional<Slot> first_slot() noexcept;

  std::uint64_t now_;
  List<Alarm> due_;
  std::uint32_t levels_ = 0;  // the occupied ones; a bit may outlive its wheel's last alarm
  Wheel wheels_[num_levels];
};

}  // namespace async::internal
