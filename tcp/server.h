// tcp/server.h: listening, and a handler for every client that connects.
//
// Layer: tcp.  Read next: where_to_listen.h, on_handler_error.h, stop_report.h;
// internal/server_state.h for how it works.

#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "async/deferred.h"
#include "async/or_error.h"
#include "reader_writer/reader.h"
#include "reader_writer/writer.h"
#include "tcp/access.h"
#include "tcp/internal/server_state.h"
#include "tcp/listen_error.h"
#include "tcp/observer.h"
#include "tcp/on_handler_error.h"
#include "tcp/socket.h"
#include "tcp/socket_options.h"
#include "tcp/stop_report.h"
#include "tcp/where_to_listen.h"

/// Servers.  (In OCaml a module; the type of a server is `Server::T`.)
namespace async::Tcp::Server {

using Counts = internal::Server_counts;

template <class A>
struct Options {
  /// How many clients are served at the same time, at least one.  Others wait in the system's
  /// queue, and are not accepted before a place is free.  The default is the smaller of 10,000 and
  /// nine tenths of the descriptors that the process may have.
  std::optional<int> max_connections = std::nullopt;
  /// How many clients may wait in the system's queue; see listen(2).  The system may lower it.
  int max_pending_connections = default_backlog;
  /// How many clients are accepted in one turn of the loop.
  int max_accepts_per_batch = 32;
  /// See `Writer`.
  Buffer_age_limit buffer_age_limit = {};
  /// What to do with an error of the handler.
  Handler_error_policy<A> on_handler_error = On_handler_error::raise();
  /// How many bytes are read from the system at once, at least one.
  std::size_t reader_buffer_size = 64 * 1024;
  /// See `Writer`.
  std::size_t buffer_limit = 16 * 1024 * 1024;
  /// What comes before anything else, `tls` included: the PROXY protocol, by which the handler is
  /// given the address that a proxy has accepted the client from, if it is one of type `A`.  Null
  /// for nothing.  (The field is named after the upgrade that it is there for.)
  std::shared_ptr<const Upgrade> proxy_protocol = nullptr;
  /// What to make of a connection before the handler sees it; null for nothing.  It has
  /// `tls_timeout` for that, together with `proxy_protocol`.
  std::shared_ptr<const Upgrade> tls = nullptr;
  Span tls_timeout = std::chrono::seconds(30);
  /// Whether clients beyond `max_connections` are accepted and closed at once, by a reset, rather
  /// than left to wait in the system's queue.  Each is counted as `dropped`.
  bool drop_incoming_connections = false;
  /// Which networks clients may come from.  Others are closed at once, by a reset, before anything
  /// else is done for them; they take no place, and are counted as `denied`.
  Access access = {};
  /// Who is told what happens; null for nobody.  It hears of a client before the handler is called.
  /// What it raises then is an error of the handler, which is not called; what it raises when it
  /// hears of anything else goes to the monitor that was current when the server was created.
  std::shared_ptr<Observer> observer = nullptr;
  /// Options of the listening sockets, which those of clients have from them, besides those that
  /// all servers set: `reuseaddr`, for clients `nodelay`, keepalive after 60 s, every 10 s, 6
  /// times, and a `user_timeout` of 120 s.
  Socket_options socket = {};
  /// See `Writer::set_idle_timeout`: without it, a silent client keeps its place.
  std::optional<Span> idle_timeout = std::nullopt;
  /// See `Writer::set_max_lifetime`.
  std::optional<Span> max_lifetime = std::nullopt;
};

struct Close_options {
  /// Whether to close the connections that there are as well: what was written on them is flushed,
  /// and reads end.
  bool close_existing_connections = false;
};

/// A server that listens on addresses of type `A`, and shows each as an `L`: `Server::Inet` shows
/// the port, `Server::Unix` the path.  It is a handle: copies share the server, and dropping one
/// closes nothing.
///
/// - Scheduling: everything here may be called from handlers, again, and once the server is closed.
template <class A, class L>
class T {
 public:
  /// `listening_on()` is the port, or the path: the first, if there are several.
  /// `listening_on_all()` are all of them, in the order in which they were given.
  L listening_on() const { return where_.front().listening_on(listening_on_address()); }
  A listening_on_address() const { return address_of(*state_->acceptors().front()); }
  std::vector<L> listening_on_all() const {
    std::vector<L> all;
    all.reserve(where_.size());
    for (std::size_t i = 0; i < where_.size(); ++i) {
      all.push_back(where_[i].listening_on(address_of(*state_->acceptors()[i])));
    }
    return all;
  }

  /// `pause()` accepts nobody until `resume()`: clients wait in the system's queue.  Those that
  /// were accepted are served.
  void pause() const { state_->pause(); }
  void resume() const { state_->resume(); }
  bool is_paused() const noexcept { return state_->is_paused(); }

