// reader_writer/flush_result.h: what became of bytes that were written.
//
// Layer: reader_writer.  Read next: writer.h.

#pragma once

#include <cstddef>
#include <string_view>

#include "async/time_ns.h"

namespace async {

/// What became of everything that had been written to a writer at some point.
enum class Flush_result : unsigned char {
  Flushed,        // the operating system has taken it over
  Consumer_left,  // the other side closed or reset the connection before that
  Force_closed,   // this side closed without waiting any longer, or aborted
  Error,          // writing failed; the error went to the writer's monitor
};

/// `to_string(result)` is "flushed", "consumer left", "force closed" or "error".
std::string_view to_string(Flush_result result);

/// What closing did.
struct Close_result {
  Flush_result outcome = Flush_result::Flushed;
  std::size_t bytes_dropped = 0;  // written by the program, but not taken over by the system

  friend bool operator==(const Close_result&, const Close_result&) = default;
};

struct Close_options {
  /// How long to wait for what has been written to be flushed, before it is dropped.
  Span force_close = std::chrono::seconds(30);
};

}  // namespace async
