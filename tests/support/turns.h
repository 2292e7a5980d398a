// tests/support/turns.h: counting turns of the loop.

#pragma once

#include "async/internal/engine.h"

namespace async {

/// Counts the turns of the loop since it was made.  While it lives, the loop never waits.
class Turns final : internal::Turn_task {
 public:
  Turns() { run_in_turn(); }
  int count() const noexcept { return count_; }

 private:
  void run_in_turn() noexcept override {
    ++count_;
    internal::engine().at_turn_end.push_back(*this);
  }
  int count_ = -1;
};

}  // namespace async
