#include "tcp/internal/server_state.h"

#include <algorithm>
#include <cerrno>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "async/coroutine.h"
#include "async/internal/keep.h"
#include "async/io/io_error.h"
#include "async/io/socket_option.h"
#include "async/log.h"
#include "async/scheduler.h"
#include "async/try_with.h"
#include "reader_writer/errors.h"
#include "tcp/listen_error.h"

namespace async::Tcp::internal {

using async::internal::engine;
using async::internal::With_context;

namespace {

constexpr std::chrono::milliseconds shortest_wait(5);
constexpr std::chrono::seconds longest_wait(1);
constexpr std::chrono::minutes between_messages(1);

// Out of descriptors, or of memory: the machine's trouble, and it passes.
bool is_shortage(const std::error_code& code) {
  switch (-code.value()) {
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
    case ENOSPC:  // watches
      return true;
    default:
      return false;
  }
}

// An error of the handler's own connection is its peer's doing.
bool is_of_connection(const Error& error, std::uint64_t connection) {
  if (const auto* io = error.as<Io_error>()) return io->connection() == connection;
  if (const auto* limit = error.as<Limit_exceeded>()) return limit->connection() == connection;
  return false;
}

}  // namespace

Server_state::Server_state(std::shared_ptr<Listener> listener, Address::Any address,
                           Server_settings settings, Handler handler, On_error on_error)
    : listener_(std::move(listener)),
      address_(std::move(address)),
      settings_(std::move(settings)),
      handler_(std::move(handler)),
      on_error_(std::move(on_error)),
      context_(async::internal::kernel().current),
      network_(Ref<Network>::share(&Network::current())),
      wait_for_descriptors_(shortest_wait) {}

void Server_state::start() noexcept {
  add_ref();  // until it is closed, and all clients are gone
  add_open(*this);
  listener_->set_user(this);
  listener_->want_ready(true);
}

// Accepting.

void Server_state::run_in_turn() noexcept {
  const auto alive = Ref<Server_state>::share(this);
  if (listener_->is_closed()) static_cast<void>(close());  // somebody has closed the socket
  for (int i = 0; i < settings_.max_accepts_per_batch; ++i) {
    if (is_closed_ || num_connections_ >= settings_.max_connections || !accept_one()) break;
  }
  look_at_limit();
}

// Returns false when there is nobody left to accept just now.
bool Server_state::accept_one() noexcept {
  auto accepted = listener_->accept();
  if (accepted) {
    wait_for_descriptors_ = shortest_wait;
    admit(std::move(*accepted));
    return true;
  }
  const std::error_code error = accepted.error();
  if (error == std::errc::operation_would_block) return false;
  if (is_passing_accept_error(error)) return true;
  if (is_shortage(error)) {
    wait_for_descriptors(error);
  } else {
    context_->monitor->receive(Error(Io_error(error, "accept on " + to_string(address_))));
    static_cast<void>(close());
  }
  return false;
}

void Server_state::admit(Listener::Accepted accepted) noexcept {
  ++counts_.accepted;
  ++num_connections_;
  const With_context with(*context_);
  auto* client = new Client(Ref<Server_state>::share(this));
  clients_.push_back(*client);
  Scheduler::schedule(
      [client = Ref<Client>::share(client), accepted = std::move(accepted)]() mutable {
        client->start(std::move(accepted.transport), accepted.from);
      });
  // Its first steps are a cycle of their own, as is all that comes later.
  engine().run_cycle_and_flush_all();
}

void Server_state::look_at_limit() noexcept {
  if (is_closed_) return;
  const bool is_full = num_connections_ >= settings_.max_connections;
  listener_->want_ready(!is_full && !is_waiting_for_descriptors_);
  if (is_full) {
    log_now_and_then(said_that_full_, "the server on " + to_string(address_) +
                                          " has reached max_connections: new clients wait until "
                                          "one of its connections is closed");
  }
}

void Server_state::wait_for_descriptors(std::error_code error) noexcept {
  ++counts_.accept_errors;
  is_waiting_for_descriptors_ = true;
  log_now_and_then(said_that_out_of_descriptors_,
                   "the server on " + to_string(address_) +
                       " cannot accept for now, and new clients wait: " + error.message());
  const With_context with(*context_);
  dont_wait_for(go_on_after_a_while(Ref<Server_state>::share(this)));
}

Deferred<> Server_state::go_on_after_a_while(Ref<Server_state> self) {
  static_cast<void>(self);
  static_cast<void>(
      co_await Clock::with_timeout(wait_for_descriptors_, network_->descriptor_freed()));
  wait_for_descriptors_ = std::min(Span(2 * wait_for_descriptors_.ns()), Span(longest_wait));
  is_waiting_for_descriptors_ = false;
  look_at_limit();
}

void Server_state::log_now_and_then(std::optional<Time_ns>& last, const std::string& message) {
  const With_context with(*context_);
  const Time_ns now = Clock::now();
  if (last && now - *last < between_messages) return;
  last = now;
  Log::info(message);
}

// Serving.

Deferred<std::optional<Listener::Accepted>> Server_state::upgrade(Listener::Accepted accepted) {
  const Stop stop(settings_.tls_timeout, closed_.read());
  auto& [transport, from] = accepted;
  for (const Upgrade* one : {settings_.proxy_protocol.get(), settings_.tls.get()}) {
    if (!one) continue;
    auto upgraded = co_await or_error(async::internal::call(
        [&] { return one->upgrade(std::move(transport), to_string(from), stop); }));
    if (!upgraded || !*upgraded) {
      ++counts_.upgrade_errors;
      Log::debug("a client at " + to_string(from) +
                 " failed: " + (upgraded ? "there is no connection" : upgraded.error().what()));
      co_return std::nullopt;
    }
    transport = std::move(*upgraded);
    if (one != settings_.proxy_protocol.get()) continue;
    auto announced = transport->remote_address();
    if (announced && announced->index() == from.index()) from = std::move(*announced);
  }
  co_return std::move(accepted);
}

void Server_state::handle_error(const Address::Any& from, const Error& error,
                                std::uint64_t connection) noexcept {
  if (is_of_connection(error, connection)) {
    ++counts_.peer_errors;
    Log::debug(std::string("a client failed: ") + error.what());
    return;
  }
  ++counts_.handler_errors;
  try {
    on_error_(from, error);
  } catch (...) {
    static_cast<void>(close());
    context_->monitor->receive(Error::current());
  }
}

// Ending.

Deferred<> Server_state::close() noexcept {
  const auto alive = Ref<Server_state>::share(this);
  if (!is_closed_) {
    stop_listening();
    closed_.fill();
    check_all_done();
  }
  return close_finished();
}

void Server_state::close_connections() noexcept {
  for (Client& client : clients_) client.close();
}

void Server_state::stop_listening() noexcept {
  is_closed_ = true;
  listener_->set_user(nullptr);
  listener_->close();
  if (Turn_task::is_linked()) Turn_task::unlink();
}

void Server_state::client_is_gone() noexcept {
  --num_connections_;
  look_at_limit();
  check_all_done();
}

void Server_state::check_all_done() noexcept {
  if (!is_closed_ || num_connections_ > 0) return;
  Ends_with_scheduler::unlink();
  all_done_.fill();
  release();
}

void Server_state::scheduler_ends() noexcept {
  if (!is_closed_) stop_listening();
  while (!clients_.is_empty()) clients_.pop_front().scheduler_ends();
  release();
}

void Server_state::invariant() const {
  const auto check = [](bool holds, const char* what) {
    if (!holds) throw std::logic_error(std::string("Tcp::Server: ") + what);
  };
  check(num_connections_ >= 0, "the number of connections is negative");
  check(num_connections_ <= settings_.max_connections, "there are too many connections");
  check(counts_.accepted >= static_cast<std::uint64_t>(num_connections_),
        "more open than accepted");
  check(is_closed_ == closed_.is_full(), "close_finished() is not what is_closed() says");
  check(all_done_.is_full() == (is_closed_ && num_connections_ == 0),
        "close_finished_and_handlers_determined() is wrong");
}

// Listening.

namespace {

void set_options(Unconnected_socket& socket, const Address::Any& address, bool on_all_addresses) {
  const auto* inet = std::get_if<Address::Inet>(&address);
  if (!inet) return;
  setopt(socket, Socket_opt::reuseaddr, true);
  if (inet->addr().version() == Ip_version::V6) {
    setopt(socket, Socket_opt::v6only, !on_all_addresses);
  }
  // Accepted sockets inherit these, so that they cost nothing for each.
  setopt(socket, Socket_opt::nodelay, true);
  setopt(socket, Socket_opt::keepalive, true);
  setopt(socket, Socket_opt::keepidle, std::chrono::seconds(60));
  setopt(socket, Socket_opt::keepintvl, std::chrono::seconds(10));
  setopt(socket, Socket_opt::keepcnt, 6);
  setopt(socket, Socket_opt::user_timeout, std::chrono::seconds(120));
}

Network::Family family_of(const Address::Any& address) {
  const auto* inet = std::get_if<Address::Inet>(&address);
  if (!inet) return Network::Family::Unix;
  return inet->addr().version() == Ip_version::V4 ? Network::Family::V4 : Network::Family::V6;
}

std::expected<std::shared_ptr<Listener>, std::error_code> try_to_listen(const Address::Any& address,
                                                                        bool on_all_addresses,
                                                                        int backlog) {
  auto socket = Network::current().create_socket(family_of(address));
  if (!socket) return std::unexpected(socket.error());
  set_options(**socket, address, on_all_addresses);
  if (const auto error = (*socket)->bind(address)) return std::unexpected(error);
  auto listener = (*socket)->listen(backlog);
  if (!listener) return std::unexpected(listener.error());
  return std::move(*listener);
}

}  // namespace

std::shared_ptr<Listener> listen(const Address::Any& address, bool on_all_addresses, int backlog) {
  auto listener = try_to_listen(address, on_all_addresses, backlog);
  const auto* inet = std::get_if<Address::Inet>(&address);
  if (!listener && on_all_addresses && inet) {
    // A machine without IPv6.
    const bool has_no_v6 = listener.error() == std::errc::address_family_not_supported ||
                           listener.error() == std::errc::address_not_available;
    if (has_no_v6) {
      listener = try_to_listen(Address::Inet(Inet_addr::bind_any(), inet->port()), true, backlog);
    }
  }
  if (!listener) throw Listen_error(listener.error(), address);
  return std::move(*listener);
}

int default_max_connections() {
  const int descriptors = Network::current().max_descriptors();
  return std::max(1, std::min(10'000, descriptors - descriptors / 10));
}

}  // namespace async::Tcp::internal
