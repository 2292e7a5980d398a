// tcp/tls/internal/identities.h: the certificates of a server, by name.
//
// Layer: tcp/tls.  Read next: tcp/tls/server.h.

#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tcp/tls/credentials.h"
#include "tcp/tls/internal/ssl.h"

namespace async::Tls::internal {

/// A certificate with all that belongs to it.
struct Loaded_identity {
  Certificate certificate;
  std::vector<Certificate> chain;
  Private_key key;
  std::vector<std::string> names;  // in small letters
};

/// `load(chain, key)` reads them.  Errors: throws `Error` of kind `Configuration`, if the key is
/// another certificate's, too.
Loaded_identity load(const Pem_source& chain, const Pem_source& key);

/// `use(ssl, identity)` is who this side of a connection is; it returns false if that cannot be.
bool use(SSL& ssl, const Loaded_identity& identity);

/// Those of one server.  They never change, so all connections share them.
class Identities {
 public:
  Identities(const Identity& first, const std::vector<Identity>& more);

  /// `of(name)` is the one for that name, by itself before by a wildcard, or the first.
  const Loaded_identity& of(std::string_view name) const;

 private:
  std::vector<Loaded_identity> all_;
  std::map<std::string, std::size_t, std::less<>> by_name_;
};

/// `dns_names_of(certificate)` are those that it is for.
std::vector<std::string> dns_names_of(X509& certificate);

}  // namespace async::Tls::internal
