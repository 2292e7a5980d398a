// tcp/internal/stop_state.h: a deadline, an interrupt, and those who wait for neither.
//
// Layer: tcp.  Read next: tcp/stop.h, and tcp/stop-inl.h for those who wait.

#pragma once

#include <optional>

#include "async/deferred.h"
#include "async/internal/time_state.h"
#include "tcp/stopped.h"

namespace async::Tcp::internal {

/// A `Stop_state` waits for the two as long as it lives, so that an operation of many steps costs
/// no more than one of few.  It is the alarm, and it is the job that one of the two has woken.
class Stop_state final : public async::internal::Owning_waiter, public async::internal::Alarm {
 public:
  /// One who waits for something else, and is to be told.
  class One : public async::internal::List_link {
   public:
    /// `stopped(by)` is called when the stop has come, as long as this is linked.
    virtual void stopped(const Stop_state& by) noexcept = 0;
    /// `left_alone()` is called when the stop ends without having come.
    virtual void left_alone() noexcept = 0;

   protected:
    ~One() = default;
  };

  Stop_state(Span timeout, Deferred<> interrupt);
  Stop_state(const Stop_state&) = delete;
  Stop_state& operator=(const Stop_state&) = delete;
  ~Stop_state();

  Time_ns deadline() noexcept { return time_->deadline_of(*this); }

  std::optional<Stopped> has_come() const noexcept;
  /// `failure()` is that of the interrupt, if it has failed, which stops as well; else null.
  async::internal::Failure* failure() const noexcept;
  bool is_over() const noexcept { return has_come() || failure() != nullptr; }

  /// `add(one)` has `one` told.  It is for one who has found that it is not over.
  void add(One& one) noexcept { waiting_.push_back(one); }

 private:
  void fire() noexcept override;
  void discard() noexcept override {}
  void run() noexcept override;
  void never_runs() noexcept override {}

  const Deferred<> interrupt_;
  const async::internal::Ref<async::internal::Time_state> time_;
  bool time_is_up_ = false;
  async::internal::List<One> waiting_;
};

}  // namespace async::Tcp::internal
