#include "async/internal/failure.h"

#include <string>

#include "async/internal/kernel.h"
#include "async/log.h"

namespace async::internal {

Failure::Failure(std::exception_ptr exception, std::optional<Error> error,
                 Ref<Monitor_core> monitor) noexcept
    : home_(kernel().id),
      exception_(std::move(exception)),
      error_(std::move(error)),
      monitor_(std::move(monitor)) {}

void Failure::send() noexcept {
  if (taken_) return;
  taken_ = true;
  add_ref();
  enqueue();
}

void Failure::last_reference_gone() noexcept {
  if (taken_) {
    delete this;
    return;
  }
  taken_ = true;
  refs_ = 1;
  enqueue();
}

void Failure::give_up() noexcept {
  if (refs_ == 1 && !taken_) {
    taken_ = true;
    Log::error(std::string("failed after losing a race: ") + error().what());
  }
  release();
}

void Failure::enqueue() noexcept {
  Kernel* k = thread_state.kernel;
  if (!k || k->id != home_) {
    drop();
    return;
  }
  context = k->main.get();
  internal::enqueue(*this);
}

void Failure::run() noexcept {
  monitor_->receive(error());
  release();
}

void Failure::drop() noexcept {
  Log::error(std::string("failed after the scheduler had ended: ") + error().what());
  release();
}

}  // namespace async::internal
