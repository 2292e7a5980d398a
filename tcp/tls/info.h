// tcp/tls/info.h: what a handshake has come to.
//
// Layer: tcp/tls.  Read next: client.h, server.h.

#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tcp/tls/credentials.h"

namespace async::Tls {

/// A certificate of the other side.
struct Peer_certificate {
  std::string subject;  // in one line, as RFC 2253 writes it
  std::string issuer;
  std::vector<std::string> dns_names;  // that it is for
  std::string sha256;                  // fingerprint, in hexadecimal
  std::string pem;
};

struct Info {
  Version version;
  std::string cipher;               // as the standard calls it
  std::string group;                // of the exchange of keys; empty if there was none
  std::optional<std::string> alpn;  // the protocol that was agreed upon
  std::string server_name;          // that the client has asked for; empty if none
  bool is_resumed;
  std::optional<Peer_certificate> peer;  // whom the other side has shown itself to be
};

}  // namespace async::Tls
