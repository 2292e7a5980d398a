// tcp/proxy/internal/proxy_header.h: the bytes of the PROXY protocol.
//
// Layer: tcp/proxy.  Read next: tcp/proxy/proxy_protocol.h.

#pragma once

#include <cstddef>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include "tcp/proxy/proxy_protocol.h"

namespace async::Tcp::Proxy_protocol::internal {

/// A header of version 1 is one line, which begins with this.
inline constexpr std::string_view v1_signature = "PROXY ";
inline constexpr std::size_t v1_longest = 107;

/// One of version 2 begins with this; then come four bytes, of which the last two are the length of
/// what follows.
inline constexpr std::string_view v2_signature("\r\n\r\n\0\r\nQUIT\n", 12);
inline constexpr std::size_t v2_fixed_size = 16;
std::size_t v2_length_of_rest(std::string_view fixed);

/// What a header says: the ends; nothing if it names none.
using Said = std::optional<Ends>;

/// A header is not as it should be.
class Malformed : public std::runtime_error {
 public:
  explicit Malformed(const std::string& what)
      : std::runtime_error("the PROXY header has " + what) {}
};

/// `parse_v1(line)` and `parse_v2(bytes)` read a whole header, which begins with its signature.
/// Errors: throw `Malformed`.
Said parse_v1(std::string_view line);
Said parse_v2(std::string_view bytes);

/// `format_v1(said)` and `format_v2(said)` write one.
std::string format_v1(const Said& said);
std::string format_v2(const Said& said);

}  // namespace async::Tcp::Proxy_protocol::internal
