// async/internal/failure.h: one failure, shared by every deferred that it is passed on to.
//
// Layer: async.  Read next: cell.h, async/monitor.h.

#pragma once

#include <cstdint>
#include <exception>
#include <optional>
#include <utility>

#include "async/error.h"
#include "async/internal/job.h"
#include "async/internal/monitor_core.h"

namespace async::internal {

/// A `Failure` is *taken* when somebody saw it: it was rethrown into a coroutine, turned into
/// a value, or sent to a monitor.  One that loses its last reference untaken sends itself to
/// its monitor, as a job.  So no failure is lost, and none arrives twice.
class Failure final : public Job, public Pooled {
 public:
  static Ref<Failure> make(std::exception_ptr exception, Ref<Monitor_core> monitor) {
    return Ref<Failure>::adopt(new Failure(std::move(exception), std::nullopt, std::move(monitor)));
  }
  static Ref<Failure> make(const Error& error, Ref<Monitor_core> monitor) {
    return Ref<Failure>::adopt(new Failure(error.exception(), error, std::move(monitor)));
  }

  /// `take_exception()` and `take_error()` say that somebody sees it now.
  const std::exception_ptr& take_exception() noexcept {
    taken_ = true;
    return exception_;
  }
  Error take_error() {
    taken_ = true;
    return error();
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
  Failure(std::exception_ptr exception, std::optional<Error> error,
          Ref<Monitor_core> monitor) noexcept;
  ~Failure() = default;

  Error error() const { return error_ ? *error_ : Error(exception_); }
  void last_reference_gone() noexcept;
  void enqueue() noexcept;

  std::uint32_t refs_ = 1;
  std::uint32_t home_;
  bool taken_ = false;
  const std::exception_ptr exception_;
  const std::optional<Error> error_;  // if it was one already, with all that is known of it
  Ref<Monitor_core> monitor_;
};

}  // namespace async::internal
