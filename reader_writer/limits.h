// reader_writer/limits.h: how much and how long a connection may hold on to what was written.
//
// Layer: reader_writer.  Read next: writer.h.

#pragma once

#include <cstddef>
#include <optional>

#include "async/time_ns.h"

namespace async {

/// How long something may wait to be written before the connection is given up.
class Buffer_age_limit {
 public:
  static Buffer_age_limit at_most(Span span) { return Buffer_age_limit(span); }
  static Buffer_age_limit unlimited() { return Buffer_age_limit(std::nullopt); }

  /// Two minutes.
  Buffer_age_limit() : Buffer_age_limit(std::chrono::minutes(2)) {}

  const std::optional<Span>& span() const noexcept { return span_; }

 private:
  explicit Buffer_age_limit(std::optional<Span> span) : span_(span) {}

  std::optional<Span> span_;
};

/// When a writer is throttled: from when more than `high` bytes wait that the system does not take,
/// until no more than `low` do.
struct Water_marks {
  std::size_t high = 64 * 1024;
  std::size_t low = 16 * 1024;
};

/// The limits of one connection.
struct Connection_limits {
  Buffer_age_limit buffer_age_limit = {};
  /// A write of any size is accepted, but one that is made while more bytes than this wait ends
  /// the connection.
  std::size_t buffer_limit = 16 * 1024 * 1024;
  /// How many bytes are read from the system at once.
  std::size_t reader_buffer_size = 64 * 1024;
  /// It is closed when nothing was sent or received for that long, whether anybody reads or not.
  std::optional<Span> idle_timeout = std::nullopt;
  /// It is closed when it has lived that long.
  std::optional<Span> max_lifetime = std::nullopt;
};

}  // namespace async
