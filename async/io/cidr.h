// async/io/cidr.h: ranges of addresses.
//
// Layer: async/io.  Read next: inet_addr.h; tcp/access.h, which uses them.

#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "async/io/inet_addr.h"

namespace async {

/// A range of addresses that begin with the same bits.  (OCaml's `Unix.Cidr`.)
class Cidr {
 public:
  /// `Cidr(base, bits)` has the first `bits` of `base`; the others do not matter.  Errors: throws
  /// `std::invalid_argument` if an address has less bits than that.
  Cidr(Inet_addr base, int bits);

  /// `of_string(text)` reads "192.0.2.0/24" or "2001:db8::/32"; an address alone is a range of one.
  /// Errors: throws `std::invalid_argument`.
  static Cidr of_string(std::string_view text);
  /// `parse(text)` is nothing where `of_string` throws.
  static std::optional<Cidr> parse(std::string_view text);

  /// `base_address()` is the first address, and `bits()` how many all have in common.
  const Inet_addr& base_address() const noexcept { return base_; }
  int bits() const noexcept { return bits_; }

  /// `does_match(addr)` says whether `addr` is in the range.  An IPv4 address that is written as an
  /// IPv6 one
  /// (::ffff:192.0.2.1) is in the ranges of the IPv4 one.
  bool does_match(const Inet_addr& addr) const noexcept;

  friend auto operator<=>(const Cidr&, const Cidr&) = default;

 private:
  Inet_addr base_;
  int bits_;
};

std::string to_string(const Cidr& cidr);

}  // namespace async
