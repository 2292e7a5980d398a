#include "async/io/inet_addr.h"

#include <arpa/inet.h>
#include <net/if.h>

#include <algorithm>
#include <charconv>
#include <iterator>
#include <span>
#include <stdexcept>

namespace async {

namespace {

// The index of an interface, given as a number or a name.
std::optional<std::uint32_t> scope_of(const std::string& text) {
  std::uint32_t number = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (error == std::errc() && stop == end) return number;
  number = if_nametoindex(text.c_str());
  return number != 0 ? std::optional(number) : std::nullopt;
}

}  // namespace

Inet_addr Inet_addr::v4(V4_bytes bytes) {
  Inet_addr addr;
  std::copy(bytes.begin(), bytes.end(), addr.bytes_.begin());
  return addr;
}

Inet_addr Inet_addr::v6(V6_bytes bytes, std::uint32_t scope) {
  Inet_addr addr;
  addr.version_ = Ip_version::V6;
  addr.bytes_ = bytes;
  addr.scope_ = scope;
  return addr;
}

std::optional<Inet_addr> Inet_addr::parse(std::string_view text) {
  if (text.find('\0') != std::string_view::npos) return std::nullopt;
  V4_bytes four;
  if (inet_pton(AF_INET, std::string(text).c_str(), four.data()) == 1) return v4(four);
  const auto percent = text.find('%');
  V6_bytes sixteen;
  if (inet_pton(AF_INET6, std::string(text.substr(0, percent)).c_str(), sixteen.data()) != 1) {
    return std::nullopt;
  }
  if (percent == std::string_view::npos) return v6(sixteen);
  const auto scope = scope_of(std::string(text.substr(percent + 1)));
  return scope ? std::optional(v6(sixteen, *scope)) : std::nullopt;
}

Inet_addr Inet_addr::of_string(std::string_view text) {
  if (const auto addr = parse(text)) return *addr;
  throw std::invalid_argument("not an IP address: \"" + std::string(text) + "\"");
}

Inet_addr Inet_addr::localhost() { return v4({127, 0, 0, 1}); }
Inet_addr Inet_addr::localhost_v6() {
  V6_bytes bytes{};
  bytes[15] = 1;
  return v6(bytes);
}
Inet_addr Inet_addr::bind_any() { return v4({}); }
Inet_addr Inet_addr::bind_any_v6() { return v6({}); }

bool Inet_addr::is_any() const noexcept { return bytes_ == V6_bytes{}; }

bool Inet_addr::is_loopback() const noexcept {
  if (version_ == Ip_version::V4) return bytes_[0] == 127;
  return bytes_ == localhost_v6().bytes_;
}

bool Inet_addr::is_link_local() const noexcept {
  if (version_ == Ip_version::V4) return bytes_[0] == 169 && bytes_[1] == 254;
  return bytes_[0] == 0xfe && (bytes_[1] & 0xc0) == 0x80;
}

Inet_addr Inet_addr::unmapped() const noexcept {
  static constexpr std::array<std::uint8_t, 12> prefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  if (version_ == Ip_version::V4 || !std::equal(prefix.begin(), prefix.end(), bytes_.begin())) {
    return *this;
  }
  return v4({bytes_[12], bytes_[13], bytes_[14], bytes_[15]});
}

std::string to_string(const Inet_addr& addr) {
  if (addr.version() == Ip_version::V4) {  // inet_ntop would use sprintf, for each client
    char text[INET_ADDRSTRLEN];
    char* end = text;
    for (const std::uint8_t byte : std::span(addr.bytes()).first<4>()) {
      if (end != text) *end++ = '.';
      end = std::to_chars(end, std::end(text), byte).ptr;
    }
    return {text, end};
  }
  char text[INET6_ADDRSTRLEN];
  inet_ntop(AF_INET6, addr.bytes().data(), text, sizeof text);
  std::string result = text;
  if (addr.scope() != 0) {
    char name[IF_NAMESIZE];
    result += "%";
    result += if_indextoname(addr.scope(), name) ? name : std::to_string(addr.scope()).c_str();
  }
  return result;
}

}  // namespace async
