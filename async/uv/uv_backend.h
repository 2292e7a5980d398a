// async/uv/uv_backend.h: a scheduler's outside world on libuv.
//
// Layer: async/uv.  Read next: fd_watch.h, uv_network.h, go.cc.

#pragma once

#include <uv.h>

#include <memory>
#include <optional>

#include "async/backend.h"
#include "async/internal/thread_pool.h"
#include "async/internal/time_state.h"
#include "async/uv/handle.h"
#include "async/uv/poll_handles.h"

namespace async::internal {

/// Owns a libuv loop, which runs one iteration for each turn of the scheduler.
class Uv_backend final : public Backend {
 public:
  /// Errors: throws `Io_error` if the loop cannot be made, for want of descriptors, say.
  Uv_backend();

  Ref<Environment> environment() override;
  void wait(std::optional<Time_ns> until) override;
  void poll() override;
  void wake() noexcept override;
  void run_in_thread(std::move_only_function<void()> work) override;
  std::unique_ptr<Signal_watch> watch_signal(int number, std::function<void()> f) override;

 private:
  /// Is closed when its handles, which are declared after it, have been.
  struct Loop {
    Loop();
    Loop(const Loop&) = delete;
    Loop& operator=(const Loop&) = delete;
    ~Loop();

    uv_loop_t uv{};
  };

  Loop loop_;
  Poll_handles poll_handles_;
  Ref<Time_state> time_;
  Handle_ptr<uv_async_t> wake_up_;
  Handle_ptr<uv_timer_t> timer_;
  std::optional<Time_ns> armed_;  // when the timer will go off
  Thread_pool threads_;
};

}  // namespace async::internal
