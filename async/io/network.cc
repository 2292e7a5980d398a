#include "async/io/network.h"

#include <cerrno>

namespace async {

bool is_passing_accept_error(const std::error_code& code) noexcept {
  switch (-code.value()) {
    case ECONNABORTED:
    case EPROTO:
    case EPERM:
    case ENETDOWN:
    case ENOPROTOOPT:
    case EHOSTDOWN:
    case ENONET:
    case EHOSTUNREACH:
    case EOPNOTSUPP:
    case ENETUNREACH:
      return true;
    default:
      return false;
  }
}

Network::Family Network::family_of(const Address::Any& address) noexcept {
  const auto* inet = std::get_if<Address::Inet>(&address);
  if (!inet) return Family::Unix;
  return inet->addr().version() == Ip_version::V4 ? Family::V4 : Family::V6;
}

Network& Network::current() {
  return static_cast<Network&>(*internal::kernel().current->environment->network);
}

}  // namespace async
