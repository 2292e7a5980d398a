// tcp/dns/address_order.h: which address of a name to try first.
//
// Layer: tcp/dns.  Read next: tcp/connect.h.

#pragma once

#include <optional>
#include <vector>

#include "async/io/network.h"

namespace async::Dns {

/// `sort_addresses(addrs, network)` sorts by the rules of RFC 6724, section 6, as far as they can
/// be known: by whether there is a way to the address, by scope, label and precedence, and by the
/// length of the prefix that it shares with the address that it would be reached from.
std::vector<Inet_addr> sort_addresses(std::vector<Inet_addr> addrs, Network& network);

/// `order_of_attempts(addrs, network, first, first_count)` sorts in the same way, and then takes
/// IPv6 and IPv4 addresses in turn (RFC 8305, section 4): `first_count` of the version `first`,
/// which is that of the first address if nothing is given, or if there is none of it; then one of
/// the other; and so on, one by one.
std::vector<Inet_addr> order_of_attempts(std::vector<Inet_addr> addrs, Network& network,
                                         std::optional<Ip_version> first = std::nullopt,
                                         int first_count = 1);

}  // namespace async::Dns
