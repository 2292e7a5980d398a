// tcp/internal/place.h: where to listen, whatever the type of the address is.
//
// Layer: tcp.  Read next: tcp/where_to_listen.h, listen.h.

#pragma once

#include <memory>
#include <variant>

#include "async/io/network.h"

namespace async::Tcp::internal {

struct Place {
  Address::Any address;
  bool on_all_addresses = false;                 // IPv6 and IPv4
  std::shared_ptr<Listener> listener = nullptr;  // one that listens there already
};

/// `address_as<A>(address)` is `address` as what it is known to be.
template <class A>
const A& address_as(const Address::Any& address) {
  if constexpr (std::is_same_v<A, Address::Any>) {
    return address;
  } else {
    return std::get<A>(address);
  }
}

}  // namespace async::Tcp::internal
