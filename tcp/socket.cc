#include "tcp/socket.h"

#include <stdexcept>

#include "async/io/io_error.h"

namespace async::internal {

namespace {

/// Waits until somebody can be accepted.
class Accept_once final : public Turn_task {
 public:
  explicit Accept_once(Listener& listener) : listener_(listener) {
    if (!listener.set_user(this)) {
      throw std::logic_error("somebody else accepts from this socket");
    }
  }
  ~Accept_once() {
    listener_.want_ready(false);
    listener_.set_user(nullptr);
  }

  Deferred<> ready() {
    ready_.emplace();
    listener_.want_ready(true);
    return ready_->read();
  }
  void run_in_turn() noexcept override {
    if (const auto waiting = std::exchange(ready_, std::nullopt)) waiting->fill();
  }

 private:
  Listener& listener_;
  std::optional<Ivar<>> ready_;
};

Connection_handle make_connection(std::unique_ptr<Transport> transport, Address::Any remote) {
  return Connection_handle(Ref<Connection>::share(
      new Connection(std::move(transport), std::move(remote), Connection_limits())));
}

}  // namespace

Address::Any name_of_this_side(const Socket_base& socket) {
  const auto address = socket.local_address();
  if (!address) throw Io_error(address.error(), "get the address of a socket");
  return *address;
}

std::shared_ptr<Unconnected_socket> create_socket(Network::Family family) {
  auto socket = Network::current().create_socket(family);
  if (!socket) throw Io_error(socket.error(), "create a socket");
  return std::move(*socket);
}

void bind_socket(Unconnected_socket& socket, const Address::Any& address) {
  if (const auto error = socket.bind(address)) {
    throw Io_error(error, "bind to " + to_string(address));
  }
}

std::shared_ptr<Listener> listen_on(Unconnected_socket& socket, int backlog) {
  auto listener = socket.listen(backlog);
  if (!listener) throw Io_error(listener.error(), "listen");
  return std::move(*listener);
}

Deferred<Connection_handle> connect_socket(std::shared_ptr<Unconnected_socket> socket,
                                           Address::Any address) {
  const std::string doing = "connect to " + to_string(address);
  if (const auto error = co_await socket->connect(address)) throw Io_error(error, doing);
  auto transport = socket->take_transport();
  if (!transport) throw Io_error(transport.error(), doing);
  co_return make_connection(std::move(*transport), std::move(address));
}

Deferred<Connection_handle> accept_from(std::shared_ptr<Listener> listener) {
  Accept_once once(*listener);
  for (;;) {
    auto accepted = listener->accept();
    if (accepted) {
      co_return make_connection(std::move(accepted->transport), std::move(accepted->from));
    }
    if (accepted.error() == std::errc::operation_would_block) {
      co_await once.ready();
    } else if (!is_passing_accept_error(accepted.error())) {
      throw Io_error(accepted.error(), "accept");
    }
  }
}

}  // namespace async::internal
