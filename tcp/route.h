// tcp/route.h: how to reach a peer.
//
// Layer: tcp.  Read next: connect_options.h.

#pragma once

#include <functional>
#include <memory>
#include <string>
#include <variant>

#include "async/deferred.h"
#include "async/io/transport.h"
#include "tcp/stop.h"
#include "tcp/where_to_connect.h"

namespace async::Tcp {

/// Whom a connection is for.
using Target = std::variant<Host_and_port, Address::Inet, Address::Unix>;
std::string to_string(const Target& target);

/// A `Route` reaches a peer by way of another one, such as a proxy.  It is a value that is shared
/// by all connections that it is given for.
class Route {
 public:
  /// `connect(target)` connects directly, under the same deadline and interrupt.
  using Connect = std::function<Deferred<std::unique_ptr<Transport>>(Target)>;

  virtual ~Route() = default;

  /// `reach(target, connect, stop)` is determined with a transport to `target`.  It waits by
  /// `stop`, and fails with an error of its own if that comes; or with any other error; null is
  /// an error as well.  `connect` and `stop` outlive the call, and whatever `connect` returned is
  /// determined before the call is.
  virtual Deferred<std::unique_ptr<Transport>> reach(Target target, const Connect& connect,
                                                     const Stop& stop) const = 0;
};

}  // namespace async::Tcp
