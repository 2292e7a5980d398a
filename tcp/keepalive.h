// tcp/keepalive.h: finding out that the other side is gone though nobody says anything.
//
// Layer: tcp.  Read next: socket_options.h.

#pragma once

#include "async/io/socket.h"
#include "async/time_ns.h"

namespace async::Tcp {

/// A connection on which nothing has come for `after` is probed every `interval`, and has timed out
/// when `probes` of them have had no answer: reads then end with `Eof`, whose reason is
/// `Timed_out`.  (Mirage's `Keepalive`.)
///
/// - Limits: the system counts in seconds, so spans are rounded up, to at least one second, and at
///   most the longest that it takes, which is nine hours.  It does not probe while bytes wait to be
///   acknowledged: `Socket_options::user_timeout` is for that.
struct Keepalive {
  Span after = std::chrono::seconds(60);
  Span interval = std::chrono::seconds(10);
  /// At most 127; with none there is no keepalive.
  int probes = 6;

  /// `of_total(span)` finds out within `span`, in whole seconds and at least two: half of it,
  /// about, is `after`.
  static Keepalive of_total(Span span);
  static Keepalive off() { return {.probes = 0}; }

  friend bool operator==(const Keepalive&, const Keepalive&) = default;
};

/// `set_keepalive(socket, keepalive)`.  Errors: throws `Io_error`.
void set_keepalive(Socket_base& socket, const Keepalive& keepalive);

}  // namespace async::Tcp
