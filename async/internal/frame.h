// async/internal/frame.h: what every coroutine frame of this library begins with.
//
// Layer: async.  Read next: async/coroutine.h.

#pragma once

#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include "async/internal/cell.h"

namespace async::internal {

/// A `Frame` joins its scheduler's list when it is first suspended, and then captures its
/// execution context too: most coroutines never wait, and so never pay for either.
class Frame : public List_link, public Pooled {
 public:
  Frame() : born_(kernel().num_suspended) {}
  Frame(const Frame&) = delete;
  Frame& operator=(const Frame&) = delete;

  // `No_scheduler` is thrown before there is a frame: when a constructor throws, clang 19 looks, if
  // it does not optimise, into the frame that it has released.
  static void* operator new(std::size_t size) {
    kernel();
    return Pooled::operator new(size);
  }

  /// `suspend(handle, job)` is called each time the coroutine is about to wait.
  void suspend(std::coroutine_handle<> handle, Job& job) noexcept {
    if (!context_) [[unlikely]]
      join(handle);
    job.context = context_;
  }

  /// `monitor()` is the one that was current when the coroutine was called.
  const Ref<Monitor_core>& monitor() const noexcept {
    return (context_ ? context_ : thread_state.kernel->current.get())->monitor;
  }

  /// `born()` counts the frames that had been suspended when this was called.  Of two frames for
  /// which it is the same, the one that was suspended first is the younger: it was called by
  /// the other.
  std::uint64_t born() const noexcept { return born_; }
  std::coroutine_handle<> handle() const noexcept { return handle_; }

 protected:
  ~Frame() {
    if (!context_) return;
    unlink();
    context_->release();
  }

 private:
  [[gnu::noinline]] void join(std::coroutine_handle<> handle) noexcept {
    Kernel& k = *thread_state.kernel;
    ++k.num_suspended;
    k.frames.push_back(*this);
    context_ = k.current.get();
    context_->add_ref();
    handle_ = handle;
  }

  std::uint64_t born_;
  Context* context_ = nullptr;  // null until it is suspended, as is the rest
  std::coroutine_handle<> handle_;
};

/// Resumes a coroutine as a job.
class Resume final : public Waiter {
 public:
  explicit Resume(std::coroutine_handle<> handle) : handle_(handle) {}
  using Waiter::end;

  void run() noexcept override { handle_.resume(); }
  void never_runs() noexcept override {}

 private:
  std::coroutine_handle<> handle_;
};

/// Starts a coroutine at once; or as a job, when it was called from so deep down the stack that
/// going on might overflow it.  On a scheduler that has ended it fails.
class Start {
 public:
  Start() noexcept {}
  Start(const Start&) = delete;
  Start& operator=(const Start&) = delete;
  ~Start() {
    if (how_ == How::As_job) [[unlikely]]
      job_.end();
  }

  bool await_ready() noexcept {
    const auto* here = static_cast<const char*>(__builtin_frame_address(0));
    if (here > thread_state.kernel->stack_limit) [[likely]]
      return true;
    how_ = thread_state.kernel->id != 0 ? How::As_job : How::Not;
    return how_ == How::Not;
  }
  template <class Promise>
  void await_suspend(std::coroutine_handle<Promise> handle) noexcept {
    std::construct_at(&job_, handle);
    handle.promise().suspend(handle, job_);
    enqueue(job_);
  }
  void await_resume() const {
    if (how_ == How::Not) [[unlikely]]
      throw Scheduler_ended();
  }

 private:
  enum class How : unsigned char { At_once, As_job, Not };

  How how_ = How::At_once;
  union {
    Resume job_;
  };
};

}  // namespace async::internal
