// tcp/access.h: which addresses may be connected to, or may connect.
//
// Layer: tcp.  Read next: async/io/cidr.h; connect_options.h and server.h, which take one.

#pragma once

#include <system_error>
#include <vector>

#include "async/io/address.h"
#include "async/io/cidr.h"

namespace async::Tcp {

/// An `Access` is a policy by network.  It is asked with addresses, never with names: so a name
/// cannot smuggle in an address that is forbidden.  Who connects to 0.0.0.0 or :: reaches this
/// machine, so those need that its loopback is permitted, too.
///
///     {.access = {.denied = {Cidr::of_string("10.0.0.0/8"), Cidr::of_string("127.0.0.0/8")}}}
struct Access {
  /// If there are any, an address must be in one of them.
  std::vector<Cidr> allowed = {};
  /// An address must not be in one of these, whatever is allowed.
  std::vector<Cidr> denied = {};

  /// `permits(address)`.  Unix sockets have permissions of their own, so they always may.
  bool permits(const Inet_addr& addr) const noexcept;
  bool permits(const Address::Any& address) const noexcept;

  /// `narrowed_by(other)` permits what both permit.
  Access narrowed_by(const Access& other) const;

  friend bool operator==(const Access&, const Access&) = default;
};

/// `access_denied()` is the code for what a policy does not permit, which no system has been asked
/// about: "permission denied by access policy".  It compares equal to
/// `std::errc::permission_denied`.
std::error_code access_denied() noexcept;

}  // namespace async::Tcp
