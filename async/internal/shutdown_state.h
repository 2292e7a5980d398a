// async/internal/shutdown_state.h: what a scheduler knows of its end.
//
// Layer: async.  Read next: async/shutdown.h.

#pragma once

#include <optional>

#include "async/deferred.h"
#include "async/ivar.h"
#include "async/time_ns.h"

namespace async::internal {

struct Shutdown_state {
  Ivar<> requested;  // a signal has asked for it, or it has begun
  Ivar<> begun;
  Ivar<> forced;  // nobody waits for handlers any more
  std::optional<int> requested_status;
  bool has_failed = false;  // a handler, or the whole
  Span force_after = std::chrono::seconds(10);
  int num_handlers = 0;               // that have not ended
  std::optional<Ivar<>> no_handlers;  // if somebody waits for that
  bool watches_signals = false;
};

}  // namespace async::internal
