#include "reader_writer/internal/flush_waiters.h"

#include <utility>

namespace async::internal {

/// One who waits: the result, and its place in the queue.
class Flush_waiters::One final : public Cell<Flush_result> {
 public:
  explicit One(std::uint64_t position) : position(position) {}

  const std::uint64_t position;
  One* next = nullptr;

 private:
  void dispose() noexcept override {
    this->before_delete();
    delete this;
  }
};

Deferred<Flush_result> Flush_waiters::wait(std::uint64_t position) {
  auto one = Ref<One>::adopt(new One(position));
  insert(*Ref<One>(one).leak());
  return Access::deferred(Ref<Cell<Flush_result>>(std::move(one)));
}

void Flush_waiters::insert(One& one) noexcept {
  if (!first_ || last_->position <= one.position) [[likely]] {
    One*& end = first_ ? last_->next : first_;
    last_ = end = &one;
    return;
  }
  One** at = &first_;
  while ((*at)->position <= one.position) at = &(*at)->next;
  one.next = *at;
  *at = &one;
}

Ref<Flush_waiters::One> Flush_waiters::take_first() noexcept {
  One* one = first_;
  first_ = one->next;
  return Ref<One>::adopt(one);
}

void Flush_waiters::tell_first(Flush_result result) noexcept {
  const Ref<One> one = take_first();
  if (one->is_live()) one->root()->fill(result);
}

void Flush_waiters::written(std::uint64_t position) noexcept {
  while (first_ && first_->position <= position) tell_first(Flush_result::Flushed);
}

void Flush_waiters::stopped(Flush_result why) noexcept {
  while (first_) tell_first(why);
}

void Flush_waiters::forget() noexcept {
  while (first_) take_first();
}

}  // namespace async::internal
