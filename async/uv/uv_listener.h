// async/uv/uv_listener.h: a Listener over a listening socket.
//
// Layer: async/uv.  Read next: fd_watch.h.
//
// This accepts by hand, when asked to: libuv's own listening accepts one connection ahead, hides
// errors, and drops waiting clients when descriptors run out.

#pragma once

#include <string>

#include "async/internal/ends_with_scheduler.h"
#include "async/io/network.h"
#include "async/uv/fd.h"
#include "async/uv/fd_watch.h"

namespace async::internal {

class Uv_listener final : public On_fd<Listener>, private Fd_watch, private Ends_with_scheduler {
 public:
  /// `create(fd)` is a listener over a listening, nonblocking socket.
  static std::expected<std::unique_ptr<Listener>, std::error_code> create(Fd fd);
  /// `adopt(fd, network)` is one over a listening socket that somebody else has made.  Errors: `fd`
  /// is left alone.
  static std::expected<std::unique_ptr<Listener>, std::error_code> adopt(int fd,
                                                                         Uv_network& network);
  ~Uv_listener() override;

  bool set_user(Turn_task* user) noexcept override;
  void want_ready(bool wanted) noexcept override { want_readable(wanted); }
  std::expected<Accepted, std::error_code> accept() override;
  void close() noexcept override;
  bool is_closed() const noexcept override { return !fd_.is_open(); }

 private:
  /// The file that this made for a unix socket, and which one it is.
  struct File {
    std::string path;
    std::uint64_t device;
    std::uint64_t inode;
  };

  using On_fd::On_fd;
  void ready(bool readable, bool writable) noexcept override;
  void scheduler_ends() noexcept override { close(); }
  std::error_code begin();
  void remember_file();

  Turn_task* user_ = nullptr;
  std::optional<File> file_;
};

}  // namespace async::internal
