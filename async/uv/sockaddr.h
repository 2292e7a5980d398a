// async/uv/sockaddr.h: addresses as the operating system has them.
//
// Layer: async/uv.

#pragma once

#include <sys/socket.h>

#include <expected>
#include <system_error>

#include "async/io/address.h"

namespace async::internal {

struct Sockaddr {
  sockaddr_storage storage{};
  socklen_t size = sizeof(sockaddr_storage);

  sockaddr* get() noexcept { return reinterpret_cast<sockaddr*>(&storage); }
  const sockaddr* get() const noexcept { return reinterpret_cast<const sockaddr*>(&storage); }
};

/// `to_sockaddr(address)`.  Errors: ENAMETOOLONG for the path of a unix socket that does not fit.
std::expected<Sockaddr, std::error_code> to_sockaddr(const Address::Any& address);

/// `of_sockaddr(s)`.  A family that is neither becomes an unnamed unix address.
Address::Any of_sockaddr(const Sockaddr& sockaddr);

}  // namespace async::internal
