// tcp/socket_options.h: options that sockets have from the start.
//
// Layer: tcp.  Read next: async/io/socket_option.h, for those that are set later;
// connect_options.h, which has them.

#pragma once

#include <cstddef>
#include <optional>
#include <variant>
#include <vector>

#include "async/io/network.h"
#include "async/io/socket.h"
#include "async/time_ns.h"
#include "tcp/keepalive.h"

namespace async::Tcp {

/// An option by the numbers of the system, as setsockopt(2) takes it.
struct Raw_option {
  int level;
  int name;
  std::variant<int, std::vector<std::byte>> value;
};

/// What is left out stays as the system has it, or as whoever takes these options says.  Those of
/// TCP do nothing to unix sockets.
///
///     {.socket = {.keepalive = Tcp::Keepalive::of_total(30s), .send_buffer = 256 * 1024}}
struct Socket_options {
  /// Finding out that the other side is gone while nothing is said.
  std::optional<Keepalive> keepalive = std::nullopt;
  /// Whether little is sent at once, though what was sent before is not acknowledged (TCP_NODELAY).
  bool nodelay = true;
  /// How many bytes the system holds in each direction.  It takes twice as much for its own use,
  /// reports that, and has a limit of its own.  Only what is set before connecting or listening can
  /// widen the window.
  std::optional<int> send_buffer = std::nullopt;
  std::optional<int> receive_buffer = std::nullopt;
  /// How long bytes may wait to be acknowledged before the connection has timed out, in
  /// milliseconds, rounded up.
  std::optional<Span> user_timeout = std::nullopt;
  /// Whether what arrives is acknowledged at once.  The system begins with that anew with each
  /// connection, so it is set when there is one; and it changes its mind later when it likes.
  std::optional<bool> quickack = std::nullopt;
  /// How long closing the descriptor waits for what the system has still to send: none at all makes
  /// it a reset.  Anything else makes close(2) *block the loop* for up to that; the library's own
  /// way of closing flushes without it.
  std::optional<Span> linger = std::nullopt;
  /// Whether others may have the same address: after its listener has gone, or at the same time
  /// (each connection goes to one of them).
  std::optional<bool> reuseaddr = std::nullopt;
  std::optional<bool> reuseport = std::nullopt;
  /// Whether an IPv6 socket is closed to IPv4; does nothing to others.
  std::optional<bool> v6only = std::nullopt;
  /// Any others, in this order, after those above.
  std::vector<Raw_option> others = {};
};

/// `set_options(socket, family, options)` sets them on a socket of that family: before it is
/// connected or listens, or later.  What is accepted has those of TCP from its listener.  Errors:
/// throws `Io_error`, which names the option.
void set_options(Socket_base& socket, Network::Family family, const Socket_options& options);

/// `set_options_again(socket, family, options)` sets what the system forgets when a socket is
/// connected or accepted, as far as that is possible: `quickack`.
void set_options_again(Socket_base& socket, Network::Family family,
                       const Socket_options& options) noexcept;

}  // namespace async::Tcp
