#include "async/internal/turnstile.h"

#include <utility>

namespace async::internal {

Deferred<> Turnstile::pass() {
  // While it is in the list, somebody has passed in this turn.
  if (is_linked()) return waiting_.emplace_back().read();
  at_turn_end_.push_back(*this);
  return determined();
}

void Turnstile::run_in_turn() noexcept {
  if (waiting_.empty()) return;
  const Ivar<> next = std::move(waiting_.front());
  waiting_.pop_front();
  at_turn_end_.push_back(*this);
  next.fill();
}

void Turnstile::let_go() noexcept {
  if (is_linked()) unlink();
  waiting_.clear();
}

}  // namespace async::internal
