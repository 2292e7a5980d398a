#include "reader_writer/internal/flush_waiters.h"

namespace async::internal {

Deferred<Flush_result> Flush_waiters::wait(std::uint64_t position) {
  auto result = Ref<Cell<Flush_result>>::adopt(new Plain_cell<Flush_result>);
  waiters_.push_back(Waiter{position, result});
  return Access::deferred(std::move(result));
}

void Flush_waiters::tell_first(Flush_result result) noexcept {
  const Ref<Cell<Flush_result>> cell = std::move(waiters_.front().result);
  waiters_.pop_front();
  if (waiters_.is_empty()) waiters_.release();
  if (cell->is_live()) cell->root()->fill(result);
}

}  // namespace async::internal
