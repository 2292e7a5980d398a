#include <charconv>
#include <cstdint>

#include "tcp/proxy/internal/proxy_header.h"

namespace async::Tcp::Proxy_protocol::internal {

namespace {

// The next field of `rest`, which is taken off together with the blank behind it.
std::string_view next_field(std::string_view& rest) {
  const std::size_t blank = rest.find(' ');
  if (blank == std::string_view::npos) throw Malformed("too few fields");
  const std::string_view field = rest.substr(0, blank);
  rest.remove_prefix(blank + 1);
  return field;
}

Inet_addr parse_addr(std::string_view text, Ip_version version) {
  const auto addr = Inet_addr::parse(text);
  if (!addr || addr->version() != version || text.find('%') != std::string_view::npos) {
    throw Malformed("what is no address of its kind");
  }
  return *addr;
}

int parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, port);
  const bool has_leading_zero = text.size() > 1 && text[0] == '0';
  if (text.empty() || error != std::errc() || stop != end || has_leading_zero) {
    throw Malformed("what is no port");
  }
  return port;
}

}  // namespace

Said parse_v1(std::string_view line) {
  if (!line.ends_with("\r\n")) throw Malformed("no CR LF within 107 bytes");
  line.remove_suffix(2);
  line.remove_prefix(v1_signature.size());
  // Whatever comes behind this is to be ignored.
  if (line == "UNKNOWN" || line.starts_with("UNKNOWN ")) return std::nullopt;
  const std::string_view protocol = next_field(line);
  if (protocol != "TCP4" && protocol != "TCP6") throw Malformed("an unknown protocol");
  const Ip_version version = protocol == "TCP4" ? Ip_version::V4 : Ip_version::V6;
  const Inet_addr source = parse_addr(next_field(line), version);
  const Inet_addr destination = parse_addr(next_field(line), version);
  const int source_port = parse_port(next_field(line));
  return Ends{.source = Address::Inet(source, source_port),
              .destination = Address::Inet(destination, parse_port(line))};
}

std::string format_v1(const Said& said) {
  const auto* source = said ? std::get_if<Address::Inet>(&said->source) : nullptr;
  const auto* destination = said ? std::get_if<Address::Inet>(&said->destination) : nullptr;
  if (!source || !destination || source->addr().version() != destination->addr().version()) {
    return std::string(v1_signature) + "UNKNOWN\r\n";
  }
  const bool is_v4 = source->addr().version() == Ip_version::V4;
  // A scope means something on this machine alone.
  const auto text_of = [is_v4](const Inet_addr& addr) {
    return to_string(is_v4 ? addr : Inet_addr::v6(addr.bytes()));
  };
  return std::string(v1_signature) + (is_v4 ? "TCP4 " : "TCP6 ") + text_of(source->addr()) + " " +
         text_of(destination->addr()) + " " + std::to_string(source->port()) + " " +
         std::to_string(destination->port()) + "\r\n";
}

}  // namespace async::Tcp::Proxy_protocol::internal
