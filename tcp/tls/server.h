// tcp/tls/server.h: TLS for servers.
//
// Layer: tcp/tls.  Read next: credentials.h, info.h, error.h; tcp/server.h, which takes it.

#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tcp/tls/credentials.h"
#include "tcp/upgrade.h"

namespace async::Tls {

/// Whether clients show who they are.
enum class Client_certificates : unsigned char {
  None,     // they are not asked
  Request,  // they are asked; whoever has none is served, whoever has a bad one is not
  Require,  // whoever has none is not served either
};

struct Server_options {
  /// The certificate, and those between it and a root, in this order; and its key.
  Pem_source certificate_chain;
  Pem_source private_key;
  /// Further ones, each for the names that are in it (exactly, or as "*.example.com").  A client
  /// that asks for another name, or for none, gets the one above.
  std::vector<Identity> more_identities = {};
  Client_certificates client_certificates = Client_certificates::None;
  /// Who may have signed those of clients.
  Trust trust = Trust::system();
  /// Protocols to talk within TLS, the preferred one first (ALPN).  A client that knows none of
  /// them fails the handshake; one that asks for none does not.
  std::vector<std::string> alpn = {};
  Version min_version = Version::Tls_1_2;
  Version max_version = Version::Tls_1_3;
  /// Groups for the exchange of keys, such as "X25519:P-256"; "" for those of the library.
  std::string groups = {};
  /// Whether clients can resume sessions, by tickets, whose keys this object makes, and makes anew
  /// every two days.
  bool resume_sessions = true;
  /// A file to which the secrets of all sessions are appended, for a protocol analyser
  /// (SSLKEYLOGFILE).
  std::optional<std::filesystem::path> key_log = std::nullopt;
};

/// A TLS server of each connection that a server accepts; see `server`.
class Server : public Tcp::Upgrade {
 public:
  /// `set_identities(first, more)` replaces all certificates and keys, for handshakes that begin
  /// from now on.  Connections that there are go on; their sessions are not resumed.  Errors:
  /// throws `Error` of kind `Configuration`, and changes nothing.  Threads: any.
  virtual void set_identities(const Identity& first, const std::vector<Identity>& more) = 0;
};

/// `server(options)` makes a TLS server of each connection that a server accepts.
///
///     co_await Tcp::Server::create(
///         Tcp::on_port(443),
///         {.tls = Tls::server({.certificate_chain = "cert.pem", .private_key = "key.pem"})},
///         handler);
///
/// - Errors: throws `Error` of kind `Configuration`, when a file cannot be read, say, or a key does
///   not fit.  A handshake that fails never reaches the handler: it is counted as an upgrade error
///   and logged, and its place is free at once.
/// - Lifetime: it is a value for any number of servers and connections.
std::shared_ptr<Server> server(Server_options options);

}  // namespace async::Tls
