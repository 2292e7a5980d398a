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

/// The limits of one connection.
struct Connection_limits {
  Buffer_age_limit buffer_age_limit = {};
  /// A write of any size is accepted, but one that is made while more bytes than this wait ends
  /// the connection.
  std::size_t buffer_limit = 16 * 1024 * 1024;
  /// How many bytes are read from the system at once.
  std::size_t reader_buffer_size = 64 * 1024;
};

}  // namespace async
