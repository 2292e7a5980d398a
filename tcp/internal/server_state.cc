#include "tcp/internal/server_state.h"

#include <algorithm>
#include <cerrno>
#include <stdexcept>
#include <utility>

#include "async/coroutine.h"
#include "async/internal/keep.h"
#include "async/io/io_error.h"
#include "async/log.h"
#include "async/try_with.h"
#include "tcp/internal/listen.h"

namespace async::Tcp::internal {

using async::internal::engine;
using async::internal::With_context;

namespace {

constexpr std::chrono::milliseconds shortest_wait(5);
constexpr std::chrono::seconds longest_wait(1);
constexpr std::chrono::minutes between_messages(1);

// What handlers, and all that is started under them, find in their context.
const Scheduler::Local_key<Deferred<>> stopping_key;

Ref<async::internal::Context> context_with(const Deferred<>& stopping) {
  Ref<async::internal::Context> made;
  Scheduler::with_local(stopping_key, stopping, [&] { made = async::internal::kernel().current; });
  return made;
}

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
  const auto* failure = error.as<Connection_failure>();
  return failure && failure->connection() == connection;
}

void check_options(const std::vector<Place>& places, const Server_settings& settings) {
  if (places.empty()) throw std::invalid_argument("there is nowhere to listen");
  if (settings.max_connections < 1) {
    throw std::invalid_argument("max_connections is less than one");
  }
  if (settings.max_accepts_per_batch < 1) {
    throw std::invalid_argument("max_accepts_per_batch is less than one");
  }
  if (settings.limits.reader_buffer_size < 1) {
    throw std::invalid_argument("reader_buffer_size is zero");
  }
}

}  // namespace

Server_state::Server_state(const std::vector<Place>& places, int backlog, Server_settings settings,
                           Handler handler, On_error on_error)
    : settings_(std::move(settings)),
      handler_(std::move(handler)),
      on_error_(std::move(on_error)),
      context_(context_with(stopping_.read())),
      network_(Ref<Network>::share(&Network::current())),
      wait_for_descriptors_(shortest_wait) {
  check_options(places, settings_);
  for (const Place& place : places) {
    acceptors_.push_back(
        std::make_unique<Acceptor>(*this, listen(place, backlog, settings_.socket), place.address));
  }
}

void Server_state::start() noexcept {
  add_ref();  // until it is closed, and all clients are gone
  add_open(*this);
  listen_if_wanted();
}

Deferred<> Server_state::stopping() {
  const Deferred<>* stopping = Scheduler::find_local(stopping_key);
  return stopping ? *stopping : never();
}

std::string Server_state::where() const {
  std::string all;
  for (const auto& acceptor : acceptors_) {
    all += (all.empty() ? "" : " and ") + to_string(acceptor->address());
  }
  return all;
}

// Accepting.

void Server_state::pause() noexcept {
  if (stage_ != Stage::Accepting) return;
  stage_ = Stage::Paused;
  listen_if_wanted();
}

void Server_state::resume() noexcept {
  if (stage_ != Stage::Paused) return;
  stage_ = Stage::Accepting;
  listen_if_wanted();
}

bool Server_state::may_accept() const noexcept {
  return stage_ == Stage::Accepting && !is_waiting_for_descriptors_ &&
         (!is_full() || settings_.drop_incoming_connections);
}

void Server_state::listen_if_wanted() noexcept {
  if (is_closed()) return;
  const bool wanted = may_accept();
  for (const auto& acceptor : acceptors_) acceptor->listener()->want_ready(wanted);
}

void Server_state::line_up(Acceptor& acceptor) {
  if (std::ranges::find(line_, &acceptor) == line_.end()) line_.push_back(&acceptor);
}

// The sockets on which somebody waits take turns, also for places that are free only in later turns
// of the loop: so no crowd on one keeps out the clients of another.
void Server_state::accept_from(Acceptor& ready) noexcept {
  const auto alive = Ref<Server_state>::share(this);
  line_up(ready);
  for (const auto& acceptor : acceptors_) {
    if (!acceptor->is_linked()) continue;
    acceptor->unlink();
    line_up(*acceptor);
  }
  for (int i = 0; i < settings_.max_accepts_per_batch && may_accept() && !line_.empty(); ++i) {
    accept_next();
  }
  listen_if_wanted();
  if (is_full() && !is_closed()) {
    log_now_and_then(said_that_full_,
                     "the server on " + where() + " has reached max_connections: new clients " +
                         (settings_.drop_incoming_connections ? "are turned away" : "wait") +
                         " until one of its connections is closed");
  }
}

