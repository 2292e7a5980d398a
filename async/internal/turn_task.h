// async/internal/turn_task.h: something to be done at a certain place of a turn.
//
// Layer: async.  Read next: engine.h, which says where those places are; turnstile.h.

#pragma once

#include "async/internal/list.h"

namespace async::internal {

/// Something to be done at a certain place of a turn: it is put in a list of the engine, which
/// takes it out again before it runs.
class Turn_task : public List_link {
 public:
  virtual void run_in_turn() noexcept = 0;

 protected:
  Turn_task() = default;
  ~Turn_task() {
    if (is_linked()) unlink();
  }
};

}  // namespace async::internal
