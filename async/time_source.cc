#include "async/time_source.h"

#include <stdexcept>

#include "async/internal/engine.h"
#include "async/scheduler.h"

namespace async {

using internal::Ref;

namespace {

void check_simulated(const internal::Time_state& state) {
  if (state.is_wall_clock()) throw std::logic_error("the machine's time cannot be advanced");
}

}  // namespace

Time_source Time_source::current() {
  return Time_source(Ref<internal::Time_state>::share(&internal::current_time()));
}

Time_source Time_source::create(Time_ns now) {
  auto state = Ref<internal::Simulated_time_state>::adopt(new internal::Simulated_time_state(now));
  internal::add_open(*state);
  return Time_source(std::move(state));
}

void Time_source::advance_directly(Time_ns to) const {
  check_simulated(*state_);
  state_->advance_to(to);
}

Deferred<> Time_source::advance_by_alarms(Time_ns to) const {
  const Time_source self = *this;
  check_simulated(*self.state_);
  co_await Scheduler::yield_until_no_jobs_remain();
  for (auto next = self.state_->next_alarm(); next && *next <= to;
       next = self.state_->next_alarm()) {
    self.state_->advance_to(*next);
    co_await Scheduler::yield_until_no_jobs_remain();
  }
  self.state_->advance_to(to);
}

Deferred<> Time_source::advance_by_alarms_by(Span span) const {
  return advance_by_alarms(now() + span);
}

}  // namespace async
