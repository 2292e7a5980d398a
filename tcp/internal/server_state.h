// tcp/internal/server_state.h: a server at work, whatever its addresses are.
//
// Layer: tcp.  Read next: acceptor.h, client.h; tcp/server.h for the public face.
//
// A client is in one of two places: in the kernel's queue, or here, where it has one of
// `max_connections` slots from the moment it is accepted until its handler is determined *and* its
// descriptor is closed.  While no slot is free, no listener is watched, unless clients are to be
// dropped then.
//
// Listening goes through stages:
//
//     Accepting <--pause(), resume()--> Paused
//         \                               \
//          \--close(), an error ---------->\--> Closed
//
// A graceful stop is Closed at once; what it waits for is that all clients are gone.

#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "async/clock.h"
#include "async/internal/ends_with_scheduler.h"
#include "async/io/network.h"
#include "async/ivar.h"
#include "async/or_error.h"
#include "async/scheduler.h"
#include "reader_writer/internal/connection_handle.h"
#include "tcp/access.h"
#include "tcp/internal/acceptor.h"
#include "tcp/internal/client.h"
#include "tcp/internal/place.h"
#include "tcp/observer.h"
#include "tcp/refused.h"
#include "tcp/socket_options.h"
#include "tcp/stop_report.h"
#include "tcp/upgrade.h"

