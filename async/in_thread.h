// async/in_thread.h: the way out of the scheduler for work that blocks.
//
// Layer: async.  Read next: thread_safe.h, for the way in.

#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include "async/deferred.h"
#include "async/ivar.h"
#include "async/or_error.h"

namespace async {

namespace internal {
void run_in_thread(std::move_only_function<void()> work, std::move_only_function<void()> done);

/// `call_in_thread(run, f)` is `In_thread::run(f)`, where `run(work, done)` chooses the thread.
template <class Run, class F>
auto call_in_thread(Run run, F f) -> Deferred<std::invoke_result_t<F&>>;
}  // namespace internal

/// `In_thread::run(f)` calls `f()` on another thread and is determined with its result.  In a
/// simulation `f` is a job.
///
///     std::string text = co_await In_thread::run([path] { return read_file(path); });
///
/// - Scheduling: threads are started as they are needed, up to 64; after that, calls wait.
/// - Errors: what `f` throws fails the result.
/// - Lifetime: `f`, and what it returns, may be destroyed on either thread, so they hold no
///   deferreds.  When the scheduler ends, calls that have not begun are dropped, and nobody waits
///   for those that have.
/// - Threads: call it on the scheduler's thread.
namespace In_thread {

template <class F>
auto run(F f) -> Deferred<std::invoke_result_t<F&>> {
  return internal::call_in_thread(internal::run_in_thread, std::move(f));
}

}  // namespace In_thread

template <class Run, class F>
auto internal::call_in_thread(Run run, F f) -> Deferred<std::invoke_result_t<F&>> {
  using T = std::invoke_result_t<F&>;
  struct Call {
    explicit Call(F&& f) : f(std::move(f)) {}
    F f;
    std::optional<Or_error<T>> result;
  };
  auto call = std::make_shared<Call>(std::move(f));
  Ivar<T> ivar;
  Deferred<T> result = ivar.read();
  auto work = [call] {
    try {
      if constexpr (std::is_void_v<T>) {
        call->f();
        call->result.emplace();
      } else {
        call->result.emplace(call->f());
      }
    } catch (...) {
      call->result.emplace(std::unexpected(Error::current()));
    }
  };
  auto done = [call, ivar] {
    if (!*call->result) {
      ivar.fail(call->result->error());
    } else if constexpr (std::is_void_v<T>) {
      ivar.fill();
    } else {
      ivar.fill(std::move(**call->result));
    }
  };
  try {
    run(std::move(work), std::move(done));
  } catch (...) {
    ivar.fail(Error::current());
  }
  return result;
}

}  // namespace async
