#include "tcp/internal/stop_state.h"

#include <utility>

namespace async::Tcp::internal {

using async::internal::Access;
using async::internal::Cell_base;
using async::internal::Failure;
using async::internal::List;
using async::internal::Ref;
using async::internal::Time_state;

Stop_state::Stop_state(Span timeout, Deferred<> interrupt)
    : interrupt_(std::move(interrupt)),
      time_(Ref<Time_state>::share(&async::internal::current_time())) {
  time_->add_after(*this, timeout);
  if (auto* root = Access::root(interrupt_)) root->wait(*this);
}

Stop_state::~Stop_state() {
  Waiter::end();
  while (!waiting_.is_empty()) waiting_.pop_front().left_alone();
}

std::optional<Stopped> Stop_state::has_come() const noexcept {
  const auto* root = Access::root(interrupt_);
  if (root && root->state() == Cell_base::State::Full) return Stopped::Interrupted;
  if (time_is_up_) return Stopped::Timed_out;
  return std::nullopt;
}

std::optional<Stop_state::Outcome> Stop_state::outcome() const noexcept {
  const auto* root = Access::root(interrupt_);
  if (root && root->state() == Cell_base::State::Failed) {
    return Outcome{.why = std::nullopt, .failure = Ref<Failure>::share(&root->failure())};
  }
  if (const auto why = has_come()) return Outcome{.why = why, .failure = nullptr};
  return std::nullopt;
}

void Stop_state::fire() noexcept {
  time_is_up_ = true;
  Waiter::leave();
  async::internal::enqueue(*this);
}

void Stop_state::run() noexcept {
  if (source()) release_source();
  if (!is_over()) return;  // the interrupt was abandoned: it will never come
  const auto how = outcome();
  // Whoever is told may end this.
  List<Waiting> told;
  told.splice_back(waiting_);
  while (!told.is_empty()) told.pop_front().stopped(*how);
}

}  // namespace async::Tcp::internal
