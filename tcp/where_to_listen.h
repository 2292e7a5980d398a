// tcp/where_to_listen.h: on what to listen.
//
// Layer: tcp.  Read next: server.h; socket_activation.h for sockets that listen already.

#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "async/io/address.h"
#include "async/io/network.h"
#include "tcp/internal/place.h"

namespace async::Tcp {

/// Describes the socket that a server listens on: its address, and what the server's
/// `listening_on()` says, which is of type `L`.
template <class A, class L>
class Where_to_listen {
 public:
  /// `create(address, listening_on)` listens on `address`.  `listening_on` is called with the
  /// address that the socket then has.
  static Where_to_listen create(A address, std::function<L(const A&)> listening_on) {
    return Where_to_listen({.address = std::move(address)}, std::move(listening_on));
  }
  /// `create_on_all_addresses(port, listening_on)` listens on all addresses of the machine, IPv6
  /// and IPv4, as far as it has them.
  static Where_to_listen create_on_all_addresses(int port, std::function<L(const A&)> listening_on)
    requires std::is_same_v<A, Address::Inet>
  {
    return Where_to_listen({.address = A(Inet_addr::bind_any_v6(), port), .on_all_addresses = true},
                           std::move(listening_on));
  }
  /// `create_on_listener(address, listener, listening_on)` takes over a socket that listens on
  /// `address` already.  One server can: a second one fails with `Address_in_use`.
  static Where_to_listen create_on_listener(A address, std::shared_ptr<Listener> listener,
                                            std::function<L(const A&)> listening_on) {
    return Where_to_listen({.address = std::move(address), .listener = std::move(listener)},
                           std::move(listening_on));
  }

  const A& address() const noexcept { return internal::address_as<A>(place_.address); }
  bool on_all_addresses() const noexcept { return place_.on_all_addresses; }
  L listening_on(const A& actual) const { return listening_on_(actual); }
  const internal::Place& place() const noexcept { return place_; }

  /// `as_any()` is the same place for a server that listens on addresses of several kinds, whose
  /// `listening_on()` is the address.
  ///
  ///     Tcp::Server::create(std::vector{Tcp::on_port(80).as_any(), Tcp::on_file(path).as_any()},
  ///                         [](Address::Any from, Reader reader, Writer writer) { ... });
  Where_to_listen<Address::Any, Address::Any> as_any() const {
    return Where_to_listen<Address::Any, Address::Any>(
        place_, [](const Address::Any& actual) { return actual; });
  }

 private:
  template <class A2, class L2>
  friend class Where_to_listen;

  Where_to_listen(internal::Place place, std::function<L(const A&)> listening_on)
      : place_(std::move(place)), listening_on_(std::move(listening_on)) {}

  internal::Place place_;
  std::function<L(const A&)> listening_on_;
};

template <class A, class L>
std::string to_string(const Where_to_listen<A, L>& where) {
  return to_string(where.address());
}

/// `on_port(port)` listens on `port` of all addresses, and `on_port_chosen_by_os()` on a port that
/// is free.  The server's `listening_on()` is the port.  Errors: throws `std::invalid_argument` for
/// an impossible port.
Where_to_listen<Address::Inet, int> on_port(int port);
Where_to_listen<Address::Inet, int> on_port_chosen_by_os();

/// `on_file(path)` listens on a unix socket.  The server's `listening_on()` is the path.  The file
/// is made, and removed when the server closes.  A socket that is left over there, because a
/// program was killed, is replaced; if somebody listens on it, or if it is no socket, listening
/// fails with `Address_in_use`.  (To find out, a connection is made, which who listens sees end at
/// once.)
Where_to_listen<Address::Unix, std::string> on_file(std::string path);

}  // namespace async::Tcp
