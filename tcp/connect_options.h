// tcp/connect_options.h: how to connect.
//
// Layer: tcp.  Read next: connect.h, with_connection.h.

#pragma once

#include <cstddef>
#include <memory>
#include <optional>

#include "async/deferred.h"
#include "async/time_ns.h"
#include "reader_writer/limits.h"
#include "tcp/access.h"
#include "tcp/happy_eyeballs.h"
#include "tcp/observer.h"
#include "tcp/route.h"
#include "tcp/socket_options.h"
#include "tcp/upgrade.h"

namespace async::Tcp {

struct Connect_options {
  /// See `Writer`.
  Buffer_age_limit buffer_age_limit = {};
  /// Connecting ends when this is determined, in whatever phase it is.
  Deferred<> interrupt = never();
  /// How many bytes are read from the system at once, at least one.
  std::size_t reader_buffer_size = 64 * 1024;
  /// Connecting ends after this: name resolution, all attempts, and what `via` and `tls` do.
  Span timeout = std::chrono::seconds(30);
  /// How to reach the peer; null for directly.
  std::shared_ptr<const Route> via = nullptr;
  /// What to make of the connection; null for nothing.  (The field is named after the upgrade that
  /// it is there for.)
  std::shared_ptr<const Upgrade> tls = nullptr;
  /// See `Writer`.
  std::size_t buffer_limit = 16 * 1024 * 1024;
  /// How the addresses of a name race each other.
  Happy_eyeballs happy_eyeballs = {};
  /// Which addresses may be connected to.  It is asked with each address that is tried, once names
  /// have become addresses; with `via`, with those of the proxy, for what lies behind it is looked
  /// up there.
  Access access = {};
  /// Who is told how connecting goes on, and what then happens on the connection; null for nobody.
  /// One may be given to any number of connections.
  std::shared_ptr<Observer> observer = nullptr;
  /// Options of the socket of each attempt, set before it connects.
  Socket_options socket = {};
  /// See `Writer::set_idle_timeout` and `Writer::set_max_lifetime`.
  std::optional<Span> idle_timeout = std::nullopt;
  std::optional<Span> max_lifetime = std::nullopt;
};

}  // namespace async::Tcp
