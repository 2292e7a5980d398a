// tcp/internal/acceptor.h: one of the sockets on which a server listens.
//
// Layer: tcp.  Read next: server_state.h.

#pragma once

#include <memory>

#include "async/internal/engine.h"
#include "async/io/network.h"

namespace async::Tcp::internal {

class Server_state;

/// An `Acceptor` tells its server, to which it belongs, when somebody waits on its socket.
class Acceptor final : public async::internal::Turn_task {
 public:
  /// Errors: throws `Listen_error` if somebody else accepts from `listener`, or it is closed.
  Acceptor(Server_state& server, std::shared_ptr<Listener> listener, const Address::Any& place);
  Acceptor(const Acceptor&) = delete;
  Acceptor& operator=(const Acceptor&) = delete;
  ~Acceptor();

  const std::shared_ptr<Listener>& listener() const noexcept { return listener_; }
  const Address::Any& address() const noexcept { return address_; }

  /// `close()` closes the socket, and nothing is told any more.
  void close() noexcept;

  void run_in_turn() noexcept override;

 private:
  Server_state& server_;
  const std::shared_ptr<Listener> listener_;
  const Address::Any address_;
};

}  // namespace async::Tcp::internal
