#include "async/internal/time_state.h"

#include <chrono>

namespace async::internal {

namespace {

std::chrono::nanoseconds since_boot() noexcept {
  return std::chrono::steady_clock::now().time_since_epoch();
}

}  // namespace

Wall_clock_state::Wall_clock_state()
    : Time_state(std::chrono::system_clock::now()),
      offset_(to_time(wheel_.now()).time_since_epoch() - since_boot()) {}

Time_ns Wall_clock_state::read() const noexcept { return Time_ns(since_boot() + offset_); }

void Time_state::place_now() noexcept {
  const Time_ns now = read();
  while (!unplaced_.is_empty()) {
    Alarm& alarm = unplaced_.pop_front();
    add_at(alarm, now + span_of(alarm));
  }
}

}  // namespace async::internal
