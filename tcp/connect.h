// tcp/connect.h: connecting.
//
// Layer: tcp.  Read next: with_connection.h, which is the better choice where a connection is
// needed for one task only.

#pragma once

#include <memory>
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
  std::shared_ptr<Observer> observer;  // null for none
};

/// `find(target, via, options)` is `connect`, short of making the connection.
Deferred<Found> find(Target target, Via_options via, Connect_options options);

/// `make_connection(found)` makes it a connection of the current monitor, and tells its observer.
async::internal::Connection_handle make_connection(Found found);

/// `connected(connection)` is its three handles.
template <class A>
Connected<A> connected(const async::internal::Connection_handle& connection) {
  return {Socket<Socket_state::Active, A>(connection), Reader(connection), Writer(connection)};
}

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
/// turn; the next one when an attempt has failed, or 250 ms after it was begun (RFC 8305; see
/// `Happy_eyeballs`).  The first connection wins, and the others are closed at once.
///
/// One deadline and one interrupt hold for all of that, and whenever they come, no socket is left.
///
/// The connection belongs to the handles: when the last of them goes away, it is closed.  Closing
/// it, by any of them, closes both ways.
///
/// - Errors: fails with `Connect_error`.  Errors of the writer go to a monitor whose parent is the
/// one
///   that is current now, and that the other side has left is one of them.
template <class A>
Deferred<Connected<A>> connect(Where_to_connect<A> where, Connect_options options = {}) {
  return internal::find(internal::target_of(where), where.via(), std::move(options))
      .map([](internal::Found found) {
        return internal::connected<A>(internal::make_connection(std::move(found)));
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
