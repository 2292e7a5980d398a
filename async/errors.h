// async/errors.h: the errors of the core that a caller may want to tell apart.
//
// Layer: async.  Read next: error.h.

#pragma once

#include <stdexcept>

namespace async {

/// The deferred can no longer be determined: every writing end of it has gone away unfilled.
/// (Elsewhere called a broken promise.)
class Abandoned : public std::runtime_error {
 public:
  Abandoned();
};

/// Work was started on a scheduler that has ended.
class Scheduler_ended : public std::runtime_error {
 public:
  Scheduler_ended();
};

/// The calling thread has no scheduler: code that uses deferreds runs under
/// `Scheduler::go_main` or `Scheduler::go`.
class No_scheduler : public std::logic_error {
 public:
  No_scheduler();
};

/// A write-once cell was written twice.
class Already_filled : public std::logic_error {
 public:
  Already_filled();
};

}  // namespace async
