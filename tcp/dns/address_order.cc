#include "tcp/dns/address_order.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <deque>
#include <optional>

namespace async::Dns {

namespace {

using Bytes = Inet_addr::V6_bytes;

// An IPv4 address as an IPv6 one, for which the tables below are made.
Bytes as_v6(const Inet_addr& addr) {
  if (addr.version() == Ip_version::V6) return addr.bytes();
  Bytes mapped{};
  mapped[10] = mapped[11] = 0xff;
  std::copy_n(addr.bytes().begin(), 4, mapped.begin() + 12);
  return mapped;
}

int common_prefix_length(const Bytes& a, const Bytes& b) {
  int length = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const auto difference = static_cast<std::uint8_t>(a[i] ^ b[i]);
    length += std::countl_zero(difference);
    if (difference != 0) break;
  }
  return length;
}

/// A line of the default policy table, RFC 6724, section 2.1.
struct Policy {
  Bytes prefix;
  int prefix_length;
  int precedence;
  int label;
};

constexpr Policy policies[] = {
    {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}, 128, 50, 0},  // ::1
    {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, 96, 35, 4},         // IPv4
    {{}, 96, 1, 3},                                                  // ::/96
    {{0x20, 0x01, 0, 0}, 32, 5, 5},                                  // Teredo
    {{0x20, 0x02}, 16, 30, 2},                                       // 6to4
    {{0x3f, 0xfe}, 16, 1, 12},                                       // 6bone
    {{0xfe, 0xc0}, 10, 1, 11},                                       // site-local
    {{0xfc, 0x00}, 7, 3, 13},                                        // unique local
    {{}, 0, 40, 1},                                                  // all others
};

const Policy& policy_of(const Bytes& addr) {
  const Policy* best = nullptr;
  for (const Policy& policy : policies) {
    if (common_prefix_length(policy.prefix, addr) < policy.prefix_length) continue;
    if (!best || policy.prefix_length > best->prefix_length) best = &policy;
  }
  return *best;
}

// RFC 6724, section 3.1.
enum class Scope : std::uint8_t { Link_local = 2, Site_local = 5, Global = 14 };

Scope scope_of(const Inet_addr& addr) {
  if (addr.is_loopback() || addr.is_link_local()) return Scope::Link_local;
  const Bytes& bytes = addr.bytes();
  const bool is_site_local =
      addr.version() == Ip_version::V6 && bytes[0] == 0xfe && (bytes[1] & 0xc0) == 0xc0;
  return is_site_local ? Scope::Site_local : Scope::Global;
}

struct Destination {
  Inet_addr addr;
  std::optional<Inet_addr> source;
  Scope scope;
  bool scopes_match;
  bool labels_match;
  int precedence;
  int shared_prefix;  // with the source

  Destination(const Inet_addr& a, Network& network)
      : addr(a), source(network.source_address(a)), scope(scope_of(a)) {
    const Policy& policy = policy_of(as_v6(a));
    precedence = policy.precedence;
    scopes_match = source && scope_of(*source) == scope;
    labels_match = source && policy_of(as_v6(*source)).label == policy.label;
    shared_prefix = source ? common_prefix_length(as_v6(a), as_v6(*source)) : 0;
  }
};

// The rules of RFC 6724, section 6, by number.  Rules 3, 4 and 7 ask for what is not known here.
bool comes_before(const Destination& a, const Destination& b) {
  if (a.source.has_value() != b.source.has_value()) return a.source.has_value();  // 1
  if (a.scopes_match != b.scopes_match) return a.scopes_match;                    // 2
  if (a.labels_match != b.labels_match) return a.labels_match;                    // 5
  if (a.precedence != b.precedence) return a.precedence > b.precedence;           // 6
  if (a.scope != b.scope) return a.scope < b.scope;                               // 8
  if (a.addr.version() == Ip_version::V6 && b.addr.version() == Ip_version::V6) {
    return a.shared_prefix > b.shared_prefix;  // 9; for IPv4 it would undo round robin
  }
  return false;  // 10
}

}  // namespace

std::vector<Inet_addr> sort_addresses(std::vector<Inet_addr> addrs, Network& network) {
  if (addrs.size() < 2) return addrs;
  std::vector<Destination> destinations;
  destinations.reserve(addrs.size());
  for (const Inet_addr& addr : addrs) destinations.emplace_back(addr, network);
  // By insertion, which keeps the order of equals; there are few.
  for (std::size_t i = 1; i < destinations.size(); ++i) {
    for (std::size_t j = i; j > 0 && comes_before(destinations[j], destinations[j - 1]); --j) {
      std::swap(destinations[j], destinations[j - 1]);
    }
  }
  for (std::size_t i = 0; i < addrs.size(); ++i) addrs[i] = destinations[i].addr;
  return addrs;
}

std::vector<Inet_addr> order_of_attempts(std::vector<Inet_addr> addrs, Network& network,
                                         std::optional<Ip_version> first, int first_count) {
  std::vector<Inet_addr> sorted = sort_addresses(std::move(addrs), network);
  if (sorted.empty()) return sorted;
  const Ip_version version = first.value_or(sorted[0].version());
  std::deque<Inet_addr> now, then;
  for (const Inet_addr& addr : sorted) {
    (addr.version() == version ? now : then).push_back(addr);
  }
  std::vector<Inet_addr> in_turn;
  int count = first_count;
  while (!now.empty() || !then.empty()) {
    for (; count > 0 && !now.empty(); --count) {
      in_turn.push_back(now.front());
      now.pop_front();
    }
    std::swap(now, then);
    count = 1;
  }
  return in_turn;
}

}  // namespace async::Dns
