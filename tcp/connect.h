// tcp/connect.h: connecting.
//
// Layer: tcp.  Read next: with_connection.h, which is the better choice where a connection is
// needed for one task only.

#pragma once

#include <memory>
#include <optional>
#include <utility>

#include "async/deferred.h"
#include "tcp/connect_error.h"
#include "tcp/connect_options.h"
#include "tcp/socket.h"
#include "tcp/where_to_connect.h"

namespace async::Tcp {

/// A connection, as three handles of it.
template <class A>
struct Connected {
  Socket<Socket_state::Active, A> socket;
  Reader reader;
  Writer writer;
};

namespace internal {

/// What has been found, but is not a connection of any monitor yet.
struct Found {
  std::unique_ptr<Transport> transport;
  Address::Any remote;
  Connection_limits limits;
};

/// `find(target, via_local_interface, options)` is `connect`, short of making the connection.
Deferred<Found> find(Target target, std::optional<Inet_addr> via_local_interface,
                     Connect_options options);

/// `make_connection(found)` makes it a connection of the current monitor.
async::internal::Connection_handle make_connection(Found found);

template <class A>
Target target_of(const Where_to_connect<A>& where) {
  return std::visit([](const auto& remote) { return Target(remote); }, where.remote());
}
}  // namespace internal

/// `connect(where, options)` is determined with a connection.
///
///     auto [socket, reader, writer] = co_await Tcp::connect(Tcp::to_host_and_port("example.com",
///     80));
///
/// A name is looked up, and its addresses are tried in the order of RFC 6724, IPv6 and IPv4 in
/// turn; the next one when an attempt has failed, or 250 ms after it was begun (RFC 8305).  The
/// first connection wins, and the others are closed at once.
///
/// The connection belongs to the handles: when the last of them goes away, it is closed.  Closing
/// it, by any of them, closes both ways.
///
/// - Errors: fails with `Connect_error`.  Errors of the writer go to a monitor whose parent is the
/// one
///   that is current now, and that the other side has left is one of them.
template <class A>
Deferred<Connected<A>> connect(Where_to_connect<A> where, Connect_options options = {}) {
  return internal::find(internal::target_of(where), where.via().via_local_interface,
                        std::move(options))
      .map([](internal::Found found) {
        const auto connection = internal::make_connection(std::move(found));
        return Connected<A>{Socket<Socket_state::Active, A>(connection), Reader(connection),
                            Writer(connection)};
      });
}

/// `connect_sock(where, options)` is the same, with the socket alone.
template <class A>
Deferred<Socket<Socket_state::Active, A>> connect_sock(Where_to_connect<A> where,
                                                       Connect_options options = {}) {
  return connect(std::move(where), std::move(options)).map([](Connected<A> connected) {
    return connected.socket;
  });
}

}  // namespace async::Tcp