  /// `close()` stops listening, and is determined when the listening sockets are closed.  The
  /// handler is not called any more.  Connections that there are go on, unless the options say
  /// otherwise.  Calling it again returns the same deferred.
  Deferred<> close(Close_options options = {}) const {
    if (options.close_existing_connections) state_->close_connections();
    return state_->close();
  }
  /// `close_finished()` is determined when `close()` is, but closes nothing.
  Deferred<> close_finished() const { return state_->close_finished(); }
  /// `close_finished_and_handlers_determined()` is determined when, after that, all handlers are
  /// determined and their connections closed.
  Deferred<> close_finished_and_handlers_determined() const {
    return state_->close_finished_and_handlers_determined();
  }
  bool is_closed() const noexcept { return state_->is_closed(); }

  /// `stop(options)` stops listening, as `close()` does, and ends the server in good order: it
  /// determines `stopping()` for the handlers, waits for them and their connections up to
  /// `options.wait`, and aborts the connections that are left, by which reads end and writes are
  /// discarded.  It is determined with what that did, at the latest `options.wait_after_abort`
  /// later.
  ///
  ///     const auto report = co_await server.stop({.wait = 10s});
  ///
  /// Calling it again returns the same deferred.  If `options.wait` from then on is over sooner, it
  /// counts.  A handler that waits for this waits for itself.
  Deferred<Stop_report> stop(Stop_options options = {}) const { return state_->stop(options); }

  /// `stop_with(error)` is `close()`, and says why: see `stopped()`.
  Deferred<> stop_with(const Error& error) const { return state_->close(std::unexpected(error)); }

  /// `stopped()` is determined when listening has ended: with the error if that is why.  It is one
  /// of accepting, or of a handler, which both go to the monitor as well; or that of `stop_with`,
  /// which does not.  Connections that there are go on.
  Deferred<Or_error<void>> stopped() const { return state_->stopped(); }

  /// `listening_socket()` is the first one.  It should be used with care: what is accepted from it
  /// circumvents `max_connections` and `on_handler_error`.  Closing it closes the server.
  Socket<Socket_state::Passive, A> listening_socket() const {
    return Socket<Socket_state::Passive, A>(state_->acceptors().front()->listener());
  }

  /// `num_connections()` is the number of clients that have a place: their handlers are not
  /// determined, or their connections not closed.
  int num_connections() const noexcept { return state_->num_connections(); }
  int max_connections() const noexcept { return state_->settings().max_connections; }
  const Counts& counts() const noexcept { return state_->counts(); }

  /// `invariant()` throws `std::logic_error` if the server is not consistent.  For tests.
  void invariant() const { state_->invariant(); }

  friend std::string to_string(const T& server) {
    return "server on " + server.state_->where() + ", " + std::to_string(server.num_connections()) +
           " of " + std::to_string(server.max_connections()) + " connections" +
           (server.is_closed() ? ", closed" : "");
  }

 private:
  template <class A2, class L2, class F>
  friend Deferred<T<A2, L2>> create_with(std::vector<Where_to_listen<A2, L2>> where,
                                         Options<A2> options, F f);

  static const A& address_of(const internal::Acceptor& acceptor) {
    return internal::address_as<A>(acceptor.address());
  }

  T(std::vector<Where_to_listen<A, L>> where, async::internal::Ref<internal::Server_state> state)
      : where_(std::move(where)), state_(std::move(state)) {}

