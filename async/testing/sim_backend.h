// async/testing/sim_backend.h: a scheduler's outside world that is simulated.
//
// Layer: async/testing.  Read next: simulation.h.

#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>

#include "async/backend.h"
#include "async/internal/engine.h"
#include "async/internal/time_state.h"
#include "async/testing/sim_events.h"

namespace async::testing {

/// The world of one run.
class Sim_backend final : public Backend {
 public:
  /// `when_stuck()` is called when there is nothing to wait for.
  Sim_backend(internal::Ref<internal::Environment> environment, Sim_events& events,
              std::function<void()> when_stuck);

  internal::Ref<internal::Environment> environment() override { return environment_; }
  void wait(std::optional<Time_ns> until) override;
  void poll() override;
  void wake() noexcept override {}
  void run_in_thread(std::move_only_function<void()> work) override;
  std::unique_ptr<Signal_watch> watch_signal(int number, std::function<void()> f) override;

  void raise_signal(int number);

 private:
  class Watch;
  void deliver_what_is_due();

  const internal::Ref<internal::Environment> environment_;
  internal::Time_state& time_;
  Sim_events& events_;
  const std::function<void()> when_stuck_;
  std::multimap<int, Watch*> watches_;
};

}  // namespace async::testing
