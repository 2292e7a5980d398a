// async/internal/turnstile.h: one at a time, one a turn.
//
// Layer: async.  Read next: engine.h, which has one.

#pragma once

#include <deque>

#include "async/deferred.h"
#include "async/internal/list.h"
#include "async/internal/turn_task.h"
#include "async/ivar.h"

namespace async::internal {

/// A turnstile lets one through in each turn of the loop.  Whoever is about to calculate for long,
/// a tenth of a millisecond, say, passes it first, so that everything else that is ready comes in
/// between, however many there are who want to calculate.
///
/// - Scheduling: who comes first in a turn passes at once, the others in the order in which they
///   came, one in each turn.  A turn in which nobody comes costs nothing.
class Turnstile final : Turn_task {
 public:
  /// `Turnstile(at_turn_end)` turns in that list of its engine, which outlives it.
  explicit Turnstile(List<Turn_task>& at_turn_end) : at_turn_end_(at_turn_end) {}

  /// `pass()` is determined when the caller may calculate.
  Deferred<> pass();

  /// `let_go()` forgets who waits, at the scheduler's end.
  void let_go() noexcept;

 private:
  void run_in_turn() noexcept override;

  List<Turn_task>& at_turn_end_;
  std::deque<Ivar<>> waiting_;
};

}  // namespace async::internal
