// reader_writer/internal/buffer_age.h: for how long something has been waiting to be written.
//
// Layer: reader_writer.  Read next: reader_writer/connection.h, limits.h.

#pragma once

#include <cstdint>
#include <optional>

#include "async/internal/ring.h"
#include "async/time_ns.h"
#include "reader_writer/limits.h"

namespace async::internal {

/// Marks in the stream of what was written, each with a time by which all before it had been
/// written to the queue.  There are at most 16 within the limit, so what is too old shows that up
/// to a sixteenth of the limit late.
class Buffer_age {
 public:
  explicit Buffer_age(Buffer_age_limit limit) : limit_(limit) {}

  const Buffer_age_limit& limit() const noexcept { return limit_; }
  void set_limit(Buffer_age_limit limit) noexcept {
    limit_ = limit;
    forget();
  }

  /// `mark(position, now)` says that all up to `position` has been queued by `now`.
  void mark(std::uint64_t position, Time_ns now);
  /// `written(position)` says that all up to `position` waits no longer.
  void written(std::uint64_t position) noexcept;
  /// `forget()` says that nothing waits.
  void forget() noexcept {
    marks_.clear();
    marks_.release();
  }

  /// `deadline()` is when what waits will be too old; nothing if nothing waits, or there is no
  /// limit.
  std::optional<Time_ns> deadline() noexcept;

 private:
  struct Mark {
    std::uint64_t position;
    Time_ns time;
  };

  Buffer_age_limit limit_;
  Ring<Mark> marks_;
};

}  // namespace async::internal
