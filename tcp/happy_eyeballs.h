// tcp/happy_eyeballs.h: how the addresses of a name race each other.
//
// Layer: tcp.  Read next: connect_options.h; internal/connecting.h, which has the race.

#pragma once

#include <optional>

#include "async/io/inet_addr.h"
#include "async/time_ns.h"

namespace async::Tcp {

/// The addresses of a name are tried in the order of RFC 6724, IPv6 and IPv4 in turn; the next one
/// when an attempt has failed, or when the last one was begun `attempt_delay` ago (RFC 8305).  The
/// first connection wins.  (What RFC 8305 calls the resolution delay has no place here: the answers
/// for both families come together.)
struct Happy_eyeballs {
  /// At least 10 ms, and at most 2 s: what is less or more counts as that.
  Span attempt_delay = std::chrono::milliseconds(250);
  /// The family that comes first; nothing for that of the first address by RFC 6724.  With no
  /// address of it, the other one comes first.
  std::optional<Ip_version> prefer = std::nullopt;
  /// How many addresses of the first family are tried before one of the other, at least one.
  int first_family_count = 1;
};

}  // namespace async::Tcp
