// async/io/inet_addr.h: addresses of hosts.
//
// Layer: async/io.  Read next: address.h.

#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace async {

/// Versions of the internet protocol.
enum class Ip_version : unsigned char { V4, V6 };

/// An IPv4 or IPv6 address, without a port.  (OCaml's `Unix.Inet_addr`.)
class Inet_addr {
 public:
  using V4_bytes = std::array<std::uint8_t, 4>;
  using V6_bytes = std::array<std::uint8_t, 16>;

  static Inet_addr v4(V4_bytes bytes);
  /// `scope` is the interface that a link-local address belongs to; 0 leaves it open.
  static Inet_addr v6(V6_bytes bytes, std::uint32_t scope = 0);

  /// `of_string(text)` reads "192.0.2.1", "2001:db8::1" or "fe80::1%eth0".  Errors: throws
  /// `std::invalid_argument`.
  static Inet_addr of_string(std::string_view text);
  /// `parse(text)` is nothing where `of_string` throws.
  static std::optional<Inet_addr> parse(std::string_view text);

  /// 127.0.0.1 and ::1.
  static Inet_addr localhost();
  static Inet_addr localhost_v6();
  /// 0.0.0.0 and ::, to listen on all addresses.
  static Inet_addr bind_any();
  static Inet_addr bind_any_v6();

  Ip_version version() const noexcept { return version_; }
  /// `bytes()` are in network order; of an IPv4 address the first four.
  const V6_bytes& bytes() const noexcept { return bytes_; }
  std::uint32_t scope() const noexcept { return scope_; }

  bool is_any() const noexcept;
  bool is_loopback() const noexcept;
  bool is_link_local() const noexcept;

  /// `unmapped()` is the IPv4 address for an IPv6 one that stands for one (::ffff:192.0.2.1), else
  /// the address itself.
  Inet_addr unmapped() const noexcept;

  /// `is_same_host(other)` says whether both are addresses of the same host, whatever their scopes
  /// are.  `==` looks at those, too.
  bool is_same_host(const Inet_addr& other) const noexcept {
    return version_ == other.version_ && bytes_ == other.bytes_;
  }

  friend auto operator<=>(const Inet_addr&, const Inet_addr&) = default;

 private:
  Inet_addr() = default;

  Ip_version version_ = Ip_version::V4;
  V6_bytes bytes_{};
  std::uint32_t scope_ = 0;
};

std::string to_string(const Inet_addr& addr);

}  // namespace async
