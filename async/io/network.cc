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

Network& Network::current() {
  return static_cast<Network&>(*internal::kernel().current->environment->network);
}

}  // namespace async
