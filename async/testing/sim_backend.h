// async/testing/sim_backend.h: a scheduler's outside world that is simulated.
//
// Layer: async/testing.  Read next: simulation.h.

#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <utility>

#include "async/backend.h"
#include "async/internal/engine.h"
#include "async/internal/random_state.h"
#include "async/internal/time_state.h"

namespace async::testing {

/// What happens outside, in the order in which it will.  Events of one time keep the order in which
/// they were added.
class Sim_events {
 public:
  using Key = std::pair<Time_ns, std::uint64_t>;

  Key add(Time_ns at, std::function<void()> f) {
    const Key key(at, ++last_);
    events_.emplace(key, std::move(f));
    return key;
  }
  void remove(const Key& key) { events_.erase(key); }

  std::optional<Time_ns> first() const {
    return events_.empty() ? std::nullopt : std::optional(events_.begin()->first.first);
  }
  std::function<void()> take_first() { return events_.extract(events_.begin()).mapped(); }

 private:
  std::map<Key, std::function<void()>> events_;
  std::uint64_t last_ = 0;
};

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
