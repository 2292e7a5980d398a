#include "async/internal/turnstile.h"

#include <utility>

#include "async/internal/engine.h"

namespace async::internal {

void Turnstile::begin() noexcept {
  at_turn_end_.push_back(*this);
  began_ = engine().time().read();
}

bool Turnstile::is_over() const noexcept { return engine().time().read() - began_ >= slice; }

Deferred<> Turnstile::pass() {
  if (!is_linked()) {
    begin();
  } else if (!waiting_.empty() || is_over()) {
    return waiting_.emplace_back().read();
  }
  return determined();
}

void Turnstile::leave() {
  if (!waiting_.empty() && !is_over()) let_next_pass();
}

void Turnstile::let_next_pass() {
  const Ivar<> next = std::move(waiting_.front());
  waiting_.pop_front();
  next.fill();
}

void Turnstile::run_in_turn() noexcept {
  if (waiting_.empty()) return;
  begin();
  let_next_pass();
}

void Turnstile::let_go() noexcept {
  if (is_linked()) unlink();
  waiting_.clear();
}

}  // namespace async::internal
