#include "async/internal/mailbox.h"

#include <utility>

#include "async/backend.h"

namespace async::internal {

bool Mailbox::post(Work&& work) {
  const std::scoped_lock lock(mutex_);
  if (!backend_) return false;
  work_.push_back(std::move(work));
  has_work_.store(true, std::memory_order_release);
  backend_->wake();
  return true;
}

std::vector<Mailbox::Work> Mailbox::take() {
  const std::scoped_lock lock(mutex_);
  has_work_.store(false, std::memory_order_release);
  return std::exchange(work_, {});
}

std::vector<Mailbox::Work> Mailbox::close() {
  const std::scoped_lock lock(mutex_);
  backend_ = nullptr;
  return std::exchange(work_, {});
}

}  // namespace async::internal
