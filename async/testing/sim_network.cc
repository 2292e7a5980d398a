#include "async/testing/sim_network.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "async/clock.h"
#include "async/coroutine.h"
#include "async/internal/engine.h"
#include "async/io/io_error.h"
#include "async/testing/sim_unconnected_socket.h"

namespace async::testing {

namespace {

Address::Any on_all_addresses(const Address::Any& address) {
  const auto* inet = std::get_if<Address::Inet>(&address);
  if (!inet) return address;
  return Address::Inet(
      inet->addr().version() == Ip_version::V4 ? Inet_addr::bind_any() : Inet_addr::bind_any_v6(),
      inet->port());
}

}  // namespace

Sim_network::Sim_network(Sim_world& world, std::string name, std::vector<Inet_addr> addrs,
                         int max_descriptors)
    : world_(world),
      name_(std::move(name)),
      addrs_(std::move(addrs)),
      max_descriptors_(max_descriptors) {
  for (const Inet_addr& addr : addrs_) world_.hosts.emplace(addr, this);
}

Deferred<std::vector<Inet_addr>> Sim_network::resolve(std::string host) {
  world_.trace("resolve " + name_ + " " + host);
  const auto found = world_.names.find(host);
  if (found == world_.names.end()) {
    if (host == "localhost")
      co_return std::vector{Inet_addr::localhost_v6(), Inet_addr::localhost()};
    throw Io_error(Name_error::No_name, "resolve " + host);
  }
  co_await Clock::after(found->second.delay);
  // The answer is what the name stands for by then.
  const Sim_name& answer = world_.names.at(host);
  if (answer.error) throw Io_error(answer.error, "resolve " + host);
  co_return answer.addrs;
}

std::expected<std::unique_ptr<Unconnected_socket>, std::error_code> Sim_network::create_socket(
    Family) {
  if (!take_descriptor()) return std::unexpected(io_error_of_errno(EMFILE));
  return std::make_unique<Sim_unconnected_socket>(*this);
}

std::expected<std::unique_ptr<Listener>, std::error_code> Sim_network::adopt_listener(int) {
  return std::unexpected(io_error_of_errno(EOPNOTSUPP));
}

std::expected<std::unique_ptr<Transport>, std::error_code> Sim_network::adopt_connection(int,
                                                                                         Domain) {
  return std::unexpected(io_error_of_errno(EOPNOTSUPP));
}

std::optional<Inet_addr> Sim_network::source_address(const Inet_addr& to) {
  if (to.is_loopback()) return to;
  for (const Inet_addr& addr : addrs_) {
    if (addr.version() == to.version()) return addr;
  }
  return std::nullopt;
}

Deferred<> Sim_network::descriptor_freed() {
  if (!descriptor_freed_) descriptor_freed_.emplace();
  return descriptor_freed_->read();
}

bool Sim_network::take_descriptor() noexcept {
  if (num_descriptors_ == max_descriptors_) return false;
  ++num_descriptors_;
  return true;
}

void Sim_network::descriptor_was_freed() noexcept {
  --num_descriptors_;
  if (const auto waiting = std::exchange(descriptor_freed_, std::nullopt)) waiting->fill_if_empty();
}

void Sim_network::run_has_ended() noexcept {
  num_descriptors_ = 0;
  bound_.clear();
  listeners_.clear();
  descriptor_freed_.reset();
  run_ = std::make_shared<int>();
}

bool Sim_network::has(const Inet_addr& addr) const {
  return addr.is_loopback() || addr.is_any() ||
         std::find(addrs_.begin(), addrs_.end(), addr) != addrs_.end();
}

std::expected<Address::Any, std::error_code> Sim_network::bind(const Address::Any& address,
                                                               bool shares) {
  Address::Any chosen = address;
  if (const auto* inet = std::get_if<Address::Inet>(&address)) {
    if (!has(inet->addr())) return std::unexpected(io_error_of_errno(EADDRNOTAVAIL));
    if (inet->port() == 0) {
      do {
        chosen = Address::Inet(inet->addr(), next_port_);
        next_port_ = next_port_ == 65535 ? 49152 : next_port_ + 1;
      } while (bound_.contains(chosen));
    }
  }
  const auto [at, is_first] = bound_.try_emplace(chosen, Bound{.count = 0, .is_shared = shares});
  if (!is_first && (!shares || !at->second.is_shared || has_listener(chosen))) {
    return std::unexpected(io_error_of_errno(EADDRINUSE));
  }
  ++at->second.count;
  return chosen;
}

void Sim_network::unbind(const Address::Any& address) {
  const auto found = bound_.find(address);
  if (found != bound_.end() && --found->second.count == 0) bound_.erase(found);
}

Sim_listener* Sim_network::listener_at(const Address::Any& address) const {
  for (const Address::Any& one : {address, on_all_addresses(address)}) {
    const auto found = listeners_.find(one);
    if (found != listeners_.end()) return found->second;
  }
  // A socket on all IPv6 addresses takes IPv4 as well.
  if (const auto* inet = std::get_if<Address::Inet>(&address)) {
    const auto found = listeners_.find(Address::Inet(Inet_addr::bind_any_v6(), inet->port()));
    if (found != listeners_.end()) return found->second;
  }
  return nullptr;
}

void Sim_network::add_listener(const Address::Any& address, Sim_listener& listener) {
  listeners_.emplace(address, &listener);
}

void Sim_network::remove_listener(const Address::Any& address) { listeners_.erase(address); }

Sim_listener::Sim_listener(Sim_network& network, Address::Any address, int backlog,
                           Sim_options options)
    : network_(network),
      run_(network.run()),
      address_(std::move(address)),
      backlog_(static_cast<std::size_t>(std::max(1, backlog))),
      options_(std::move(options)) {
  network_.add_listener(address_, *this);
  network_.world().trace("listen " + network_.name() + " " + to_string(address_));
}

bool Sim_listener::set_user(internal::Turn_task* task) noexcept {
  if (user_ && task) return false;
  user_ = task;
  return true;
}

void Sim_listener::want_ready(bool wanted) noexcept {
  wanted_ = wanted;
  tell_if_ready();
}

void Sim_listener::tell_if_ready() {
  if (!wanted_ || to_accept_.empty() || *will_tell_ || is_closed_) return;
  *will_tell_ = true;
  network_.world().after(Span(), [this, still_there = std::weak_ptr<bool>(will_tell_)] {
    if (still_there.expired()) return;
    *will_tell_ = false;
    if (!wanted_ || to_accept_.empty() || !user_) return;
    if (!user_->is_linked()) internal::engine().at_turn_end.push_back(*user_);
    tell_if_ready();
  });
}

void Sim_listener::offer(std::shared_ptr<Sim_end> client,
                         std::function<void(std::error_code)> answer) {
  outside_.push_back({std::move(client), std::move(answer)});
  let_in();
}

void Sim_listener::let_in() {
  while (!outside_.empty() && to_accept_.size() < backlog_) {
    const Offer offer = std::move(outside_.front());
    outside_.pop_front();
    if (offer.client->is_closed) continue;  // they have given up
    auto server = std::make_shared<Sim_end>(network_, offer.client->remote, offer.client->local);
    server->peer = offer.client;
    offer.client->peer = server;
    to_accept_.push_back(std::move(server));
    offer.answer({});
  }
  tell_if_ready();
}

std::expected<Listener::Accepted, std::error_code> Sim_listener::accept() {
  if (is_closed_) return std::unexpected(io_error_of_errno(EBADF));
  if (to_accept_.empty()) return std::unexpected(io_error_of_errno(EAGAIN));
  if (!network_.take_descriptor()) return std::unexpected(io_error_of_errno(EMFILE));
  const std::shared_ptr<Sim_end> end = std::move(to_accept_.front());
  to_accept_.pop_front();
  network_.world().trace("accept " + network_.name() + " " + to_string(end->local) + " <- " +
                         to_string(end->remote));
  let_in();
  return Accepted{.transport = std::make_unique<Sim_transport>(end, options_), .from = end->remote};
}

void Sim_listener::close() noexcept {
  if (std::exchange(is_closed_, true) || run_.expired()) return;
  network_.remove_listener(address_);
  network_.unbind(address_);
  for (const std::shared_ptr<Sim_end>& end : to_accept_) {
    network_.take_descriptor();  // which closing gives back
    Sim_transport(end).close(Transport::How::Reset);
  }
  to_accept_.clear();
  for (const Offer& offer : std::exchange(outside_, {})) {
    offer.answer(io_error_of_errno(ECONNREFUSED));
  }
  network_.descriptor_was_freed();
  if (internal::Turn_task* user = std::exchange(user_, nullptr)) user->run_in_turn();
}

std::expected<Address::Any, std::error_code> Sim_listener::local_address() const {
  if (is_closed_) return std::unexpected(io_error_of_errno(EBADF));
  return address_;
}

std::expected<Address::Any, std::error_code> Sim_listener::remote_address() const {
  return std::unexpected(io_error_of_errno(ENOTCONN));
}

}  // namespace async::testing
