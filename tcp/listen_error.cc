#include "tcp/listen_error.h"

#include <cerrno>

#include "tcp/access.h"

namespace async::Tcp {

namespace {

Listen_error::Kind kind_of(const std::error_code& code) {
  if (code == access_denied()) return Listen_error::Kind::Access_denied;
  switch (-code.value()) {
    case EADDRINUSE:
      return Listen_error::Kind::Address_in_use;
    case EACCES:
    case EPERM:
      return Listen_error::Kind::Access_denied;
    case EADDRNOTAVAIL:
      return Listen_error::Kind::Address_not_available;
    default:
      return Listen_error::Kind::Other;
  }
}

}  // namespace

Listen_error::Listen_error(std::error_code code, const Address::Any& address)
    : Io_error(code, "listen on " + to_string(address)), kind_(kind_of(code)), address_(address) {}

std::string_view to_string(Listen_error::Kind kind) {
  switch (kind) {
    case Listen_error::Kind::Address_in_use:
      return "address in use";
    case Listen_error::Kind::Access_denied:
      return "access denied";
    case Listen_error::Kind::Address_not_available:
      return "address not available";
    case Listen_error::Kind::Other:
      return "other";
  }
  return "unknown";
}

}  // namespace async::Tcp
