// async/internal/mailbox.h: how other threads reach a scheduler.
//
// Layer: async.  Read next: async/thread_safe.h.

#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <vector>

namespace async {
class Backend;
}

namespace async::internal {

/// Work from other threads for one scheduler, which it may outlive.
class Mailbox {
 public:
  using Work = std::move_only_function<void()>;

  explicit Mailbox(Backend& backend) : backend_(&backend) {}

  /// `post(work)` has `work` run by the scheduler soon, and wakes it.  Returns false, and leaves
  /// `work` as it is, once the scheduler has ended.  Any thread may call it.
  bool post(Work&& work);

  /// `take()` is what has been posted since the last call.  Only the scheduler calls this.
  std::vector<Work> take();
  bool is_empty() const noexcept { return !has_work_.load(std::memory_order_acquire); }

  /// `close()` refuses work from now on, and returns what nobody has taken.
  std::vector<Work> close();

 private:
  std::mutex mutex_;
  Backend* backend_;  // null once closed
  std::vector<Work> work_;
  std::atomic<bool> has_work_ = false;
};

}  // namespace async::internal
