// tcp/proxy/internal/proxy_peer.h: the proxy that a route goes by, and whom it is asked for.
//
// Layer: tcp/proxy.  Read next: tcp/proxy/socks5.h, tcp/proxy/http_connect.h.

#pragma once

#include <memory>
#include <string>
#include <utility>
#include <variant>

#include "async/deferred.h"
#include "async/io/transport.h"
#include "tcp/route.h"

namespace async::Tcp::Proxy::internal {

/// A proxy, and how to get there.
class Proxy_peer {
 public:
  /// `kind` is what it is called in errors.
  Proxy_peer(const std::string& kind, Target where, std::shared_ptr<const Route> via)
      : where_(std::move(where)), via_(std::move(via)), name_(kind + " " + to_string(where_)) {}

  /// `name()` is such as "the SOCKS5 proxy 192.0.2.1:1080".
  const std::string& name() const noexcept { return name_; }

  /// `reach(connect, stop)` is determined with a transport to the proxy itself.  Errors: fails with
  /// `std::runtime_error`, whatever it was, because none is an error of the target's.
  Deferred<std::unique_ptr<Transport>> reach(const Route::Connect* connect, const Stop* stop) const;

 private:
  const Target where_;
  const std::shared_ptr<const Route> via_;
  const std::string name_;
};

/// Whom a proxy can be asked for.  The name is one that cannot be taken for anything else in any of
/// their protocols.
using Proxy_target = std::variant<Address::Inet, Host_and_port>;

/// `proxy_target(target)` is `target`, and a name that is an address is one.  Errors: throws
/// `std::invalid_argument` for a unix socket, for an address that is only known on this machine's
/// own network, and for what is no name or port.
Proxy_target proxy_target(const Target& target);

}  // namespace async::Tcp::Proxy::internal
