// tcp/tls/error.h: why TLS has failed.
//
// Layer: tcp/tls.  Read next: client.h, server.h.

#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

#include "async/io/io_error.h"

namespace async::Tls {

/// A handshake failed, or a connection did.  `what()` says what failed, with whom, and for which
/// name and certificate.
class Error : public std::runtime_error, public Connection_failure {
 public:
  enum class Kind : unsigned char {
    Untrusted,                   // the chain does not lead to a root that is trusted
    Expired,                     // a certificate is not valid any more
    Not_yet_valid,               // or not yet
    Wrong_host,                  // the certificate is for others
    Revoked,                     // a certificate was revoked
    No_common_version,           // both sides support TLS, but no version of it together
    No_common_protocol,          // of those for ALPN
    Client_certificate_missing,  // the server requires one
    Client_certificate_refused,  // the server does not accept the one that it got
    Refused,                     // the other side refused for another reason, which its alert says
    Protocol,                    // the other side does not keep to TLS, or does not speak it at all
    Truncated,      // the connection ended without TLS's own end: something may be missing
    Closed,         // the connection ended in order, but within the handshake
    Configuration,  // certificates, keys or settings are of no use
  };

  Error(Kind kind, const std::string& what, std::uint64_t connection = 0)
      : std::runtime_error(what), Connection_failure(connection), kind_(kind) {}

  Kind kind() const noexcept { return kind_; }

 private:
  Kind kind_;
};

/// `to_string(kind)` is such as "untrusted" or "wrong host".
std::string_view to_string(Error::Kind kind);

}  // namespace async::Tls
