#include "async/uv/sockaddr.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <string_view>

#include "async/io/io_error.h"

namespace async::internal {

namespace {

Sockaddr of_inet(const Address::Inet& address) {
  Sockaddr result;
  const auto& bytes = address.addr().bytes();
  const auto port = htons(static_cast<std::uint16_t>(address.port()));
  if (address.addr().version() == Ip_version::V4) {
    sockaddr_in in{};
    in.sin_family = AF_INET;
    in.sin_port = port;
    std::memcpy(&in.sin_addr, bytes.data(), sizeof in.sin_addr);
    std::memcpy(&result.storage, &in, sizeof in);
    result.size = sizeof in;
  } else {
    sockaddr_in6 in{};
    in.sin6_family = AF_INET6;
    in.sin6_port = port;
    in.sin6_scope_id = address.addr().scope();
    std::memcpy(&in.sin6_addr, bytes.data(), sizeof in.sin6_addr);
    std::memcpy(&result.storage, &in, sizeof in);
    result.size = sizeof in;
  }
  return result;
}

std::expected<Sockaddr, std::error_code> of_unix(const Address::Unix& address) {
  sockaddr_un un{};
  // A path is followed by a zero byte; an abstract name is not.
  const std::size_t needed = address.path().size() + (address.is_abstract() ? 0 : 1);
  // The system would not see what follows a zero byte.
  if (!address.is_abstract() && address.path().find('\0') != std::string::npos) {
    return std::unexpected(io_error_of_errno(EINVAL));
  }
  if (needed > sizeof un.sun_path) return std::unexpected(io_error_of_errno(ENAMETOOLONG));
  un.sun_family = AF_UNIX;
  std::memcpy(un.sun_path, address.path().data(), address.path().size());
  Sockaddr result;
  std::memcpy(&result.storage, &un, sizeof un);
  result.size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + needed);
  return result;
}

}  // namespace

std::expected<Sockaddr, std::error_code> to_sockaddr(const Address::Any& address) {
  if (const auto* inet = std::get_if<Address::Inet>(&address)) return of_inet(*inet);
  return of_unix(std::get<Address::Unix>(address));
}

Address::Any of_sockaddr(const Sockaddr& from) {
  if (from.storage.ss_family == AF_INET) {
    sockaddr_in in;
    std::memcpy(&in, &from.storage, sizeof in);
    Inet_addr::V4_bytes bytes;
    std::memcpy(bytes.data(), &in.sin_addr, bytes.size());
    return Address::Inet(Inet_addr::v4(bytes), ntohs(in.sin_port));
  }
  if (from.storage.ss_family == AF_INET6) {
    sockaddr_in6 in;
    std::memcpy(&in, &from.storage, sizeof in);
    Inet_addr::V6_bytes bytes;
    std::memcpy(bytes.data(), &in.sin6_addr, bytes.size());
    // What a socket for both versions shows for IPv4.
    if (IN6_IS_ADDR_V4MAPPED(&in.sin6_addr)) {
      return Address::Inet(Inet_addr::v4({bytes[12], bytes[13], bytes[14], bytes[15]}),
                           ntohs(in.sin6_port));
    }
    return Address::Inet(Inet_addr::v6(bytes, in.sin6_scope_id), ntohs(in.sin6_port));
  }
  constexpr auto path_begins = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path));
  if (from.storage.ss_family != AF_UNIX || from.size <= path_begins) return Address::Unix();
  sockaddr_un un;
  std::memcpy(&un, &from.storage, sizeof un);
  std::string_view path(un.sun_path, std::min<std::size_t>(from.size, sizeof un) - path_begins);
  if (path[0] != '\0') path = path.substr(0, path.find('\0'));
  return Address::Unix(std::string(path));
}

}  // namespace async::internal
