#include "async/internal/timing_wheel.h"

namespace async::internal {

std::optional<Timing_wheel::Slot> Timing_wheel::first_slot() noexcept {
  // All that is on a lower wheel comes before all that is on a higher one.
  for (; levels_ != 0; levels_ &= levels_ - 1) {
    const int level = std::countr_zero(levels_);
    Wheel& wheel = wheels_[level];
    while (wheel.occupied != 0) {
      const auto index = static_cast<std::uint64_t>(std::countr_zero(wheel.occupied));
      if (wheel.slots[index].is_empty()) {
        wheel.occupied &= wheel.occupied - 1;
        continue;
      }
      const int shift = level * bits;
      const std::uint64_t above = shift + bits < 64 ? now_ >> (shift + bits) << (shift + bits) : 0;
      return Slot{.level = level, .index = index, .start = above | index << shift};
    }
  }
  return std::nullopt;
}

void Timing_wheel::advance(std::uint64_t to) noexcept {
  for (;;) {
    while (!due_.is_empty()) due_.pop_front().fire();
    const auto slot = first_slot();
    if (!slot || slot->start > to) break;
    now_ = slot->start;
    Wheel& wheel = wheels_[slot->level];
    List<Alarm> entered;
    entered.splice_back(wheel.slots[slot->index]);
    wheel.occupied &= ~(std::uint64_t{1} << slot->index);
    while (!entered.is_empty()) add(entered.pop_front());
  }
  if (to > now_) now_ = to;
}

void Timing_wheel::discard_all() noexcept {
  while (!due_.is_empty()) due_.pop_front().discard();
  levels_ = 0;
  for (Wheel& wheel : wheels_) {
    wheel.occupied = 0;
    for (List<Alarm>& slot : wheel.slots) {
      while (!slot.is_empty()) slot.pop_front().discard();
    }
  }
}

}  // namespace async::internal
