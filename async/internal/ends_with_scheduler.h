// async/internal/ends_with_scheduler.h: what must be told when the scheduler ends.
//
// Layer: async.  Read next: engine.h.

#pragma once

#include "async/deferred.h"
#include "async/internal/list.h"

namespace async::internal {

/// Something that is open, such as a connection, or a source of time with its alarms.
class Ends_with_scheduler : public List_link {
 public:
  /// `finish()` is called when the shutdown begins, and is determined when this has done its last
  /// work, such as flushing.  It is not waited for beyond the bound on the shutdown.
  virtual Deferred<> finish() { return determined(); }

  /// `scheduler_ends()` is called, out of the list, when no job runs any more.
  virtual void scheduler_ends() noexcept = 0;

 protected:
  Ends_with_scheduler() = default;
  ~Ends_with_scheduler() {
    if (is_linked()) unlink();
  }
};

/// `add_open(one)` has `one` told when this thread's scheduler ends.  Errors: throws
/// `No_scheduler`.
void add_open(Ends_with_scheduler& one);

}  // namespace async::internal