namespace async::Tcp::internal {

using async::internal::Connection;
using Server::Stop_options;
using Server::Stop_report;

/// What a server has seen so far.
struct Server_counts {
  std::uint64_t accepted = 0;        // connections that got a place
  std::uint64_t handler_errors = 0;  // errors of handlers that were not their peers' doing
  std::uint64_t peer_errors = 0;     // errors that were: resets, limits
  std::uint64_t upgrade_errors = 0;  // connections that failed before a handler saw them
  std::uint64_t accept_errors = 0;  // times that accepting failed for want of descriptors or memory
  std::uint64_t bytes_dropped = 0;  // written by handlers, and never taken over by the system
  std::uint64_t denied = 0;         // connections that were closed at once: by `access`
  std::uint64_t dropped = 0;        // or because the server was full
};

struct Server_settings {
  int max_connections;
  int max_accepts_per_batch;
  bool drop_incoming_connections;
  Access access;
  std::shared_ptr<Observer> observer;
  Socket_options socket;
  Connection_limits limits;
  std::shared_ptr<const Upgrade> proxy_protocol;
  std::shared_ptr<const Upgrade> tls;
  Span tls_timeout;
};

class Server_state final : public async::internal::Shared,
                           public async::internal::Ends_with_scheduler {
 public:
  /// Called with each client.  May throw.
  using Handler = std::move_only_function<Deferred<>(const Address::Any&, Connection_handle)>;
  /// Called with each error of a handler.  If it throws, the server stops.
  using On_error = std::function<void(const Address::Any&, const Error&)>;

  /// `Server_state(places, backlog, ...)` listens on all of `places`.  Errors: throws
  /// `Listen_error`, or `std::invalid_argument`, and then listens nowhere.
  Server_state(const std::vector<Place>& places, int backlog, Server_settings settings,
               Handler handler, On_error on_error);

  /// `start()` begins to accept.
  void start() noexcept;

  // While listening.

  void pause() noexcept;
  void resume() noexcept;
  bool is_paused() const noexcept { return stage_ == Stage::Paused; }

  // Ending.

  /// `close()` stops listening, and `close_connections()` closes all that there are.
  Deferred<> close() noexcept { return close(Or_error<void>()); }
  /// `close(how)` is what `stopped()` is then determined with.
  Deferred<> close(Or_error<void> how) noexcept;
  void close_connections() noexcept;
  Deferred<Stop_report> stop(Stop_options options);
  Deferred<Or_error<void>> stopped() { return stopped_.read(); }
  Deferred<> close_finished() { return closed_.read(); }
  Deferred<> close_finished_and_handlers_determined() { return all_done_.read(); }
  bool is_closed() const noexcept { return stage_ == Stage::Closed; }
  /// `stopping()` is that of the server under which the current code runs.
  static Deferred<> stopping();

  /// There is at least one, in the order of the places.
  const std::vector<std::unique_ptr<Acceptor>>& acceptors() const noexcept { return acceptors_; }
  /// `where()` names all addresses.
  std::string where() const;
  const Server_settings& settings() const noexcept { return settings_; }
  const Ref<async::internal::Context>& context() const noexcept { return context_; }
  int num_connections() const noexcept { return num_connections_; }
  const Server_counts& counts() const noexcept { return counts_; }
  void invariant() const;

  // For its acceptors.

  /// `accept_from(ready)` is called at the end of a turn in which somebody waits there.
  void accept_from(Acceptor& ready) noexcept;

  // For its clients.

  Handler& handler() noexcept { return handler_; }
  /// `upgrade_failed(from, error)` is for one whom `proxy_protocol` or `tls` have refused.
  void upgrade_failed(const Address::Any& from, const Error& error) noexcept;
  void turn_away(std::unique_ptr<Transport> transport, const Address::Any& from,
                 Refused::Kind why) noexcept;
  void handle_error(const Connection_info& connection, const Error& error) noexcept;
  void add_bytes_dropped(std::uint64_t n) noexcept { counts_.bytes_dropped += n; }
  void client_is_gone() noexcept;
  /// `tell(f)` has `f(observer)` called in a job of its own in the current context, if there is an
  /// observer.
  template <class F>
  void tell(F f) {
    if (const auto& observer = settings_.observer) {
      Scheduler::schedule([observer, f = std::move(f)] { f(*observer); });
    }
  }

  void scheduler_ends() noexcept override;

 private:
  enum class Stage : unsigned char { Accepting, Paused, Closed };

  struct Graceful_stop {
    Clock::Event bound;
    Deferred<Stop_report> report;
  };

  ~Server_state() override = default;

  // Accepting.
  bool is_full() const noexcept { return num_connections_ >= settings_.max_connections; }
  bool may_accept() const noexcept;
  void line_up(Acceptor& acceptor);
  void accept_next() noexcept;
  void accept_failed(std::error_code error) noexcept;
  void admit(Listener::Accepted accepted) noexcept;
  void wait_for_descriptors(std::error_code error) noexcept;
  Deferred<> go_on_after_a_while(Ref<Server_state> self);
  void listen_if_wanted() noexcept;
  void log_now_and_then(std::optional<Time_ns>& last, const std::string& message);

  // Ending.
  void stop_listening() noexcept;
  void check_all_done() noexcept;
  static Deferred<Stop_report> stop_within(Ref<Server_state> self, Clock::Event bound,
                                           Span wait_after_abort);
  int num_served() noexcept;
  std::uint64_t bytes_dropped_so_far() noexcept;

  const Server_settings settings_;
  Handler handler_;
  const On_error on_error_;
  const Ivar<> stopping_;
  const Ref<async::internal::Context> context_;  // in which `stopping()` finds that
  const Ref<Network> network_;

  Stage stage_ = Stage::Accepting;
  bool is_waiting_for_descriptors_ = false;
  std::vector<std::unique_ptr<Acceptor>> acceptors_;
  std::vector<Acceptor*> line_;  // those on which somebody may wait, who waits longest first
  int num_connections_ = 0;
  async::internal::List<Client> clients_;
  Server_counts counts_;
  Span wait_for_descriptors_;
  std::optional<Time_ns> said_that_full_;
  std::optional<Time_ns> said_that_out_of_descriptors_;
  std::optional<Graceful_stop> stop_;
  const Ivar<Or_error<void>> stopped_;
  const Ivar<> closed_;
  const Ivar<> all_done_;
};

/// `default_max_connections()` is the smaller of 10,000 and nine tenths of the descriptors that
/// this process may have.
int default_max_connections();

}  // namespace async::Tcp::internal
