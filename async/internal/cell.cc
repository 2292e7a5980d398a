#include "async/internal/cell.h"

#include <stdexcept>
#include <string>

#include "async/errors.h"
#include "async/ivar.h"

namespace async::internal {

namespace {

// Waiters to be dropped.  Dropping one can make further cells end, whose waiters join the
// queue: so a chain of a million deferreds ends without recursion.
thread_local Waiter_list* being_dropped = nullptr;

}  // namespace

void Waiter::drop() noexcept {
  const auto source = Ref<Cell_base>::adopt(take_source());
  never_runs();
}

void refuse_to_fill(const Cell_base& cell) {
  if (cell.is_live()) throw Already_filled();
}

void Cell_base::dispose_link(Cell_base* cell) noexcept {
  // A link owns a reference of where it points to; a chain of them goes without recursion.
  while (cell) {
    Cell_base* next = cell->state_ == State::Link ? std::exchange(cell->link_, nullptr) : nullptr;
    cell->dispose();
    cell = next && --next->refs_ == 0 ? next : nullptr;
  }
}

void Cell_base::end_unfilled() noexcept {
  switch (state_) {
    case State::Empty:
    case State::Never:
      ++refs_;  // nothing below may dispose of this again
      if (kept_) let_go_of_kept();
      if (!waiters_.is_empty()) drop_waiters();
      --refs_;
      break;
    case State::Failed:
      if (is_given_up_) {
        failure_->give_up();
      } else {
        failure_->release();
      }
      break;
    case State::Full:
    case State::Abandoned:
    case State::Link:
      break;
  }
}

Cell_base* Cell_base::squash() noexcept {
  Cell_base* root = link_;
  while (root->state_ == State::Link) root = root->link_;
  auto cell = Ref<Cell_base>::share(this);
  while (cell->link_ != root) {
    root->add_ref();
    cell = Ref<Cell_base>::adopt(std::exchange(cell->link_, root));
  }
  return root;
}

Cell_base* Cell_base::take_link(Cell_base* link) noexcept {
  const auto cell = Ref<Cell_base>::adopt(link);
  auto root = Ref<Cell_base>::share(cell->root());
  return root->state() != State::Never ? root.leak() : nullptr;
}

void Cell_base::wake_all() noexcept {
  while (!waiters_.is_empty()) wake(waiters_.pop_front());
}

void Cell_base::let_go_and_wake_all() noexcept {
  // What is let go of may hold the last reference.
  const auto alive = Ref<Cell_base>::share(this);
  let_go_of_kept();
  wake_all();
}

void Cell_base::set_failed(Ref<Failure> failure) noexcept {
  // First the state: what is let go of may look at it, or try to fill this.
  Kept* kept = std::exchange(kept_, nullptr);
  state_ = State::Failed;
  failure_ = failure.leak();
  if (sends_failure_) failure_->send();
  if (kept) let_go_of(kept);
  wake_all();
}

void Cell_base::set_abandoned() noexcept {
  state_ = State::Abandoned;
  if (kept_) let_go_of_kept();
  wake_all();
}

void Cell_base::set_never() noexcept {
  state_ = State::Never;
  if (!waiters_.is_empty()) drop_waiters();
}

void Cell_base::drop_waiters() noexcept {
  if (being_dropped) {
    being_dropped->splice_back(waiters_);
    return;
  }
  Waiter_list queue;
  queue.splice_back(waiters_);
  being_dropped = &queue;
  while (!queue.is_empty()) queue.pop_front().drop();
  being_dropped = nullptr;
}

Ref<Failure> Cell_base::failure_for(const Ref<Monitor_core>& monitor) const {
  if (state_ == State::Failed) return Ref<Failure>::share(failure_);
  return Failure::make(std::make_exception_ptr(Abandoned()), monitor);
}

std::exception_ptr Cell_base::take_exception() const {
  if (state_ == State::Failed) return failure_->take_exception();
  return std::make_exception_ptr(Abandoned());
}

Error Cell_base::take_error() const {
  if (state_ == State::Failed) return failure_->take_error();
  return Error(Abandoned());
}

void Cell_base::remove_writer_of_unfilled() noexcept {
  Cell_base* r = root();
  if (--r->writers_ > 0 || r->state_ != State::Empty) return;
  // Waking and letting go may destroy whatever holds the last reference.
  const auto alive = Ref<Cell_base>::share(r);
  if (is_live()) {
    r->set_abandoned();
  } else {
    r->set_never();
  }
}

void Cell_base::link_to(Cell_base& result) noexcept {
  result.waiters_.splice_back(waiters_);
  result.writers_ += writers_ - 1;
  result.sends_failure_ |= sends_failure_;
  if (Kept* first = kept_) {
    Kept* last = first;
    while (last->next_in_cell) last = last->next_in_cell;
    last->next_in_cell = std::exchange(result.kept_, first);
  }
  state_ = State::Link;
  result.add_ref();
  link_ = &result;
}

void Cell_base::keep(Kept& kept) noexcept {
  if (is_determined()) {
    kept.let_go();
    return;
  }
  kept.next_in_cell = std::exchange(kept_, &kept);
  thread_state.kernel->kept.push_back(kept);
}

void Cell_base::supersede_kept(const void* type) noexcept {
  for (Kept** at = &kept_; *at; at = &(*at)->next_in_cell) {
    Kept* older = *at;
    if (older->type != type) continue;
    *at = older->next_in_cell;
    if (older->is_linked()) older->unlink();
    older->let_go();
    return;
  }
}

void Cell_base::let_go_of_kept() noexcept { let_go_of(std::exchange(kept_, nullptr)); }

void Cell_base::let_go_of(Kept* kept) noexcept {
  while (kept) {
    Kept* next = kept->next_in_cell;
    if (kept->is_linked()) kept->unlink();
    kept->let_go();
    kept = next;
  }
}

void Cell_base::invariant() const {
  const auto check = [](bool holds, const char* what) {
    if (!holds) throw std::logic_error(std::string("Deferred: ") + what);
  };
  check(refs_ > 0, "it has been disposed of");
  check(state_ == State::Empty || waiters_.is_empty(), "somebody waits who should have been woken");
  check(state_ != State::Empty || writers_ > 0, "it is empty, but nothing can determine it");
  if (state_ == State::Link) {
    check(link_ && link_ != this && link_->refs_ > 0, "it links to nothing");
    check(const_cast<Cell_base*>(this)->root()->state_ != State::Link, "its root is a link");
  }
}

void Cell_base::send_failure() noexcept {
  Cell_base* r = root();
  if (r->state_ == State::Failed) {
    r->failure_->send();
  } else if (r->state_ == State::Empty) {
    r->sends_failure_ = true;
  }
}

}  // namespace async::internal
