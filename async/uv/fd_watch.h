// async/uv/fd_watch.h: knowing when a descriptor is ready.
//
// Layer: async/uv.  Read next: poll_handles.h, uv_transport.h.

#pragma once

#include <uv.h>

#include "async/uv/poll_handles.h"

namespace async::internal {

/// Watches a nonblocking descriptor that somebody else owns, who ends the watch before closing it.
class Fd_watch {
 public:
  Fd_watch() = default;
  Fd_watch(const Fd_watch&) = delete;
  Fd_watch& operator=(const Fd_watch&) = delete;

  /// `start(handles, fd)` begins, wanting nothing.  Returns libuv's error, or 0.
  int start(Poll_handles& handles, int fd);
  /// `stop()` ends it at once: `ready` is not called any more.
  void stop() noexcept;

  bool wants_readable() const noexcept { return (wanted_ & UV_READABLE) != 0; }
  void want_readable(bool wanted) noexcept { want(UV_READABLE, wanted); }
  void want_writable(bool wanted) noexcept { want(UV_WRITABLE, wanted); }

 protected:
  ~Fd_watch() = default;

  /// `ready(readable, writable)` is called for what is wanted, in each turn in which it is so.
  /// After an error of the descriptor both are true: trying shows the error.
  virtual void ready(bool readable, bool writable) noexcept = 0;

 private:
  void want(int event, bool wanted) noexcept;
  void watch_for(int events) noexcept;
  static void polled(uv_poll_t* uv, int status, int events) noexcept;

  Poll_handles* handles_ = nullptr;
  Poll_handle handle_;
  int wanted_ = 0;
  int watched_ = 0;        // by libuv
  int times_in_vain_ = 0;  // it was told what nobody wants, since libuv was asked
};

}  // namespace async::internal
