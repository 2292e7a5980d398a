// async/internal/turnstile.h: a little time a turn for those who calculate.
//
// Layer: async.  Read next: engine.h, which has one.

#pragma once

#include <chrono>
#include <deque>

#include "async/deferred.h"
#include "async/internal/list.h"
#include "async/internal/turn_task.h"
#include "async/ivar.h"
#include "async/time_ns.h"

namespace async::internal {

/// A turnstile gives a slice of each turn of the loop to those who calculate.  Whoever is about to
/// do that for long, a tenth of a millisecond, say, passes it first, so that everything else that
/// is ready comes in between, however many there are who want to calculate.  Several in one turn
/// find the caches warm, and cost a tenth less than one in each.
///
/// - Scheduling: who comes first in a turn passes at once, and so do others as long as the slice is
///   not used up and nobody waits.  The others wait, and pass in the order in which they came, at
///   least one in each turn.  A turn in which nobody comes costs nothing.
/// - Limits: a turn takes longer by the slice and one calculation.
class Turnstile final : Turn_task {
 public:
  /// `Turnstile(at_turn_end)` turns in that list of its engine, which outlives it.
  explicit Turnstile(List<Turn_task>& at_turn_end) : at_turn_end_(at_turn_end) {}

  /// `pass()` is determined when the caller may calculate.  It calls `leave()` afterwards, without
  /// having waited for anything.
  Deferred<> pass();
  void leave();

  /// `let_go()` forgets who waits, at the scheduler's end.
  void let_go() noexcept;

  Span slice = std::chrono::microseconds(500);

 private:
  void run_in_turn() noexcept override;
  void begin() noexcept;
  bool is_over() const noexcept;
  void let_next_pass();

  List<Turn_task>& at_turn_end_;  // this is in it if somebody has passed in this turn
  Time_ns began_;                 // the slice of this turn
  std::deque<Ivar<>> waiting_;
};

}  // namespace async::internal
