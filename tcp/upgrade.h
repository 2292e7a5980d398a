// tcp/upgrade.h: what is done with a connection before the program sees it.
//
// Layer: tcp.  Read next: connect_options.h.

#pragma once

#include <memory>
#include <string>

#include "async/deferred.h"
#include "async/io/transport.h"
#include "tcp/stop.h"

namespace async::Tcp {

/// An `Upgrade` makes one transport of another, such as an encrypted one.  It is a value that is
/// shared by all connections that it is given for.
class Upgrade {
 public:
  virtual ~Upgrade() = default;

  /// `upgrade(transport, peer, stop)` is determined with the new transport.  `peer` is the name
  /// that was asked for.  It waits by `stop`, and fails with an error of its own if that comes; or
  /// with any other error; null is an error as well.  What becomes of `transport` then is its
  /// business.  `stop` outlives the call.
  virtual Deferred<std::unique_ptr<Transport>> upgrade(std::unique_ptr<Transport> transport,
                                                       std::string peer,
                                                       const Stop& stop) const = 0;
};

}  // namespace async::Tcp
