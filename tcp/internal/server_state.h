// tcp/internal/server_state.h: a server at work, whatever its addresses are.
//
// Layer: tcp.  Read next: tcp/server.h for the public face.
//
// A client is in one of two places: in the kernel's queue, or here, where it has one of
// `max_connections` slots from the moment it is accepted until its handler is determined *and* its
// descriptor is closed.  While no slot is free the listener is not watched.

#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "async/clock.h"
#include "async/internal/ends_with_scheduler.h"
#include "async/io/network.h"
#include "async/ivar.h"
#include "reader_writer/internal/connection_handle.h"
#include "tcp/internal/client.h"
#include "tcp/upgrade.h"

namespace async::Tcp::internal {

using async::internal::Connection;

/// What a server has seen so far.
struct Server_counts {
  std::uint64_t accepted = 0;        // connections
  std::uint64_t handler_errors = 0;  // errors of handlers that were not their peers' doing
  std::uint64_t peer_errors = 0;     // errors that were: resets, limits
  std::uint64_t upgrade_errors = 0;  // connections that failed before a handler saw them
  std::uint64_t accept_errors = 0;  // times that accepting failed for want of descriptors or memory
  std::uint64_t bytes_dropped = 0;  // written by handlers, and never taken over by the system
};

struct Server_settings {
  int max_connections;
  int max_accepts_per_batch;
  Connection_limits limits;
  std::shared_ptr<const Upgrade> proxy_protocol;
  std::shared_ptr<const Upgrade> tls;
  Span tls_timeout;
};

class Server_state final : public async::internal::Shared,
                           public async::internal::Turn_task,
                           public async::internal::Ends_with_scheduler {
 public:
  /// Called with each client.  May throw.
  using Handler = std::move_only_function<Deferred<>(const Address::Any&, Connection_handle)>;
  /// Called with each error of a handler.  If it throws, the server stops.
  using On_error = std::function<void(const Address::Any&, const Error&)>;

  Server_state(std::shared_ptr<Listener> listener, Address::Any address, Server_settings settings,
               Handler handler, On_error on_error);

  /// `start()` begins to accept.
  void start() noexcept;

  /// `close()` stops listening, and `close_connections()` closes all that there are.
  Deferred<> close() noexcept;
  void close_connections() noexcept;
  Deferred<> close_finished() { return closed_.read(); }
  Deferred<> close_finished_and_handlers_determined() { return all_done_.read(); }
  bool is_closed() const noexcept { return is_closed_; }

  const std::shared_ptr<Listener>& listener() const noexcept { return listener_; }
  const Address::Any& address() const noexcept { return address_; }
  const Server_settings& settings() const noexcept { return settings_; }
  const Ref<async::internal::Context>& context() const noexcept { return context_; }
  int num_connections() const noexcept { return num_connections_; }
  const Server_counts& counts() const noexcept { return counts_; }
  void invariant() const;

  // For its clients.
  Handler& handler() noexcept { return handler_; }
  /// `upgrade(accepted)` is determined with what `proxy_protocol` and `tls` made of it; with
  /// nothing if they failed.
  Deferred<std::optional<Listener::Accepted>> upgrade(Listener::Accepted accepted);
  void handle_error(const Address::Any& from, const Error& error,
                    std::uint64_t connection) noexcept;
  void add_bytes_dropped(std::uint64_t n) noexcept { counts_.bytes_dropped += n; }
  void client_is_gone() noexcept;

  void run_in_turn() noexcept override;
  void scheduler_ends() noexcept override;

 private:
  ~Server_state() override = default;

  bool accept_one() noexcept;
  void admit(Listener::Accepted accepted) noexcept;
  void wait_for_descriptors(std::error_code error) noexcept;
  Deferred<> go_on_after_a_while(Ref<Server_state> self);
  void look_at_limit() noexcept;
  void stop_listening() noexcept;
  void check_all_done() noexcept;
  void log_now_and_then(std::optional<Time_ns>& last, const std::string& message);

  const std::shared_ptr<Listener> listener_;
  const Address::Any address_;
  const Server_settings settings_;
  Handler handler_;
  const On_error on_error_;
  const Ref<async::internal::Context> context_;
  const Ref<Network> network_;

  bool is_closed_ = false;
  bool is_waiting_for_descriptors_ = false;
  int num_connections_ = 0;
  async::internal::List<Client> clients_;
  Server_counts counts_;
  Span wait_for_descriptors_;
  std::optional<Time_ns> said_that_full_;
  std::optional<Time_ns> said_that_out_of_descriptors_;
  Ivar<> closed_;
  Ivar<> all_done_;
};

/// `listen(address, on_all_addresses, backlog)` makes a socket that listens there.  Errors: throws
/// `Listen_error`.
std::shared_ptr<Listener> listen(const Address::Any& address, bool on_all_addresses, int backlog);

/// `default_max_connections()` is the smaller of 10,000 and nine tenths of the descriptors that
/// this process may have.
int default_max_connections();

}  // namespace async::Tcp::internal
