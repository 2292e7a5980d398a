// tcp/tls/internal/pem.h: reading certificates and keys.
//
// Layer: tcp/tls.  Read next: tcp/tls/credentials.h.

#pragma once

#include <string>
#include <vector>

#include "tcp/tls/credentials.h"
#include "tcp/tls/internal/ssl.h"

namespace async::Tls::internal {

/// Each of these reads all that there are, at least one.  Errors: they throw `Error` of kind
/// `Configuration`.
std::vector<Certificate> read_certificates(const Pem_source& source);
std::vector<Revocations> read_revocations(const Pem_source& source);
/// `read_private_key(source)` reads the first one.
Private_key read_private_key(const Pem_source& source);

/// `name_of(source)` is what to call it in messages.
std::string name_of(const Pem_source& source);

/// `fail_configuration(what)` throws such an error, with what BoringSSL has to say.
[[noreturn]] void fail_configuration(const std::string& what);

}  // namespace async::Tls::internal
