// tcp/observer.h: being told what happens on connections, from before there is one.
//
// Layer: tcp.  Read next: reader_writer/observer.h; connect_options.h and server.h, which take one.

#pragma once

#include <cstddef>
#include <string>
#include <system_error>

#include "async/error.h"
#include "reader_writer/observer.h"

namespace async::Tcp {

/// An `Observer` is told what clients and servers do, besides what happens on their connections. It
/// may be shared by any number of them.  (lori's and net's notifications.)
///
/// - Scheduling and errors: see `Connection_observer`.
class Observer : public Connection_observer {
 public:
  /// `connecting(peer, in_flight)`: attempts to connect to `peer` are under way, so many; each time
  /// that an attempt was begun, or has failed while others go on.
  virtual void connecting(const std::string& peer, std::size_t in_flight);
  /// `attempt_failed(peer, address, why)`: one of them has failed.
  virtual void attempt_failed(const std::string& peer, const Address::Any& address,
                              std::error_code why);
  /// `connected(c)` or `connect_failed(peer, error)`: how it ended, once.
  virtual void connected(const Connection_info& connection);
  virtual void connect_failed(const std::string& peer, const Error& error);

  /// `accepted(c)`: a client of a server has a connection; its handler runs next.
  virtual void accepted(const Connection_info& connection);
  /// `refused(from, why)`: a client was not: access was denied, the server was full, or what comes
  /// before the handler (`tls`, the PROXY protocol) has failed.  For the first two `why` is a
  /// `Refused`, as when the server was closed before the handler was called.
  virtual void refused(const Address::Any& from, const Error& why);
  /// `peer_error(c, error)`: an error that was the peer's doing has ended the connection.
  virtual void peer_error(const Connection_info& connection, const Error& error);
};

}  // namespace async::Tcp
