// reader_writer/internal/flush_waiters.h: those who wait for what was written to be flushed.
//
// Layer: reader_writer.  Read next: reader_writer/connection.h.

#pragma once

#include <cstdint>
#include <utility>

#include "async/deferred.h"
#include "async/internal/ring.h"
#include "reader_writer/flush_result.h"

namespace async::internal {

/// A queue of positions in the stream of what was written, each with a deferred.
class Flush_waiters {
 public:
  /// `wait(position)` is determined when all up to `position` has been written, or will not be.
  Deferred<Flush_result> wait(std::uint64_t position);

  /// `written(position)` says that all up to `position` has been written.
  void written(std::uint64_t position) noexcept {
    while (!waiters_.is_empty() && waiters_.front().position <= position) {
      tell_first(Flush_result::Flushed);
    }
  }
  /// `stopped(why)` says that nothing more will be.
  void stopped(Flush_result why) noexcept {
    while (!waiters_.is_empty()) tell_first(why);
  }
  /// `forget()` is for when nobody can be told any more.
  void forget() noexcept { waiters_.clear(); }

 private:
  struct Waiter {
    std::uint64_t position;
    Ref<Cell<Flush_result>> result;
  };

  void tell_first(Flush_result result) noexcept;

  Ring<Waiter> waiters_;  // by position
};

}  // namespace async::internal
