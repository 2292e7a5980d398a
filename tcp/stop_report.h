// tcp/stop_report.h: how a server is stopped in good order, and what that did.
//
// Layer: tcp.  Read next: server.h.

#pragma once

#include <cstdint>

#include "async/time_ns.h"

namespace async::Tcp::Server {

struct Stop_options {
  /// How long handlers may go on with what they are at, before their connections are aborted.
  Span wait = std::chrono::seconds(30);
  /// How long handlers may take after that to notice that nothing is to be read or written any
  /// more, and to clean up.
  Span wait_after_abort = std::chrono::seconds(1);
};

/// What became of the clients that a server had when it was stopped: those whose handlers had been
/// called.
struct Stop_report {
  int finished = 0;       // in time: the handler was determined, and the connection closed
  int aborted = 0;        // all others: what they still had to say was cut off
  int still_running = 0;  // of those, handlers that were not determined even then
  std::uint64_t bytes_dropped = 0;  // written by all of them, and never taken over by the system

  friend bool operator==(const Stop_report&, const Stop_report&) = default;
};

}  // namespace async::Tcp::Server
