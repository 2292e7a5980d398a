#include "async/io/cidr.h"

#include <algorithm>
#include <charconv>
#include <stdexcept>

namespace async {

namespace {

int num_bits(Ip_version version) { return version == Ip_version::V4 ? 32 : 128; }

// `addr` with zeros behind its first `bits`.
Inet_addr first_of_range(const Inet_addr& addr, int bits) {
  Inet_addr::V6_bytes bytes = addr.bytes();
  for (int i = 0; i < 16; ++i) {
    const int kept = std::clamp(bits - 8 * i, 0, 8);
    bytes[static_cast<std::size_t>(i)] &= static_cast<std::uint8_t>(0xff00 >> kept);
  }
  if (addr.version() == Ip_version::V6) return Inet_addr::v6(bytes);
  return Inet_addr::v4({bytes[0], bytes[1], bytes[2], bytes[3]});
}

}  // namespace

Cidr::Cidr(Inet_addr base, int bits) : base_(first_of_range(base, bits)), bits_(bits) {
  if (bits < 0 || bits > num_bits(base.version())) {
    throw std::invalid_argument(std::to_string(bits) + " is no number of bits of " +
                                async::to_string(base));
  }
}

std::optional<Cidr> Cidr::parse(std::string_view text) {
  const std::size_t slash = text.find('/');
  const auto addr = Inet_addr::parse(text.substr(0, slash));
  if (!addr) return std::nullopt;
  int bits = num_bits(addr->version());
  if (slash != std::string_view::npos) {
    const std::string_view digits = text.substr(slash + 1);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), bits);
    if (error != std::errc() || end != digits.data() + digits.size() || bits < 0 ||
        bits > num_bits(addr->version())) {
      return std::nullopt;
    }
  }
  return Cidr(*addr, bits);
}

Cidr Cidr::of_string(std::string_view text) {
  if (const auto cidr = parse(text)) return *cidr;
  throw std::invalid_argument("\"" + std::string(text) + "\" is no range of addresses");
}

bool Cidr::does_match(const Inet_addr& addr) const noexcept {
  const Inet_addr plain = addr.unmapped();
  return plain.version() == base_.version() && first_of_range(plain, bits_) == base_;
}

std::string to_string(const Cidr& cidr) {
  return to_string(cidr.base_address()) + "/" + std::to_string(cidr.bits());
}

}  // namespace async
