// async/io/address.h: addresses of sockets.
//
// Layer: async/io.  Read next: network.h, tcp/where_to_connect.h.

#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "async/io/inet_addr.h"

/// Addresses of sockets, with a type for each kind.  (OCaml's `Socket.Address`.)
namespace async::Address {

/// A host and a port.
class Inet {
 public:
  Inet(Inet_addr addr, int port);

  /// `of_string(text)` reads "192.0.2.1:80" or "[2001:db8::1]:80".  Errors: throws
  /// `std::invalid_argument`.
  static Inet of_string(std::string_view text);

  const Inet_addr& addr() const noexcept { return addr_; }
  int port() const noexcept { return port_; }

  friend auto operator<=>(const Inet&, const Inet&) = default;

 private:
  Inet_addr addr_;
  std::uint16_t port_;
};

/// A file.  That of a client is usually empty.  One that begins with a zero byte names a socket
/// in Linux's abstract namespace, without a file.
class Unix {
 public:
  Unix() = default;
  explicit Unix(std::string path) : path_(std::move(path)) {}

  const std::string& path() const noexcept { return path_; }
  bool is_unnamed() const noexcept { return path_.empty(); }
  bool is_abstract() const noexcept { return !path_.empty() && path_[0] == '\0'; }

  friend auto operator<=>(const Unix&, const Unix&) = default;

 private:
  std::string path_;
};

/// Either.
using Any = std::variant<Inet, Unix>;

/// `to_string(a)` is "192.0.2.1:80", "[2001:db8::1]:80", a path, "@name" for an abstract name, or
/// "(unnamed)".
std::string to_string(const Inet& address);
std::string to_string(const Unix& address);
std::string to_string(const Any& address);

}  // namespace async::Address

namespace async {
using Address::to_string;
}
