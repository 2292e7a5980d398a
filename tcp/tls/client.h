// tcp/tls/client.h: TLS for clients.
//
// Layer: tcp/tls.  Read next: credentials.h, info.h, error.h; tcp/connect_options.h, which takes
// it.

#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tcp/tls/credentials.h"
#include "tcp/upgrade.h"

namespace async::Tls {

struct Client_options {
  /// Who may have signed the server's certificate.
  Trust trust = Trust::system();
  /// For which name, or address, the certificate must be; nothing for the one that was asked for.
  std::optional<std::string> verified_name = std::nullopt;
  /// Which name the server is told, so that it can choose its certificate; nothing for the one that
  /// was asked for, and "" for none.  Addresses are never told (RFC 6066).
  std::optional<std::string> server_name = std::nullopt;
  /// Protocols to talk within TLS, the preferred one first (ALPN).  A server that has none of them
  /// fails the handshake, one that does not know of them does not.
  std::vector<std::string> alpn = {};
  /// Who this client is, for servers that ask.
  std::optional<Identity> identity = std::nullopt;
  Version min_version = Version::Tls_1_2;
  Version max_version = Version::Tls_1_3;
  /// Groups for the exchange of keys, such as "X25519:P-256"; "" for those of the library.
  std::string groups = {};
  /// Whether sessions are resumed: each of these objects remembers the last ones, by name and port.
  bool resume_sessions = true;
  /// A file to which the secrets of all sessions are appended, for a protocol analyser
  /// (SSLKEYLOGFILE).
  std::optional<std::filesystem::path> key_log = std::nullopt;
  /// Anybody may be the server, with any certificate: encrypted, but to whom is not known.
  bool accept_any_certificate_of_anybody = false;
  /// The certificate may be for another name: anybody with a certificate of somebody trusted may be
  /// the server.
  bool accept_certificate_for_any_host = false;
};

/// `client(options)` makes a TLS client of each connection that is made with it.
///
///     co_await Tcp::with_connection(Tcp::to_host_and_port("example.com", 443),
///                                   {.tls = Tls::client()}, talk);
///
/// TLS 1.2 and 1.3; the server's chain is verified, and that it is for the name that was asked for.
///
/// - Errors: throws `Error` of kind `Configuration`.  Connecting fails with `Connect_error` of kind
///   `Tls`, whose `cause()` is an `Error`.  On a connection, an end without TLS's own is an `Error`
///   of kind `Truncated`, never an end in order.
/// - Lifetime: it is a value for any number of connections, and costs some milliseconds to make
///   when it reads the system's roots: make it once.
std::shared_ptr<const Tcp::Upgrade> client(Client_options options = {});

}  // namespace async::Tls
