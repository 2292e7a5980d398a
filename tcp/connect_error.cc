#include "tcp/connect_error.h"

#include <algorithm>
#include <cerrno>
#include <utility>

namespace async::Tcp {

namespace {

constexpr std::size_t most_to_list = 8;

std::string describe(const std::string& peer, const std::string& reason,
                     const std::vector<Connect_error::Attempt>& attempts) {
  std::string text = "cannot connect to " + peer;
  std::string_view separator = ": ";
  if (!reason.empty()) {
    text.append(separator).append(reason);
    separator = "; ";
  }
  for (std::size_t i = 0; i < std::min(attempts.size(), most_to_list); ++i) {
    const std::string address = to_string(attempts[i].address);
    text.append(separator);
    if (address != peer) text.append(address).append(": ");
    text.append(attempts[i].code.message());
    separator = "; ";
  }
  if (attempts.size() > most_to_list) {
    text += "; and " + std::to_string(attempts.size() - most_to_list) + " more addresses";
  }
  return text;
}

Connect_error::Kind kind_of_code(const std::error_code& code) {
  switch (-code.value()) {
    case ECONNREFUSED:
    case ENOENT:  // of a unix socket
      return Connect_error::Kind::Refused;
    case EHOSTUNREACH:
    case ENETUNREACH:
    case ENETDOWN:
    case EHOSTDOWN:
    case EADDRNOTAVAIL:
    case EAFNOSUPPORT:
    case EINVAL:  // a route that is a black hole
      return Connect_error::Kind::Unreachable;
    case ETIMEDOUT:
      return Connect_error::Kind::Timed_out;
    default:
      return Connect_error::Kind::Other;
  }
}

}  // namespace

Connect_error::Connect_error(Kind kind, const std::string& peer, const std::string& reason,
                             std::vector<Attempt> attempts)
    : std::runtime_error(describe(peer, reason, attempts)),
      kind_(kind),
      attempts_(std::move(attempts)) {}

// What says most comes first: that somebody refused says more than that another did not answer.
Connect_error::Kind Connect_error::kind_of(const std::vector<Attempt>& attempts) {
  for (const Kind kind : {Kind::Refused, Kind::Timed_out, Kind::Other}) {
    const bool is_there = std::any_of(attempts.begin(), attempts.end(), [kind](const Attempt& a) {
      return kind_of_code(a.code) == kind;
    });
    if (is_there) return kind;
  }
  return Kind::Unreachable;
}

std::string_view to_string(Connect_error::Kind kind) {
  switch (kind) {
    case Connect_error::Kind::Name_resolution:
      return "name resolution";
    case Connect_error::Kind::Refused:
      return "refused";
    case Connect_error::Kind::Unreachable:
      return "unreachable";
    case Connect_error::Kind::Timed_out:
      return "timed out";
    case Connect_error::Kind::Interrupted:
      return "interrupted";
    case Connect_error::Kind::Proxy:
      return "proxy";
    case Connect_error::Kind::Tls:
      return "tls";
    case Connect_error::Kind::Other:
      return "other";
  }
  return "unknown";
}

}  // namespace async::Tcp
