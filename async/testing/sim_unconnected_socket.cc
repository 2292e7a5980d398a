#include "async/testing/sim_unconnected_socket.h"

#include <sys/socket.h>

#include <cerrno>
#include <utility>

#include "async/internal/engine.h"
#include "async/io/io_error.h"

namespace async::testing {

namespace {

// After how long Linux gives up on somebody who does not answer.
constexpr std::chrono::seconds system_timeout(127);

}  // namespace

Sim_unconnected_socket::~Sim_unconnected_socket() {
  if (run_.expired()) return;
  if (attempt_) {
    attempt_->is_given_up = true;
    if (attempt_->gives_up) network_.world().events.remove(*attempt_->gives_up);
    if (has_descriptor_) Sim_transport(attempt_->end).close(Transport::How::In_order);
  } else if (has_descriptor_) {
    network_.descriptor_was_freed();
  }
  if (bound_) network_.unbind(*bound_);
}

std::error_code Sim_unconnected_socket::bind(const Address::Any& address) {
  int shares = 0;
  options_.get(SOL_SOCKET, SO_REUSEADDR, std::as_writable_bytes(std::span(&shares, 1)));
  const auto chosen = network_.bind(address, shares != 0);
  if (!chosen) return chosen.error();
  bound_ = *chosen;
  return {};
}

std::expected<std::unique_ptr<Listener>, std::error_code> Sim_unconnected_socket::listen(
    int backlog) {
  if (!bound_) return std::unexpected(io_error_of_errno(EDESTADDRREQ));
  if (network_.has_listener(*bound_)) return std::unexpected(io_error_of_errno(EADDRINUSE));
  has_descriptor_ = false;
  return std::make_unique<Sim_listener>(network_, *std::exchange(bound_, std::nullopt), backlog,
                                        options_);
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
  const auto* to = std::get_if<Address::Inet>(&address);
  const bool is_black_hole = to && world.black_holes.contains(to->addr());
  if (!there && !is_black_hole) return determined(io_error_of_errno(EHOSTUNREACH));
  Address::Any local = Address::Unix();
  if (to) {
    if (!bound_) {
      const auto source = network_.source_address(to->addr());
      if (!source) return determined(io_error_of_errno(ENETUNREACH));
      if (const auto error = bind(Address::Inet(*source, 0)))
        return determined(std::error_code(error));
    }
    local = *bound_;
  }
  attempt_ = std::make_shared<Attempt>();
  attempt_->end = std::make_shared<Sim_end>(network_, local, address);
  world.trace("connect " + network_.name() + " " + to_string(local) + " -> " + to_string(address));
  if (is_black_hole) {
    attempt_->gives_up = world.after(system_timeout, [attempt = attempt_] {
      attempt->gives_up.reset();
      attempt->finish(io_error_of_errno(ETIMEDOUT));
    });
    return attempt_->connected.read();
  }
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
  return std::make_unique<Sim_transport>(attempt_->end, options_);
}

std::expected<Address::Any, std::error_code> Sim_unconnected_socket::local_address() const {
  if (bound_) return *bound_;
  return Address::Inet(Inet_addr::bind_any(), 0);
}

std::expected<Address::Any, std::error_code> Sim_unconnected_socket::remote_address() const {
  return std::unexpected(io_error_of_errno(ENOTCONN));
}

}  // namespace async::testing
