// tcp/internal/stop_state.h: a deadline, an interrupt, and those whom the two may end.
//
// Layer: tcp.  Read next: tcp/stop.h, and tcp/stop-inl.h for those who wait.

#pragma once

#include <optional>

#include "async/deferred.h"
#include "async/internal/time_state.h"
#include "tcp/stopped.h"

namespace async::Tcp::internal {

/// A `Stop_state` is registered with the time, and on the interrupt, once for as long as it lives.
/// It is the alarm, and the job that one of the two has woken.
class Stop_state final : public async::internal::Owning_waiter, public async::internal::Alarm {
 public:
  /// What it has come to: why, or the failure of the interrupt.
  struct Outcome {
    std::optional<Stopped> why;
    async::internal::Ref<async::internal::Failure> failure;
  };

  /// One who waits for something else meanwhile.
  class Waiting : public async::internal::List_link {
   public:
    /// `stopped(how)` is called when the stop has come, and nothing after that.
    virtual void stopped(const Outcome& how) noexcept = 0;
    /// `left_alone()` is called when the stop ends without having come.
    virtual void left_alone() noexcept = 0;

   protected:
    ~Waiting() = default;
  };

  Stop_state(Span timeout, Deferred<> interrupt);
  Stop_state(const Stop_state&) = delete;
  Stop_state& operator=(const Stop_state&) = delete;
  ~Stop_state();

  Time_ns deadline() noexcept { return time_->deadline_of(*this); }

  std::optional<Stopped> has_come() const noexcept;

  /// `is_over()` is true when it has come, or the interrupt has failed; `outcome()` is there then.
  bool is_over() const noexcept {
    using State = async::internal::Cell_base::State;
    const auto* root = async::internal::Access::root(interrupt_);
    return time_is_up_ ||
           (root && (root->state() == State::Full || root->state() == State::Failed));
  }
  std::optional<Outcome> outcome() const noexcept;

  /// `add(waiting)` has `waiting` told, if this is not over.
  void add(Waiting& waiting) noexcept { waiting_.push_back(waiting); }

 private:
  void fire() noexcept override;
  void discard() noexcept override {}
  void run() noexcept override;
  void never_runs() noexcept override {}

  const Deferred<> interrupt_;
  const async::internal::Ref<async::internal::Time_state> time_;
  bool time_is_up_ = false;
  async::internal::List<Waiting> waiting_;
};

}  // namespace async::Tcp::internal
