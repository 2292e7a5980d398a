// async/thread_safe.h: the way into a scheduler from another thread.
//
// Layer: async.  Read next: in_thread.h, for the way out.

#pragma once

#include <future>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include "async/deferred.h"
#include "async/internal/keep.h"
#include "async/internal/mailbox.h"

/// Everything here may be called from any thread, except `this_scheduler`.
namespace async::Thread_safe {

/// Names a scheduler.  It may be copied to any thread, and may outlive the scheduler.
class Scheduler_handle {
 public:
  explicit Scheduler_handle(std::shared_ptr<internal::Mailbox> mailbox)
      : mailbox_(std::move(mailbox)) {}

  /// `post(work)` runs `work()` there soon; see `run_in_async`.
  void post(std::move_only_function<void()> work) const;

 private:
  std::shared_ptr<internal::Mailbox> mailbox_;
};

/// `this_scheduler()` is the one of the calling thread.  Errors: throws `No_scheduler`.
Scheduler_handle this_scheduler();

/// `run_in_async(scheduler, f)` runs `f()` there as a job, in the main execution context.
///
/// - Errors: what `f` raises goes to the main monitor.  Throws `Scheduler_ended` if the scheduler
///   has ended; if it ends before `f` runs, `f` is destroyed there unused.
/// - Lifetime: `f` is moved to the scheduler's thread and destroyed there.
template <class F>
void run_in_async(const Scheduler_handle& scheduler, F f) {
  scheduler.post([f = std::move(f)]() mutable { f(); });
}

namespace internal {
void refuse_to_block();
}

/// `block_on_async(scheduler, f)` runs `f()` there, and blocks the calling thread until the
/// deferred that it returns is determined, whose value it returns.
///
/// - Errors: rethrows the failure.  Throws `Scheduler_ended` if the scheduler has ended, or ends
///   first, and `std::logic_error` if the calling thread has a scheduler itself, which it would
///   block.
template <class F>
auto block_on_async(const Scheduler_handle& scheduler, F f)
    -> async::internal::Value_in<std::invoke_result_t<F&>> {
  using T = async::internal::Value_in<std::invoke_result_t<F&>>;
  internal::refuse_to_block();
  std::promise<T> promise;
  std::future<T> future = promise.get_future();
  scheduler.post([f = std::move(f), promise = std::move(promise)]() mutable {
    dont_wait_for([](F g, std::promise<T> result) -> Deferred<> {
      try {
        if constexpr (std::is_void_v<T>) {
          co_await g();
          result.set_value();
        } else {
          result.set_value(co_await g());
        }
      } catch (...) {
        result.set_exception(std::current_exception());
      }
    }(std::move(f), std::move(promise)));
  });
  try {
    return future.get();
  } catch (const std::future_error& e) {
    if (e.code() != std::future_errc::broken_promise) throw;
    throw Scheduler_ended();
  }
}

}  // namespace async::Thread_safe
