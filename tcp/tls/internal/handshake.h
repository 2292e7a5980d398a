// tcp/tls/internal/handshake.h: from a transport to an encrypted one.
//
// Layer: tcp/tls.  Read next: engine.h, tls_transport.h; tcp/internal/handshake_io.h.

#pragma once

#include <memory>
#include <string>

#include "async/deferred.h"
#include "async/io/transport.h"
#include "tcp/stop.h"
#include "tcp/tls/internal/engine.h"

namespace async::Tls::internal {

/// `shake_hands(transport, engine, stop)` is determined with an encrypted transport.  `stop`
/// outlives it.  It fails with `Error`, or when `stop` comes, or the transport fails; then it has
/// closed that.
Deferred<std::unique_ptr<Transport>> shake_hands(std::unique_ptr<Transport> transport,
                                                 std::unique_ptr<Engine> engine,
                                                 const Tcp::Stop* stop);

/// `accept_handshake(transport, context, peer, stop)` is that for a server, which makes its engine
/// once `peer` has begun: who says nothing costs no memory for TLS.
Deferred<std::unique_ptr<Transport>> accept_handshake(std::unique_ptr<Transport> transport,
                                                      Ssl_ctx context, std::string peer,
                                                      const Tcp::Stop* stop);

}  // namespace async::Tls::internal
