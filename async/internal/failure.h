// async/internal/failure.h: one failure, shared by every deferred that it is passed on to.
//
// Layer: async.  Read next: cell.h, async/monitor.h.

#pragma once

#include <cstdint>
#include <exception>
#include <utility>

#include "async/internal/job.h"
#include "async/internal/monitor_core.h"

namespace async::internal {

/// A `Failure` is *taken* when somebody saw it: it was rethrown into a coroutine, turned into
/// a value, or sent to a monitor.  One that loses its last reference untaken sends itself to
/// its monitor, as a job.  So no failure is lost, and none arrives twice.
class Failure final : public Job, public Pooled {
 public:
  Failure(std::exception_ptr exception, Ref<Monitor_core> monitor) noexcept;

  static Ref<Failure> make(std::exception_ptr exception, Ref<Monitor_core> monitor) {
    return Ref<Failure>::adopt(new Failure(std::move(exception), std::move(monitor)));
  }

  /// `take()` says that somebody sees it now, and returns the exception.
  const std::exception_ptr& take() noexcept {
    taken_ = true;
    return exception_;
  }
  bool is_taken() const noexcept { return taken_; }

  /// `send()` gives it to its monitor, unless it has been taken.
  void send() noexcept;

  /// `give_up()` is called in place of `release` by one that lost a race: if nobody else
  /// takes the failure, it is logged.
  void give_up() noexcept;

  void add_ref() noexcept { ++refs_; }
  void release() noexcept {
    if (--refs_ == 0) last_reference_gone();
  }

  void run() noexcept override;
  void drop() noexcept override;
  bool carries_error() const noexcept override { return true; }

 private:
  ~Failure() = default;
  void last_reference_gone() noexcept;
  void enqueue() noexcept;

  std::uint32_t refs_ = 1;
  std::uint32_t home_;
  bool taken_ = false;
  std::exception_ptr exception_;
  Ref<Monitor_core> monitor_;
};

}  // namespace async::internal
