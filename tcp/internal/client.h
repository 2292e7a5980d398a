// tcp/internal/client.h: a client of a server, for as long as it has a place there.
//
// Layer: tcp.  Read next: server_state.h.

#pragma once

#include <memory>
#include <optional>

#include "async/deferred.h"
#include "async/internal/thread_state.h"
#include "async/io/network.h"
#include "reader_writer/internal/connection_handle.h"
#include "reader_writer/observer.h"
#include "tcp/stop.h"
#include "tcp/upgrade.h"

namespace async::Tcp::internal {

using async::internal::Connection_handle;
using async::internal::Ref;

class Server_state;
struct Server_settings;

/// A `Client` is the monitor under which its handler runs, and it waits for one thing after
/// another:
///
///     Upgrading --upgraded--> Serving --the handler is determined--> Closing --closed--> gone
///
/// The first error while it is Serving begins to close the connection; what comes later goes to
/// the log.  There are as many of these as connections, so it is one small object, and no
/// coroutine.
class Client final : public async::internal::Monitor_core,
                     public async::internal::Waiter,
                     public async::internal::List_link {
 public:
  /// It belongs to the server's list, until it is gone.
  explicit Client(Ref<Server_state> server);

  /// `start(transport, from)` is called in a job of the server.
  void start(std::unique_ptr<Transport> transport, const Address::Any& from) noexcept;

  /// `connection()` is there while it is Serving and Closing.
  const std::optional<Connection_handle>& connection() const noexcept { return connection_; }

  /// `close()` closes its connection in order, and `abort()` at once, if it has one already.
  void close() noexcept;
  void abort() noexcept;

  /// `scheduler_ends()` lets go of everything, this included.
  void scheduler_ends() noexcept;

 private:
  enum class Stage : unsigned char { Upgrading, Serving, Closing };

  /// What there is while it is Upgrading.
  struct Upgrading : async::internal::Pooled {
    Upgrading(const Server_settings& settings, Deferred<> interrupt, Address::Any from);

    const Tcp::Stop stop;
    Address::Any from;
    const Upgrade* next;
  };

  ~Client() override;

  void upgrade(std::unique_ptr<Transport> transport) noexcept;
  void upgraded(async::internal::Cell_base& result) noexcept;
  void upgrade_failed(const Error& error) noexcept;
  void serve(std::unique_ptr<Transport> transport, const Address::Any& from) noexcept;
  void call_handler() noexcept;
  void wait_for(Ref<async::internal::Cell_base> root) noexcept;
  void wait_for_closing(Deferred<Close_result> closed) noexcept;
  Connection_info info() const;
  void fail(const Error& error) noexcept;
  void gone() noexcept;

  void run() noexcept override;
  void never_runs() noexcept override {}  // then it waits until the scheduler ends
  void pass_on(const Error& error, const Monitor_core& from) noexcept override;

  const Ref<async::internal::Context> context_;
  Ref<Server_state> server_;  // until it is gone
  std::optional<Connection_handle> connection_;
  std::unique_ptr<Upgrading> upgrading_;
  Stage stage_ = Stage::Upgrading;
  bool has_failed_ = false;
};

}  // namespace async::Tcp::internal
