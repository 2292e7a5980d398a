// tcp/where_to_listen.h: on what to listen.
//
// Layer: tcp.  Read next: server.h.

#pragma once

#include <functional>
#include <string>
#include <utility>

#include "async/io/address.h"

namespace async::Tcp {

/// Describes the socket that a server listens on: its address, and what the server's
/// `listening_on()` says, which is of type `L`.
template <class A, class L>
class Where_to_listen {
 public:
  /// `create(address, listening_on)` listens on `address`.  `listening_on` is called with the
  /// address that the socket then has.
  static Where_to_listen create(A address, std::function<L(const A&)> listening_on) {
    return Where_to_listen(std::move(address), /*on_all_addresses=*/false, std::move(listening_on));
  }
  /// `create_on_all_addresses(port, listening_on)` listens on all addresses of the machine, IPv6
  /// and IPv4, as far as it has them.
  static Where_to_listen create_on_all_addresses(int port, std::function<L(const A&)> listening_on)
    requires std::is_same_v<A, Address::Inet>
  {
    return Where_to_listen(A(Inet_addr::bind_any_v6(), port), /*on_all_addresses=*/true,
                           std::move(listening_on));
  }

  const A& address() const noexcept { return address_; }
  bool on_all_addresses() const noexcept { return on_all_addresses_; }
  L listening_on(const A& actual) const { return listening_on_(actual); }

 private:
  Where_to_listen(A address, bool on_all_addresses, std::function<L(const A&)> listening_on)
      : address_(std::move(address)),
        on_all_addresses_(on_all_addresses),
        listening_on_(std::move(listening_on)) {}

  A address_;
  bool on_all_addresses_;
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
