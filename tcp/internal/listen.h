// tcp/internal/listen.h: making the sockets that servers listen on.
//
// Layer: tcp.  Read next: acceptor.h.

#pragma once

#include <memory>

#include "async/io/network.h"
#include "tcp/internal/place.h"

namespace async::Tcp::internal {

/// `listen(place, backlog)` is a socket that listens there.  It is the one place where sockets of
/// servers are made.  Errors: throws `Listen_error`.
std::shared_ptr<Listener> listen(const Place& place, int backlog);

}  // namespace async::Tcp::internal
