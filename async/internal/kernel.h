// async/internal/kernel.h: the part of a scheduler that deferreds and coroutines touch.
//
// Layer: async.  Read next: cell.h, frame.h; async/scheduler.h for the rest.

#pragma once

#include <cstdint>
#include <utility>

#include "async/errors.h"
#include "async/internal/context.h"
#include "async/internal/job.h"
#include "async/internal/list.h"
#include "async/internal/thread_state.h"

namespace async::internal {

class Cell_base;
class Frame;
class Kept;

struct Kernel {
  /// Names this scheduler among all that ever were; 0 once it has ended, so that nothing
  /// belongs to it any more.
  std::uint32_t id = 0;

  /// Jobs that may still run in this cycle at the priority that is running.
  int budget = 0;

  /// A coroutine that is called with its stack beyond this starts as a job.
  const char* stack_limit = nullptr;

  Ref<Context> current;
  Ref<Context> main;

  /// What `determined()` gives: there is nothing in which two of them could differ.
  Cell_base* determined = nullptr;

  Job_queue normal;
  Job_queue low;

  List<Frame> frames;  // that have been suspended, in the order of their first time
  std::uint64_t num_suspended = 0;
  List<Kept> kept;  // callables whose result is undetermined

  /// `switch_to(context)` makes `context` the current one.
  void switch_to(Context* context) noexcept {
    if (current.get() != context) [[unlikely]]
      change_current(context);
  }
  void change_current(Context* context) noexcept;
};

/// `enqueue(job)` lets `job` run in its context.
inline void enqueue(Job& job) noexcept { job.context->queue->push(job); }

/// `check_that_no_thread_runs(id)` ends the program if that scheduler is at work: it is called when
/// what belongs to it was used on a thread that is not its own.
void check_that_no_thread_runs(std::uint32_t id) noexcept;

/// `kernel()` is that of this thread's scheduler.  Errors: throws `No_scheduler`.
inline Kernel& kernel() {
  if (Kernel* k = thread_state.kernel) [[likely]]
    return *k;
  throw No_scheduler();
}

/// A `With_context` makes a context current for as long as it lives.
class With_context {
 public:
  explicit With_context(Context& context)
      : outer_(std::exchange(kernel().current, Ref<Context>::share(&context))) {}
  With_context(const With_context&) = delete;
  With_context& operator=(const With_context&) = delete;
  ~With_context() { thread_state.kernel->current = std::move(outer_); }

 private:
  Ref<Context> outer_;
};

}  // namespace async::internal
