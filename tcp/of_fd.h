// tcp/of_fd.h: connections of descriptors that were made elsewhere.
//
// Layer: tcp.  Read next: connect.h.

#pragma once

#include <concepts>

#include "tcp/connect.h"

namespace async::Tcp {

namespace internal {
async::internal::Connection_handle adopt(int fd, Network::Domain domain, Connection_limits limits);
}

/// `of_fd<A>(fd, limits)` is a connection over `fd`, a connected stream socket whose addresses are
/// of type `A`: one that was inherited, or received, or is half of a socketpair(2).  (OCaml's
/// `Socket.of_fd`.)
///
///     auto [socket, reader, writer] = Tcp::of_fd<Address::Unix>(fds[0]);
///
/// The descriptor is the connection's from then on, which closes it; it becomes nonblocking, with
/// all its duplicates, and closed on exec.
///
/// - Errors: throws `Io_error` for what is no such socket: `not_a_socket`, `not_connected`,
///   `wrong_protocol_type`, `address_family_not_supported`, or `operation_not_supported` in a
///   simulation.  `fd` then is open, unchanged, and still the caller's.  Errors of the writer go to
///   a monitor whose parent is the current one.
template <class A>
  requires std::same_as<A, Address::Inet> || std::same_as<A, Address::Unix>
Connected<A> of_fd(int fd, Connection_limits limits = {}) {
  constexpr auto domain =
      std::same_as<A, Address::Inet> ? Network::Domain::Inet : Network::Domain::Unix;
  return internal::connected<A>(internal::adopt(fd, domain, limits));
}

}  // namespace async::Tcp
