#include "tcp/tls/error.h"

namespace async::Tls {

std::string_view to_string(Error::Kind kind) {
  switch (kind) {
    case Error::Kind::Untrusted:
      return "untrusted";
    case Error::Kind::Expired:
      return "expired";
    case Error::Kind::Not_yet_valid:
      return "not yet valid";
    case Error::Kind::Wrong_host:
      return "wrong host";
    case Error::Kind::Revoked:
      return "revoked";
    case Error::Kind::No_common_version:
      return "no common version";
    case Error::Kind::No_common_protocol:
      return "no common protocol";
    case Error::Kind::Client_certificate_missing:
      return "client certificate missing";
    case Error::Kind::Client_certificate_refused:
      return "client certificate refused";
    case Error::Kind::Refused:
      return "refused";
    case Error::Kind::Protocol:
      return "protocol";
    case Error::Kind::Truncated:
      return "truncated";
    case Error::Kind::Closed:
      return "closed";
    case Error::Kind::Configuration:
      return "configuration";
  }
  return "unknown";
}

}  // namespace async::Tls
