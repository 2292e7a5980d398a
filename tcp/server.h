// tcp/server.h: listening, and a handler for every client that connects.
//
// Layer: tcp.  Read next: where_to_listen.h, on_handler_error.h; internal/server_state.h for how it
// works.

#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "async/deferred.h"
#include "reader_writer/reader.h"
#include "reader_writer/writer.h"
#include "tcp/internal/server_state.h"
#include "tcp/listen_error.h"
#include "tcp/on_handler_error.h"
#include "tcp/socket.h"
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
};

struct Close_options {
  /// Whether to close the connections that there are as well: what was written on them is flushed,
  /// and reads end.
  bool close_existing_connections = false;
};

/// A server that listens on an address of type `A`, and shows that as an `L`: `Server::Inet` shows
/// the port, `Server::Unix` the path.  It is a handle: copies share the server, and dropping one
/// closes nothing.
template <class A, class L>
class T {
 public:
  /// `listening_on()` is the port, or the path.
  L listening_on() const { return where_.listening_on(listening_on_address()); }
  A listening_on_address() const { return std::get<A>(state_->address()); }

  /// `close()` stops listening, and is determined when the listening socket is closed.  The handler
  /// is not called any more.  Connections that there are go on, unless the options say otherwise.
  /// Calling it again returns the same deferred.
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

  /// `listening_socket()` should be used with care: what is accepted from it circumvents
  /// `max_connections` and `on_handler_error`.
  Socket<Socket_state::Passive, A> listening_socket() const {
    return Socket<Socket_state::Passive, A>(state_->listener());
  }

  /// `num_connections()` is the number of clients that have a place: their handlers are not
  /// determined, or their connections not closed.
  int num_connections() const noexcept { return state_->num_connections(); }
  int max_connections() const noexcept { return state_->settings().max_connections; }
  const Counts& counts() const noexcept { return state_->counts(); }

  /// `invariant()` throws `std::logic_error` if the server is not consistent.  For tests.
  void invariant() const { state_->invariant(); }

 private:
  template <class A2, class L2, class F>
  friend Deferred<T<A2, L2>> create_with(Where_to_listen<A2, L2> where, Options<A2> options, F f);

  T(Where_to_listen<A, L> where, async::internal::Ref<internal::Server_state> state)
      : where_(std::move(where)), state_(std::move(state)) {}

  Where_to_listen<A, L> where_;
  async::internal::Ref<internal::Server_state> state_;
};

using Inet = T<Address::Inet, int>;
using Unix = T<Address::Unix, std::string>;

template <class A, class L>
std::string to_string(const T<A, L>& server) {
  return std::string("server on ") + to_string(server.listening_on_address()) + ", " +
         std::to_string(server.num_connections()) + " of " +
         std::to_string(server.max_connections()) + " connections" +
         (server.is_closed() ? ", closed" : "");
}

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
/// client's
///   handler is not scoped: an error under it closes its connection while it may still run.
///   Its place is free only when it is determined and the descriptor is closed.
/// - Limits: when descriptors run out, clients wait in the system's queue until one is free.
template <class A, class L, class F>
Deferred<T<A, L>> create(Where_to_listen<A, L> where, std::type_identity_t<Options<A>> options,
                         F handler);
template <class A, class L, class F>
Deferred<T<A, L>> create(Where_to_listen<A, L> where, F handler) {
  return create(std::move(where), Options<A>(), std::move(handler));
}

/// `create_sock(where, options, handler)` is the same, but calls `handler(address, socket)`.
template <class A, class L, class F>
Deferred<T<A, L>> create_sock(Where_to_listen<A, L> where, std::type_identity_t<Options<A>> options,
                              F handler);
template <class A, class L, class F>
Deferred<T<A, L>> create_sock(Where_to_listen<A, L> where, F handler) {
  return create_sock(std::move(where), Options<A>(), std::move(handler));
}

// Bodies.

template <class A, class L, class F>
Deferred<T<A, L>> create_with(Where_to_listen<A, L> where, Options<A> options, F handler) {
  using internal::Server_state;
  const int max_connections = options.max_connections.value_or(internal::default_max_connections());
  if (max_connections < 1) throw std::invalid_argument("max_connections is less than one");
  if (options.max_accepts_per_batch < 1) {
    throw std::invalid_argument("max_accepts_per_batch is less than one");
  }
  if (options.reader_buffer_size < 1) throw std::invalid_argument("reader_buffer_size is zero");
  auto listener =
      internal::listen(where.address(), where.on_all_addresses(), options.max_pending_connections);
  const Address::Any address = async::internal::name_of_this_side(*listener);
  auto state = async::internal::Ref<Server_state>::adopt(new Server_state(
      std::move(listener), address,
      {.max_connections = max_connections,
       .max_accepts_per_batch = options.max_accepts_per_batch,
       .limits = {.buffer_age_limit = options.buffer_age_limit,
                  .buffer_limit = options.buffer_limit,
                  .reader_buffer_size = options.reader_buffer_size},
       .proxy_protocol = std::move(options.proxy_protocol),
       .tls = std::move(options.tls),
       .tls_timeout = options.tls_timeout},
      [handler = std::move(handler)](const Address::Any& from,
                                     async::internal::Connection_handle connection) mutable {
        return handler(std::get<A>(from), std::move(connection));
      },
      [policy = std::move(options.on_handler_error)](const Address::Any& from, const Error& error) {
        policy.handle(std::get<A>(from), error);
      }));
  state->start();
  co_return T<A, L>(std::move(where), std::move(state));
}

template <class A, class L, class F>
Deferred<T<A, L>> create(Where_to_listen<A, L> where, std::type_identity_t<Options<A>> options,
                         F handler) {
  return create_with(
      std::move(where), std::move(options),
      [handler = std::move(handler)](const A& from,
                                     const async::internal::Connection_handle& connection) mutable
          -> Deferred<> { return handler(from, Reader(connection), Writer(connection)); });
}

template <class A, class L, class F>
Deferred<T<A, L>> create_sock(Where_to_listen<A, L> where, std::type_identity_t<Options<A>> options,
                              F handler) {
  return create_with(
      std::move(where), std::move(options),
      [handler = std::move(handler)](const A& from,
                                     const async::internal::Connection_handle& connection) mutable
          -> Deferred<> { return handler(from, Socket<Socket_state::Active, A>(connection)); });
}

}  // namespace async::Tcp::Server
