#include "tcp/connect_error.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "tcp/access.h"

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
    text.append(attempts[i].what.empty() ? attempts[i].code.message() : attempts[i].what);
    separator = "; ";
  }
  if (attempts.size() > most_to_list) {
    text += "; and " + std::to_string(attempts.size() - most_to_list) + " more addresses";
  }
  return text;
}

Connect_error::Kind kind_of_code(const std::error_code& code) {
  if (code == access_denied()) return Connect_error::Kind::Forbidden;
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

// What says most comes first: that somebody refused says more than that another did not answer.
const Connect_error::Attempt* one_that_says_most(
    const std::vector<Connect_error::Attempt>& attempts) {
  using Kind = Connect_error::Kind;
  for (const Kind kind :
       {Kind::Refused, Kind::Timed_out, Kind::Other, Kind::Unreachable, Kind::Forbidden}) {
    for (const auto& attempt : attempts) {
      if (kind_of_code(attempt.code) == kind) return &attempt;
    }
  }
  return nullptr;
}

}  // namespace

Connect_error::Connect_error(Kind kind, const std::string& peer, const std::string& reason,
                             std::vector<Attempt> attempts, std::error_code code)
    : std::runtime_error(describe(peer, reason, attempts)),
      kind_(kind),
      code_(code),
      attempts_(std::move(attempts)) {
  if (code_) return;
  if (const Attempt* attempt = one_that_says_most(attempts_)) code_ = attempt->code;
}

Connect_error::Connect_error(Kind kind, const std::string& peer, Error cause)
    : Connect_error(kind, peer, cause.what(), {}) {
  cause_.emplace(std::move(cause));
}

Connect_error::Kind Connect_error::kind_of(const std::vector<Attempt>& attempts) {
  return kind_of_code(one_that_says_most(attempts)->code);
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
    case Connect_error::Kind::Forbidden:
      return "forbidden";
    case Connect_error::Kind::Other:
      return "other";
  }
  return "unknown";
}

}  // namespace async::Tcp
