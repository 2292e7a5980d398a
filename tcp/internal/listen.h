// tcp/internal/listen.h: making the sockets that servers listen on.
//
// Layer: tcp.  Read next: acceptor.h.

#pragma once

#include <memory>

#include "async/io/network.h"
#include "tcp/internal/place.h"
#include "tcp/socket_options.h"

namespace async::Tcp::internal {

/// `listen(place, backlog, options)` is a socket that listens there.  It is the one place where
/// sockets of servers are made.  Errors: throws `Listen_error`; and `Io_error` for an option.
std::shared_ptr<Listener> listen(const Place& place, int backlog, const Socket_options& options);

}  // namespace async::Tcp::internal
