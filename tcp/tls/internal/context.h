// tcp/tls/internal/context.h: what the connections of one client or server share.
//
// Layer: tcp/tls.  Read next: engine.h.

#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tcp/tls/credentials.h"
#include "tcp/tls/internal/engine.h"
#include "tcp/tls/internal/ssl.h"

namespace async::Tls::internal {

/// What both sides set.
struct Common_settings {
  Version min_version;
  Version max_version;
  std::string groups;
  std::vector<std::string> alpn;
  std::optional<std::filesystem::path> key_log;
};

/// `make_context(settings)` is a context with these.  All functions here throw `Error` of kind
/// `Configuration`.
Ssl_ctx make_context(const Common_settings& settings);
template <class Options>
Ssl_ctx make_context_of(const Options& options) {
  return make_context({.min_version = options.min_version,
                       .max_version = options.max_version,
                       .groups = options.groups,
                       .alpn = options.alpn,
                       .key_log = options.key_log});
}

/// `share(context)` is the same context.
Ssl_ctx share(SSL_CTX& context);

/// `use_trust(context, trust)` is by whom the other side is believed.
void use_trust(SSL_CTX& context, const Trust& trust);

/// `verify_peer(context, mode)` has certificates of the other side verified, and the engine told
/// what was wrong with them.
void verify_peer(SSL_CTX& context, int mode);

/// `alpn_of(protocols)` is the list as it is sent.
std::string alpn_of(const std::vector<std::string>& protocols);

/// `refuse_beside_openssl()` throws if OpenSSL is loaded in this process: both have the same names
/// for their functions, so the first connection would end in a crash.
void refuse_beside_openssl();

}  // namespace async::Tls::internal
