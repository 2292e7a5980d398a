// tcp/tls/internal/tls_upgrade.h: what clients and servers have in common.
//
// Layer: tcp/tls.  Read next: handshake.h, tcp/upgrade.h.

#pragma once

#include <memory>
#include <string>

#include "tcp/tls/internal/engine.h"

namespace async::Tls::internal {

/// Makes the engine of each connection.
class Makes_engines {
 public:
  virtual ~Makes_engines() = default;

  /// `make_engine(peer)` is for a connection with `peer`.  Errors: throws `Error` of kind
  /// `Configuration`.
  virtual std::unique_ptr<Engine> make_engine(const std::string& peer) const = 0;
};

}  // namespace async::Tls::internal
