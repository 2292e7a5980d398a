// tcp/tls/internal/identities.h: who one side is: certificates and keys, by name.
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
  std::vector<Buffer> chain;  // of certificates, as they are sent
  Private_key key;
  bool key_takes_long;             // see signing.h
  std::vector<std::string> names;  // in small letters
};

/// `load(identity)` reads one.  Errors: throws `Error` of kind `Configuration`, if the key is
/// another certificate's, too.
Loaded_identity load(const Identity& identity);

/// Those of one side, which all its connections share; a client has one, or none.
class Identities {
 public:
  Identities(const Identity& first, const std::vector<Identity>& more);

  const Loaded_identity& first() const noexcept { return all_.front(); }

  /// `of(name)` is the one for that name, by itself before by a wildcard, or the first.
  const Loaded_identity& of(std::string_view name) const;

 private:
  std::vector<Loaded_identity> all_;
  std::map<std::string, std::size_t, std::less<>> by_name_;
};

/// `dns_names_of(certificate)` are those that it is for.
std::vector<std::string> dns_names_of(X509& certificate);

}  // namespace async::Tls::internal
