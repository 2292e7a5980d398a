#include "async/testing/sim_unconnected_socket.h"

#include <cerrno>
#include <utility>

#include "async/internal/engine.h"
#include "async/io/io_error.h"

namespace async::testing {

Sim_unconnected_socket::~Sim_unconnected_socket() {
  if (run_.expired()) return;
  if (attempt_) {
    attempt_->is_given_up = true;
    if (has_descriptor_) Sim_transport(attempt_->end).close(Transport::How::In_order);
  } else if (has_descriptor_) {
    network_.descriptor_was_freed();
  }
  if (bound_) network_.unbind(*bound_);
}

std::error_code Sim_unconnected_socket::bind(const Address::Any& address) {
  const auto chosen = network_.bind(address);
  if (!chosen) return chosen.error();
  bound_ = *chosen;
  return {};
}

std::expected<std::unique_ptr<Listener>, std::error_code> Sim_unconnected_socket::listen(
    int backlog) {
  if (!bound_) return std::unexpected(io_error_of_errno(EDESTADDRREQ));
  has_descriptor_ = false;
  return std::make_unique<Sim_listener>(network_, *std::exchange(bound_, std::nullopt), backlog);
}

Sim_network* Sim_unconnected_socket::target(const Address::Any& address) const {
  const auto* inet = std::get_if<Address::Inet>(&address);
  if (!inet || network_.has(inet->addr())) return &network_;
  return network_.world().host_with(inet->addr());
}

void Sim_unconnected_socket::Attempt::finish(std::error_code error) {
  if (is_given_up) return;
  connected.fill_if_empty(error);
  internal::engine().run_cycle(nullptr);
}

Deferred<std::error_code> Sim_unconnected_socket::connect(const Address::Any& address) {
  Sim_world& world = network_.world();
  Sim_network* there = target(address);
  if (!there) return determined(io_error_of_errno(EHOSTUNREACH));
  Address::Any local = Address::Unix();
  if (const auto* inet = std::get_if<Address::Inet>(&address)) {
    if (!bound_) {
      const auto source = network_.source_address(inet->addr());
      if (!source) return determined(io_error_of_errno(ENETUNREACH));
      if (const auto error = bind(Address::Inet(*source, 0)))
        return determined(std::error_code(error));
    }
    local = *bound_;
  }
  attempt_ = std::make_shared<Attempt>();
  attempt_->end = std::make_shared<Sim_end>(network_, local, address);
  world.trace("connect " + network_.name() + " " + to_string(local) + " -> " + to_string(address));
  const Span delay = world.link(network_, *there).delay;
  world.after(delay, [&world, attempt = attempt_, there, address, delay] {
    Sim_listener* listener = there->listener_at(address);
    if (!listener) {
      world.after(delay, [attempt] { attempt->finish(io_error_of_errno(ECONNREFUSED)); });
      return;
    }
    listener->offer(attempt->end, [&world, attempt, delay](std::error_code error) {
      world.after(delay, [attempt, error] { attempt->finish(error); });
    });
  });
  return attempt_->connected.read();
}

std::expected<std::unique_ptr<Transport>, std::error_code>
Sim_unconnected_socket::take_transport() {
  if (attempt_->end->reset) return std::unexpected(attempt_->end->reset);
  has_descriptor_ = false;
  return std::make_unique<Sim_transport>(attempt_->end);
}

std::expected<Address::Any, std::error_code> Sim_unconnected_socket::local_address() const {
  if (bound_) return *bound_;
  return Address::Inet(Inet_addr::bind_any(), 0);
}

std::expected<Address::Any, std::error_code> Sim_unconnected_socket::remote_address() const {
  return std::unexpected(io_error_of_errno(ENOTCONN));
}

}  // namespace async::testing