  std::vector<Where_to_listen<A, L>> where_;
  async::internal::Ref<internal::Server_state> state_;
};

using Inet = T<Address::Inet, int>;
using Unix = T<Address::Unix, std::string>;
/// One that listens on addresses of several kinds: see `Where_to_listen::as_any`.
using Any = T<Address::Any, Address::Any>;

/// `stopping()` is determined when the server is stopped under whose handler this is called, or
/// anything that a handler has started; it never is elsewhere.  A handler that goes on for long
/// waits for it as well as for its client:
///
///     co_await choose(choice(next_request, ...),
///                     choice(Tcp::Server::stopping(), [&] { return say_goodbye(writer); }));
inline Deferred<> stopping() { return internal::Server_state::stopping(); }

/// `create(where, options, handler)` is determined with a server that listens.  It calls
/// `handler(address, reader, writer)` for each client; when what that returned is determined, or it
/// raises, the connection is flushed and closed.
///
///     auto server = co_await Tcp::Server::create(
///         Tcp::on_port(7), {.max_connections = 100},
///         [](Address::Inet, Reader reader, Writer writer) { return echo(reader, writer); });
///
/// - Scheduling: each handler runs under a monitor of its own.
/// - Errors: fails with `Listen_error`, whose kind is `Address_in_use` if somebody else listens
///   there, or with `std::invalid_argument` for a number in `options` that is below one.
///   What a handler raises, or anything started under it, or its writer, is an error of the
///   handler, and goes to `on_handler_error`, unless it is an I/O or limit error of its own
///   connection: that is the peer's doing, ends the connection, and is counted.  That the peer has
///   left is no error of the writer here.
/// - Lifetime: `handler` lives until the server is closed and all handlers are determined.  One
///   client's handler is not scoped: an error under it closes its connection while it may still
///   run.  Its place is free only when it is determined and the descriptor is closed.
/// - Limits: when descriptors run out, clients wait in the system's queue until one is free.
///
/// Given several places, the one server listens on all of them, and `max_connections` is for all
/// together; clients of all get their turn.  If it cannot listen on one of them, it listens
/// nowhere.
///
///     Tcp::Server::create(std::vector{Tcp::on_port(80), Tcp::on_port(8080)}, handler)
template <class A, class L, class F>
Deferred<T<A, L>> create(std::vector<Where_to_listen<A, L>> where,
                         std::type_identity_t<Options<A>> options, F handler);
template <class A, class L, class F>
Deferred<T<A, L>> create(Where_to_listen<A, L> where, std::type_identity_t<Options<A>> options,
                         F handler) {
  return create(std::vector{std::move(where)}, std::move(options), std::move(handler));
}
template <class A, class L, class F>
Deferred<T<A, L>> create(Where_to_listen<A, L> where, F handler) {
  return create(std::move(where), Options<A>(), std::move(handler));
}
template <class A, class L, class F>
Deferred<T<A, L>> create(std::vector<Where_to_listen<A, L>> where, F handler) {
  return create(std::move(where), Options<A>(), std::move(handler));
}

/// `create_sock(where, options, handler)` is the same, but calls `handler(address, socket)`.
template <class A, class L, class F>
Deferred<T<A, L>> create_sock(std::vector<Where_to_listen<A, L>> where,
                              std::type_identity_t<Options<A>> options, F handler);
template <class A, class L, class F>
Deferred<T<A, L>> create_sock(Where_to_listen<A, L> where, std::type_identity_t<Options<A>> options,
                              F handler) {
  return create_sock(std::vector{std::move(where)}, std::move(options), std::move(handler));
}
template <class A, class L, class F>
Deferred<T<A, L>> create_sock(Where_to_listen<A, L> where, F handler) {
  return create_sock(std::move(where), Options<A>(), std::move(handler));
}
template <class A, class L, class F>
Deferred<T<A, L>> create_sock(std::vector<Where_to_listen<A, L>> where, F handler) {
  return create_sock(std::move(where), Options<A>(), std::move(handler));
}

// Bodies.

template <class A, class L, class F>
Deferred<T<A, L>> create_with(std::vector<Where_to_listen<A, L>> where, Options<A> options,
                              F handler) {
  using internal::Server_state;
  std::vector<internal::Place> places;
  places.reserve(where.size());
  for (const auto& one : where) places.push_back(one.place());
  auto state = async::internal::Ref<Server_state>::adopt(new Server_state(
      places, options.max_pending_connections,
      {.max_connections = options.max_connections.value_or(internal::default_max_connections()),
       .max_accepts_per_batch = options.max_accepts_per_batch,
       .drop_incoming_connections = options.drop_incoming_connections,
       .access = std::move(options.access),
       .observer = std::move(options.observer),
       .socket = std::move(options.socket),
       .limits = {.buffer_age_limit = options.buffer_age_limit,
                  .buffer_limit = options.buffer_limit,
                  .reader_buffer_size = options.reader_buffer_size,
                  .idle_timeout = options.idle_timeout,
                  .max_lifetime = options.max_lifetime},
       .proxy_protocol = std::move(options.proxy_protocol),
       .tls = std::move(options.tls),
       .tls_timeout = options.tls_timeout},
      [handler = std::move(handler)](const Address::Any& from,
                                     async::internal::Connection_handle connection) mutable {
        return handler(internal::address_as<A>(from), std::move(connection));
      },
      [policy = std::move(options.on_handler_error)](const Address::Any& from, const Error& error) {
        policy.handle(internal::address_as<A>(from), error);
      }));
  state->start();
  co_return T<A, L>(std::move(where), std::move(state));
}

template <class A, class L, class F>
Deferred<T<A, L>> create(std::vector<Where_to_listen<A, L>> where,
                         std::type_identity_t<Options<A>> options, F handler) {
  return create_with(
      std::move(where), std::move(options),
      [handler = std::move(handler)](const A& from,
                                     const async::internal::Connection_handle& connection) mutable
          -> Deferred<> { return handler(from, Reader(connection), Writer(connection)); });
}

template <class A, class L, class F>
Deferred<T<A, L>> create_sock(std::vector<Where_to_listen<A, L>> where,
                              std::type_identity_t<Options<A>> options, F handler) {
  return create_with(
      std::move(where), std::move(options),
      [handler = std::move(handler)](const A& from,
                                     const async::internal::Connection_handle& connection) mutable
          -> Deferred<> { return handler(from, Socket<Socket_state::Active, A>(connection)); });
}

}  // namespace async::Tcp::Server
