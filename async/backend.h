// async/backend.h: what a platform gives a scheduler.
//
// Layer: async.  Read next: scheduler.h; async/uv/ and async/testing/ for the two that exist.

#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "async/internal/context.h"
#include "async/time_ns.h"

namespace async {

/// A `Backend` waits for the outside world on behalf of one scheduler, on whose thread all but
/// `wake` is called.
class Backend {
 public:
  virtual ~Backend() = default;

  /// `environment()` is the world that the scheduler's main context begins with.
  virtual internal::Ref<internal::Environment> environment() = 0;

  /// `wait(until)` waits until something has happened outside, `wake` was called, or the time of
  /// the environment has reached `until`; for ever if there is none.  It delivers what has
  /// happened, each thing in a cycle of its own (`Engine::run_cycle`).
  virtual void wait(std::optional<Time_ns> until) = 0;

  /// `poll()` delivers what has happened without waiting.
  virtual void poll() = 0;

  /// `wake()` makes `wait` return soon.  It may be called from any thread.
  virtual void wake() noexcept = 0;

  /// `run_in_thread(work)` runs `work` on another thread.  It never blocks.  `work` may
  /// still run, or be destroyed on that thread, after the scheduler has ended.
  virtual void run_in_thread(std::move_only_function<void()> work) = 0;

  /// Ends with its destructor what `watch_signal` began.
  class Signal_watch {
   public:
    virtual ~Signal_watch() = default;
  };

  /// `watch_signal(number, f)` calls `f` each time the process has received that signal.  Errors:
  /// throws `std::system_error` if it cannot be watched.
  virtual std::unique_ptr<Signal_watch> watch_signal(int number, std::function<void()> f) = 0;
};

}  // namespace async
