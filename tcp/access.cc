#include "tcp/access.h"

#include <algorithm>

namespace async::Tcp {

bool Access::permits(const Inet_addr& addr) const noexcept {
  const auto matches = [&](const Cidr& range) { return range.does_match(addr); };
  return (allowed.empty() || std::any_of(allowed.begin(), allowed.end(), matches)) &&
         std::none_of(denied.begin(), denied.end(), matches);
}

bool Access::permits(const Address::Any& address) const noexcept {
  const auto* inet = std::get_if<Address::Inet>(&address);
  return !inet || permits(inet->addr());
}

}  // namespace async::Tcp
