#include "tcp/authority.h"

#include <variant>

namespace async::Tcp {

bool Listen_authority::permits(const Address::Any& address) const {
  const auto* inet = std::get_if<Address::Inet>(&address);
  if (inet && inet->addr().is_any()) return access_ == Access();
  return access_.permits(address);
}

}  // namespace async::Tcp