void Server_state::accept_next() noexcept {
  Acceptor& next = *line_.front();
  auto accepted = next.listener()->accept();
  if (accepted) {
    wait_for_descriptors_ = shortest_wait;
    std::rotate(line_.begin(), line_.begin() + 1, line_.end());
    admit(std::move(*accepted));
  } else if (accepted.error() == std::errc::operation_would_block) {
    line_.erase(line_.begin());
  } else if (is_shortage(accepted.error())) {
    wait_for_descriptors(accepted.error());
  } else if (!is_passing_accept_error(accepted.error())) {
    const Error error(Io_error(accepted.error(), "accept on " + to_string(next.address())));
    context_->monitor->receive(error);
    static_cast<void>(close(std::unexpected(error)));
  }
}

void Server_state::admit(Listener::Accepted accepted) noexcept {
  const With_context with(*context_);
  if (!settings_.access.permits(accepted.from)) {
    ++counts_.denied;
    turn_away(std::move(accepted.transport), accepted.from, Refused::Kind::Access_denied);
    return;
  }
  if (is_full()) {
    ++counts_.dropped;
    turn_away(std::move(accepted.transport), accepted.from, Refused::Kind::Server_full);
    return;
  }
  ++counts_.accepted;
  ++num_connections_;
  auto* client = new Client(Ref<Server_state>::share(this));
  clients_.push_back(*client);
  Scheduler::schedule(
      [client = Ref<Client>::share(client), accepted = std::move(accepted)]() mutable {
        client->start(std::move(accepted.transport), accepted.from);
      });
  // Its first steps are a cycle of their own, as is all that comes later.
  engine().run_cycle_and_flush_all();
}

void Server_state::turn_away(std::unique_ptr<Transport> transport, const Address::Any& from,
                             Refused::Kind why) noexcept {
  transport->close(Transport::How::Reset);
  tell([from, why](Observer& observer) { observer.refused(from, Error(Refused(why))); });
}

void Server_state::wait_for_descriptors(std::error_code error) noexcept {
  ++counts_.accept_errors;
  is_waiting_for_descriptors_ = true;
  log_now_and_then(said_that_out_of_descriptors_,
                   "the server on " + where() +
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
  listen_if_wanted();
}

void Server_state::log_now_and_then(std::optional<Time_ns>& last, const std::string& message) {
  const With_context with(*context_);
  const Time_ns now = Clock::now();
  if (last && now - *last < between_messages) return;
  last = now;
  Log::info(message);
}

// Serving.

void Server_state::upgrade_failed(const Address::Any& from, const Error& error) noexcept {
  ++counts_.upgrade_errors;
  Log::debug("a client at " + to_string(from) + " failed: " + error.what());
  tell([from, error](Observer& observer) { observer.refused(from, error); });
}

void Server_state::handle_error(const Connection_info& connection, const Error& error) noexcept {
  if (is_of_connection(error, connection.number)) {
    ++counts_.peer_errors;
    Log::debug(std::string("a client failed: ") + error.what());
    tell([connection, error](Observer& observer) { observer.peer_error(connection, error); });
    return;
  }
  ++counts_.handler_errors;
  try {
    on_error_(connection.remote, error);
  } catch (...) {
    const Error why = Error::current();
    static_cast<void>(close(std::unexpected(why)));
    context_->monitor->receive(why);
  }
}

void Server_state::client_is_gone() noexcept {
  --num_connections_;
  listen_if_wanted();
  check_all_done();
}

void Server_state::invariant() const {
  const auto check = [](bool holds, const char* what) {
    if (!holds) throw std::logic_error(std::string("Tcp::Server: ") + what);
  };
  check(num_connections_ >= 0, "the number of connections is negative");
  check(num_connections_ <= settings_.max_connections, "there are too many connections");
  check(counts_.accepted >= static_cast<std::uint64_t>(num_connections_),
        "more open than accepted");
  check(is_closed() == closed_.is_full(), "close_finished() is not what is_closed() says");
  check(is_closed() == stopped_.is_full(), "stopped() is not what is_closed() says");
  check(all_done_.is_full() == (is_closed() && num_connections_ == 0),
        "close_finished_and_handlers_determined() is wrong");
  check(line_.size() <= acceptors_.size(), "a socket is in line twice");
  check(!stop_ || is_closed(), "it listens though it was stopped");
}

int default_max_connections() {
  const int descriptors = Network::current().max_descriptors();
  return std::max(1, std::min(10'000, descriptors - descriptors / 10));
}

}  // namespace async::Tcp::internal
