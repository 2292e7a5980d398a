#include <algorithm>
#include <array>
#include <cstdint>

#include "tcp/proxy/internal/proxy_header.h"

namespace async::Tcp::Proxy_protocol::internal {

namespace {

constexpr std::size_t command_at = 12;
constexpr std::size_t family_at = 13;
constexpr std::size_t length_at = 14;
constexpr std::uint8_t version = 2;
constexpr std::uint8_t most_transports = 2;  // none, a stream, datagrams
constexpr std::uint8_t stream = 1;

enum class Command : std::uint8_t { Local = 0, Proxy = 1 };
enum class Family : std::uint8_t { Unspecified = 0, V4 = 1, V6 = 2, Unix = 3 };

constexpr std::size_t size_of_unix = 108;  // one path
constexpr std::size_t size_of_tlv = 3;     // its type, and its length
constexpr std::uint8_t type_of_checksum = 3;
constexpr std::size_t size_of_checksum = 4;

std::uint8_t byte_at(std::string_view bytes, std::size_t i) {
  return static_cast<std::uint8_t>(bytes[i]);
}
std::uint16_t number_at(std::string_view bytes, std::size_t i) {
  return static_cast<std::uint16_t>(byte_at(bytes, i) << 8 | byte_at(bytes, i + 1));
}
void append_number(std::string& bytes, std::size_t number) {
  bytes.push_back(static_cast<char>(number >> 8 & 0xff));
  bytes.push_back(static_cast<char>(number & 0xff));
}

// Castagnoli's, bit by bit: headers are short.
std::uint32_t crc32c(std::string_view bytes) {
  constexpr std::uint32_t polynomial = 0x82f63b78;
  std::uint32_t crc = ~0U;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    crc ^= byte_at(bytes, i);
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ ((crc & 1) != 0 ? polynomial : 0);
  }
  return ~crc;
}

// Where `rest` begins in `header`, of which it is the end.
void verify_additional_fields(std::string_view header, std::string_view rest) {
  while (!rest.empty()) {
    if (rest.size() < size_of_tlv) throw Malformed("a field that is cut off");
    const std::uint8_t type = byte_at(rest, 0);
    const std::size_t size = number_at(rest, 1);
    rest.remove_prefix(size_of_tlv);
    if (rest.size() < size) throw Malformed("a field that is cut off");
    if (type == type_of_checksum) {
      if (size != size_of_checksum) throw Malformed("a checksum that is none");
      const std::uint32_t expected =
          std::uint32_t{number_at(rest, 0)} << 16 | std::uint32_t{number_at(rest, 2)};
      // It is that of the header with zeros in its own place.
      std::string zeroed(header);
      zeroed.replace(header.size() - rest.size(), size, size, '\0');
      if (crc32c(zeroed) != expected) throw Malformed("a wrong checksum");
    }
    rest.remove_prefix(size);
  }
}

template <std::size_t n>
std::array<std::uint8_t, n> array_of(std::string_view bytes) {
  std::array<std::uint8_t, n> result{};
  std::copy_n(bytes.begin(), n, result.begin());
  return result;
}

Inet_addr inet_addr_of(std::string_view bytes) {
  return bytes.size() == 4 ? Inet_addr::v4(array_of<4>(bytes)) : Inet_addr::v6(array_of<16>(bytes));
}

Address::Unix unix_of(std::string_view field) {
  // A path ends with the first zero, but a name that begins with one goes on.
  std::size_t size = field.find('\0');
  if (size == 0) size = field.find_last_not_of('\0') + 1;
  return Address::Unix(std::string(field.substr(0, size)));
}

Ends inet_ends(std::string_view body, std::size_t size) {
  return {.source = Address::Inet(inet_addr_of(body.substr(0, size)), number_at(body, 2 * size)),
          .destination =
              Address::Inet(inet_addr_of(body.substr(size, size)), number_at(body, 2 * size + 2))};
}

std::string head(Command command, Family family, std::size_t length) {
  std::string bytes(v2_signature);
  bytes.push_back(static_cast<char>(version << 4 | static_cast<std::uint8_t>(command)));
  const std::uint8_t transport = family == Family::Unspecified ? 0 : stream;
  bytes.push_back(static_cast<char>(static_cast<std::uint8_t>(family) << 4 | transport));
  append_number(bytes, length);
  return bytes;
}

std::string unknown() { return head(Command::Proxy, Family::Unspecified, 0); }

std::string format_inet(const Address::Inet& source, const Address::Inet& destination) {
  const Ip_version version = source.addr().version();
  if (version != destination.addr().version()) return unknown();
  const bool is_v4 = version == Ip_version::V4;
  const std::size_t size = is_v4 ? 4 : 16;
  std::string bytes = head(Command::Proxy, is_v4 ? Family::V4 : Family::V6, 2 * (size + 2));
  for (const Address::Inet* one : {&source, &destination}) {
    const auto* first = one->addr().bytes().data();
    bytes.append(first, first + size);
  }
  append_number(bytes, static_cast<std::size_t>(source.port()));
  append_number(bytes, static_cast<std::size_t>(destination.port()));
  return bytes;
}

std::string format_unix(const Address::Unix& source, const Address::Unix& destination) {
  std::string bytes = head(Command::Proxy, Family::Unix, 2 * size_of_unix);
  for (const Address::Unix* one : {&source, &destination}) {
    std::string path = one->path();
    if (path.size() > size_of_unix) return unknown();
    path.resize(size_of_unix);
    bytes += path;
  }
  return bytes;
}

}  // namespace

std::size_t v2_length_of_rest(std::string_view fixed) { return number_at(fixed, length_at); }

Said parse_v2(std::string_view bytes) {
  if (byte_at(bytes, command_at) >> 4 != version) throw Malformed("an unknown version");
  switch (static_cast<Command>(byte_at(bytes, command_at) & 0xf)) {
    case Command::Local:
      return std::nullopt;
    case Command::Proxy:
      break;
    default:
      throw Malformed("an unknown command");
  }
  if ((byte_at(bytes, family_at) & 0xf) > most_transports) throw Malformed("an unknown protocol");
  const std::string_view body = bytes.substr(v2_fixed_size);
  std::size_t size = 0;
  switch (static_cast<Family>(byte_at(bytes, family_at) >> 4)) {
    case Family::Unspecified:
      return std::nullopt;
    case Family::V4:
      size = 2 * (4 + 2);
      break;
    case Family::V6:
      size = 2 * (16 + 2);
      break;
    case Family::Unix:
      size = 2 * size_of_unix;
      break;
    default:
      throw Malformed("an unknown family of addresses");
  }
  if (body.size() < size) throw Malformed("addresses that are cut off");
  verify_additional_fields(bytes, body.substr(size));
  if (size == 2 * size_of_unix) {
    return Ends{.source = unix_of(body.substr(0, size_of_unix)),
                .destination = unix_of(body.substr(size_of_unix, size_of_unix))};
  }
  return inet_ends(body, size / 2 - 2);
}

std::string format_v2(const Said& said) {
  if (!said || said->source.index() != said->destination.index()) return unknown();
  if (const auto* source = std::get_if<Address::Inet>(&said->source)) {
    return format_inet(*source, std::get<Address::Inet>(said->destination));
  }
  return format_unix(std::get<Address::Unix>(said->source),
                     std::get<Address::Unix>(said->destination));
}

}  // namespace async::Tcp::Proxy_protocol::internal
