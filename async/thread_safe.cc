#include "async/thread_safe.h"

#include <stdexcept>

#include "async/internal/engine.h"

namespace async::Thread_safe {

void Scheduler_handle::post(std::move_only_function<void()> work) const {
  if (!mailbox_->post(std::move(work))) throw Scheduler_ended();
}

Scheduler_handle this_scheduler() { return Scheduler_handle(async::internal::engine().mailbox); }

void internal::refuse_to_block() {
  if (async::internal::thread_state.kernel) {
    throw std::logic_error("block_on_async would block the scheduler of the calling thread");
  }
}

}  // namespace async::Thread_safe
