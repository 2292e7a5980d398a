// async/uv/uv_transport.h: a Transport over a connected socket.
//
// Layer: async/uv.  Read next: fd_watch.h.

#pragma once

#include "async/io/transport.h"
#include "async/uv/fd.h"
#include "async/uv/fd_watch.h"

namespace async::internal {

class Uv_transport final : public On_fd<Transport>, private Fd_watch, public Pooled {
 public:
  /// `create(fd)` is a transport over a connected, nonblocking socket.  It takes `fd` over, unless
  /// it fails.
  static std::expected<std::unique_ptr<Transport>, std::error_code> create(Fd& fd);
  ~Uv_transport() override;

  void set_user(User* user) noexcept override { user_ = user; }
  void want_readable(bool wanted) noexcept override { Fd_watch::want_readable(wanted); }
  void want_writable(bool wanted) noexcept override { Fd_watch::want_writable(wanted); }
  Io_result read(std::span<char> into) noexcept override;
  Io_result write(std::span<const std::string_view> parts) noexcept override;
  std::error_code shutdown_send() noexcept override;
  std::size_t unacknowledged() const noexcept override;
  void close(How how) noexcept override;

 private:
  using On_fd::On_fd;
  void ready(bool readable, bool writable) noexcept override;
  [[gnu::noinline]] Io_result write_several(std::span<const std::string_view> parts) noexcept;

  // To go on with what is in the caches costs half of coming back to it.  Others wait meanwhile.
  static constexpr int most_reads_in_a_turn = 8;

  User* user_ = nullptr;
  bool* is_destroyed_ = nullptr;  // to be set, while it tells its user something
  bool has_filled_ = false;       // the last read, all the room that it had
};

}  // namespace async::internal
