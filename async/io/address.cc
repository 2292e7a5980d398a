#include "async/io/address.h"

#include <charconv>
#include <iterator>
#include <limits>
#include <stdexcept>

namespace async::Address {

namespace {

std::optional<int> parse_port(std::string_view text) {
  int port = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, port);
  if (text.empty() || error != std::errc() || stop != end) return std::nullopt;
  return port;
}

}  // namespace

Inet::Inet(Inet_addr addr, int port) : addr_(addr), port_(static_cast<std::uint16_t>(port)) {
  if (port < 0 || port > std::numeric_limits<std::uint16_t>::max()) {
    throw std::invalid_argument("not a port: " + std::to_string(port));
  }
}

Inet Inet::of_string(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon != std::string_view::npos) {
    std::string_view host = text.substr(0, colon);
    const bool in_brackets = host.starts_with('[') && host.ends_with(']');
    if (in_brackets) host = host.substr(1, host.size() - 2);
    const auto addr = Inet_addr::parse(host);
    const auto port = parse_port(text.substr(colon + 1));
    if (addr && port && (addr->version() == Ip_version::V6) == in_brackets) {
      return Inet(*addr, *port);
    }
  }
  throw std::invalid_argument("not an address: \"" + std::string(text) + "\"");
}

std::string to_string(const Inet& address) {
  std::string text = async::to_string(address.addr());
  if (address.addr().version() == Ip_version::V6) text = "[" + text + "]";
  char port[] = ":65535";
  const char* end = std::to_chars(port + 1, std::end(port), address.port()).ptr;
  return text.append(std::string_view(port, end));
}

std::string to_string(const Unix& address) {
  if (address.is_unnamed()) return "(unnamed)";
  if (address.is_abstract()) return "@" + address.path().substr(1);
  return address.path();
}

std::string to_string(const Any& address) {
  return std::visit([](const auto& one) { return to_string(one); }, address);
}

}  // namespace async::Address
