// async/testing/sim_events.h: what will happen in a simulated world.
//
// Layer: async/testing.  Read next: sim_backend.h, sim_world.h.

#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <utility>

#include "async/time_ns.h"

namespace async::testing {

/// Events in the order of their times; those of one time in the order in which they were added.
class Sim_events {
 public:
  using Key = std::pair<Time_ns, std::uint64_t>;

  Key add(Time_ns at, std::function<void()> f) {
    const Key key(at, ++last_);
    events_.emplace(key, std::move(f));
    return key;
  }
  /// `remove(key)` does nothing if it has happened.
  void remove(const Key& key) { events_.erase(key); }
  void clear() { events_.clear(); }

  std::optional<Time_ns> first() const {
    return events_.empty() ? std::nullopt : std::optional(events_.begin()->first.first);
  }
  std::function<void()> take_first() {
    return std::move(events_.extract(events_.begin()).mapped());
  }

 private:
  std::map<Key, std::function<void()>> events_;
  std::uint64_t last_ = 0;
};

}  // namespace async::testing
