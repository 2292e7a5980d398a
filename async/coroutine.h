// async/coroutine.h: functions that return a Deferred as coroutines.
//
// Layer: async.  Read next: monitor.h, scheduler.h.
//
// A function that returns a `Deferred<T>` and uses `co_await` or `co_return` is a coroutine:
//
//     Deferred<int> sum(Deferred<int> a, Deferred<int> b) { co_return co_await a + co_await b; }
//
// - It starts at once, in the caller's job, and runs to its first suspension.  (Called from very
//   deep down the stack it starts as a job of its own.)  Later it runs in the execution context
//   in which it was called.
// - `co_await d` gives the value of `d` or rethrows its failure: for an lvalue `d`, a reference
//   into it; else the value itself.  If `d` is determined the coroutine goes on at once, ahead
//   of the jobs that wait, as long as this cycle has jobs left to run.
// - An exception that leaves it makes its deferred fail, and goes to the monitor under which it
//   was called if nobody takes it.
// - Its locals and parameters are destroyed when it ends, before anybody who waits for it runs.
//   One that never ends is destroyed with its scheduler, newest first.
// - Parameters taken by reference, and captures of a lambda, must outlive it.  The library keeps
//   every callable that it is given until the deferred that it returned is determined, so there
//   capturing lambdas may be coroutines.

#pragma once

#include <coroutine>
#include <exception>
#include <memory>
#include <type_traits>
#include <utility>

#include "async/deferred.h"
#include "async/internal/frame.h"

namespace async::internal {

/// Waits for a deferred in a coroutine.  While it waits it holds no reference of the cell: those
/// who will determine the cell do.
template <class T, bool moves>
class Awaiter {
 public:
  explicit Awaiter(const Deferred<T>& deferred) noexcept
    requires(!moves)
      : root_(Access::root(deferred)) {}
  explicit Awaiter(Deferred<T>&& deferred) noexcept
    requires moves
      : root_(Access::take(std::move(deferred)).leak()) {}
  Awaiter(const Awaiter&) = delete;
  Awaiter& operator=(const Awaiter&) = delete;
  [[gnu::always_inline]] ~Awaiter() {
    if (!root_) {
      job_.end();
    } else if constexpr (moves) {
      root_->release();
    }
  }

  bool await_ready() noexcept {
    if (!root_ || !root_->is_determined()) return false;
    Kernel& k = *thread_state.kernel;
    if (k.budget <= 0) return false;
    --k.budget;
    return true;
  }
  template <class Promise>
  void await_suspend(std::coroutine_handle<Promise> handle) noexcept {
    std::construct_at(&job_, handle);
    handle.promise().suspend(handle, job_);
    if (Cell<T>* root = std::exchange(root_, nullptr)) {
      root->wait(job_);
      if constexpr (moves) root->release();
    }
  }
  std::conditional_t<moves, T, std::add_lvalue_reference_t<const T>> await_resume() {
    Cell<T>& cell = root_ ? *root_ : static_cast<Cell<T>&>(*job_.source());
    if (cell.state() != Cell_base::State::Full) [[unlikely]] {
      std::rethrow_exception(cell.take_exception());
    }
    if constexpr (std::is_void_v<T>) {
      return;
    } else if constexpr (moves) {
      return take_value(cell);
    } else {
      return cell.value();
    }
  }

 private:
  Cell<T>* root_;  // owned if it moves; null while it waits, and then
  union {
    Resume job_;
  };
};

template <class T>
class Promise_base : public Frame {
 public:
  [[gnu::always_inline]] Promise_base() : result_(new Plain_cell<T>) {}
  [[gnu::always_inline]] ~Promise_base() {
    // A frame goes unfinished when the scheduler ends.
    result_->remove_writer();
    result_->release();
  }

  Deferred<T> get_return_object() noexcept {
    return Access::deferred(Ref<Cell<T>>::share(result_));
  }
  Start initial_suspend() noexcept { return {}; }
  [[gnu::always_inline]] std::suspend_never final_suspend() noexcept {
    if (has_value_) [[likely]] {
      result_->root()->set_full();
    } else {
      result_->root()->set_failed(std::move(failure_));
    }
    return {};
  }
  void unhandled_exception() noexcept {
    if (std::exchange(has_value_, false)) result_->root()->destroy_value();
    failure_ = Failure::make(std::current_exception(), this->monitor());
  }

  template <class U>
  Awaiter<U, false> await_transform(const Deferred<U>& deferred) noexcept {
    return Awaiter<U, false>(deferred);
  }
  template <class U>
  Awaiter<U, true> await_transform(Deferred<U>&& deferred) noexcept {
    return Awaiter<U, true>(std::move(deferred));
  }

 protected:
  template <class... Args>
  void construct(Args&&... args) {
    result_->root()->construct(std::forward<Args>(args)...);
    has_value_ = true;
  }

 private:
  Cell<T>* result_;
  Ref<Failure> failure_;
  bool has_value_ = false;  // constructed, but not for anybody to see before the locals are gone
};

template <class T>
class Coroutine_promise final : public Promise_base<T> {
 public:
  void return_value(T&& value) { this->construct(std::move(value)); }
  template <class U>
    requires std::is_constructible_v<T, U&&> && std::is_convertible_v<U&&, T>
  void return_value(U&& value) {
    this->construct(std::forward<U>(value));
  }
};

template <>
class Coroutine_promise<void> final : public Promise_base<void> {
 public:
  void return_void() noexcept { construct(); }
};

}  // namespace async::internal
