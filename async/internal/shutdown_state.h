// async/internal/shutdown_state.h: what a scheduler knows of its end.
//
// Layer: async.  Read next: async/shutdown.h.

#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "async/deferred.h"
#include "async/ivar.h"
#include "async/time_ns.h"

namespace async::internal {

struct Shutdown_state {
  Ivar<> requested;  // a signal has asked for it, or it has begun
  Ivar<> begun;
  Ivar<> forced;              // nobody waits for handlers any more
  std::optional<int> status;  // that the program shall end with
  Span force_after = std::chrono::seconds(10);
  std::vector<std::move_only_function<Deferred<>()>> handlers;
  bool watches_signals = false;
};

}  // namespace async::internal
