// reader_writer/flush_result.h: what became of bytes that were written.
//
// Layer: reader_writer.  Read next: close_reason.h, writer.h.

#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "async/read_result.h"
#include "async/time_ns.h"
#include "reader_writer/close_reason.h"

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

/// What closing did, and why it was begun.
struct Close_result {
  Flush_result outcome = Flush_result::Flushed;
  std::size_t bytes_dropped = 0;  // written by the program, but not taken over by the system
  Close_reason reason = Close_reason::Closed;
  std::optional<Eof::Reason> peer_end = std::nullopt;  // how the other side had ended, if it had

  friend bool operator==(const Close_result&, const Close_result&) = default;
};

struct Close_options {
  /// How long to wait for what has been written to be flushed, before it is dropped; and for the
  /// other side to end, if that is waited for.
  Span force_close = std::chrono::seconds(30);
  /// Whether to wait for the other side to end, after this side's end has been sent.  Reading goes
  /// on meanwhile, and what has arrived by then can still be read after it.  Unless the program
  /// reads, no more than a buffer is read from the system, so an end behind more than that is not
  /// seen.  (Mirage's `close`.)
  bool wait_for_peer = false;
};

}  // namespace async
