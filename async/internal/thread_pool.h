// async/internal/thread_pool.h: threads for work that blocks.
//
// Layer: async.  Read next: async/in_thread.h.

#pragma once

#include <functional>
#include <memory>

namespace async::internal {

/// Threads are started when work finds none idle, up to a number, and end after a while without
/// work.  The destructor drops what has not begun, and does not wait for what has.
class Thread_pool {
 public:
  using Work = std::move_only_function<void()>;

  explicit Thread_pool(int max_num_threads);
  Thread_pool(const Thread_pool&) = delete;
  Thread_pool& operator=(const Thread_pool&) = delete;
  ~Thread_pool();

  /// `run(work)` runs `work()`, which must not throw, on one of the threads.  Errors: throws
  /// `std::system_error` if there is no thread and none can be started.
  void run(Work work);

 private:
  struct State;
  static void serve(const std::shared_ptr<State>& state);

  std::shared_ptr<State> state_;
};

}  // namespace async::internal
