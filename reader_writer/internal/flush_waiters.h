// reader_writer/internal/flush_waiters.h: those who wait for what was written to be flushed.
//
// Layer: reader_writer.  Read next: reader_writer/connection.h.

#pragma once

#include <cstdint>

#include "async/deferred.h"
#include "reader_writer/flush_result.h"

namespace async::internal {

/// A queue of positions in the stream of what was written, each with a deferred.
class Flush_waiters {
 public:
  Flush_waiters() = default;
  Flush_waiters(const Flush_waiters&) = delete;
  Flush_waiters& operator=(const Flush_waiters&) = delete;
  ~Flush_waiters() { forget(); }

  /// `wait(position)` is determined when all up to `position` has been written, or will not be.
  Deferred<Flush_result> wait(std::uint64_t position);

  /// `written(position)` says that all up to `position` has been written.
  void written(std::uint64_t position) noexcept;
  /// `stopped(why)` says that nothing more will be.
  void stopped(Flush_result why) noexcept;
  /// `forget()` is for when nobody can be told any more.
  void forget() noexcept;

 private:
  class One;

  void insert(One& one) noexcept;
  Ref<One> take_first() noexcept;
  void tell_first(Flush_result result) noexcept;

  One* first_ = nullptr;  // by position; each is owned here
  One* last_ = nullptr;   // if there is a first
};

}  // namespace async::internal
