// async/uv/uv_unconnected_socket.h: a socket that is to be connected, or to listen.
//
// Layer: async/uv.  Read next: uv_transport.h, uv_listener.h.

#pragma once

#include <optional>

#include "async/clock.h"
#include "async/internal/ends_with_scheduler.h"
#include "async/io/network.h"
#include "async/ivar.h"
#include "async/uv/fd.h"
#include "async/uv/fd_watch.h"
#include "async/uv/sockaddr.h"

namespace async::internal {

class Uv_unconnected_socket final : public On_fd<Unconnected_socket>,
                                    private Fd_watch,
                                    private Ends_with_scheduler {
 public:
  explicit Uv_unconnected_socket(Fd fd) : On_fd(std::move(fd)) { add_open(*this); }
  ~Uv_unconnected_socket() override;

  std::error_code bind(const Address::Any& address) override;
  std::expected<std::unique_ptr<Listener>, std::error_code> listen(int backlog) override;
  Deferred<std::error_code> connect(const Address::Any& address) override;
  std::expected<std::unique_ptr<Transport>, std::error_code> take_transport() override;

 private:
  void ready(bool readable, bool writable) noexcept override;
  void scheduler_ends() noexcept override;
  void try_to_connect();
  void connect_ended(std::error_code error);

  std::optional<Sockaddr> to_;
  std::optional<Ivar<std::error_code>> connected_;
  // A unix socket whose server's queue is full says so at once, and nothing tells when it no
  // longer is.
  std::optional<Clock::Event> retry_;
  Span retry_after_ = std::chrono::milliseconds(1);
};

}  // namespace async::internal
