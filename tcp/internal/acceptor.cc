#include "tcp/internal/acceptor.h"

#include <cerrno>
#include <utility>

#include "tcp/internal/server_state.h"
#include "tcp/listen_error.h"

namespace async::Tcp::internal {

namespace {

Address::Any address_of(const Listener& listener, const Address::Any& place) {
  auto address = listener.local_address();
  if (!address) throw Listen_error(address.error(), place);
  return std::move(*address);
}

}  // namespace

Acceptor::Acceptor(Server_state& server, std::shared_ptr<Listener> listener,
                   const Address::Any& place)
    : server_(server), listener_(std::move(listener)), address_(address_of(*listener_, place)) {
  if (!listener_->set_user(this)) throw Listen_error(io_error_of_errno(EADDRINUSE), place);
}

Acceptor::~Acceptor() {
  if (!listener_->is_closed()) listener_->set_user(nullptr);
}

void Acceptor::close() noexcept {
  listener_->set_user(nullptr);
  listener_->close();
  if (is_linked()) unlink();
}

void Acceptor::run_in_turn() noexcept {
  if (listener_->is_closed()) {  // somebody has closed the socket
    static_cast<void>(server_.close());
  } else {
    server_.accept_from(*this);
  }
}

}  // namespace async::Tcp::internal
