#include "tcp/proxy/internal/no_proxy.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <stdexcept>
#include <utility>

namespace async::Tcp::Proxy::internal {

namespace {

char to_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::string normalized(std::string_view name) {
  if (name.starts_with("*.")) name.remove_prefix(1);
  if (name.starts_with('.')) name.remove_prefix(1);
  if (name.ends_with('.')) name.remove_suffix(1);
  std::string result(name);
  std::transform(result.begin(), result.end(), result.begin(), to_lower);
  return result;
}

bool is_in(std::string_view name, std::string_view domain) {
  if (!name.ends_with(domain)) return false;
  return name.size() == domain.size() || name[name.size() - domain.size() - 1] == '.';
}

}  // namespace

std::optional<int> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, port);
  if (text.empty() || error != std::errc() || stop != end) return std::nullopt;
  return port;
}

No_proxy::No_proxy(std::string_view text) {
  constexpr std::string_view separators = ", \t";
  while (!text.empty()) {
    const std::size_t end = std::min(text.find_first_of(separators), text.size());
    const std::string_view one = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (one == "*") {
      contains_all_ = true;
    } else if (!one.empty()) {
      entries_.push_back(parse(one));
    }
  }
}

No_proxy::Entry No_proxy::parse(std::string_view text) {
  const auto refuse = [text] {
    throw std::invalid_argument("no name, address or range: \"" + std::string(text) + "\"");
  };
  // An IPv6 address has many colons; with a port it is in brackets.
  std::string_view host = text;
  std::optional<int> port;
  const std::size_t colon = text.rfind(':');
  const bool has_port = colon != std::string_view::npos &&
                        (text.find(':') == colon || text.substr(0, colon).ends_with(']'));
  if (has_port) {
    port = parse_port(text.substr(colon + 1));
    if (!port) refuse();
    host = text.substr(0, colon);
  }
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  if (const auto range = Cidr::parse(host)) return {.host = *range, .port = port};
  Name name = normalized(host);
  if (name.empty() || name.find_first_of("/:[]*@") != std::string::npos) refuse();
  return {.host = std::move(name), .port = port};
}

bool No_proxy::contains(const Target& target) const {
  const auto* address = std::get_if<Address::Inet>(&target);
  const auto* named = std::get_if<Host_and_port>(&target);
  if (contains_all_ || (!address && !named)) return true;
  std::optional<Inet_addr> addr;
  std::string name;
  if (address) {
    addr = address->addr();
  } else {
    addr = Inet_addr::parse(named->host);
    name = normalized(named->host);
  }
  const int port = address ? address->port() : named->port;
  return std::any_of(entries_.begin(), entries_.end(), [&](const Entry& entry) {
    if (entry.port && *entry.port != port) return false;
    if (const auto* range = std::get_if<Cidr>(&entry.host)) return addr && range->does_match(*addr);
    return !addr && is_in(name, std::get<Name>(entry.host));
  });
}

}  // namespace async::Tcp::Proxy::internal
