#include "async/uv/fd_watch.h"

#include <memory>
#include <utility>

namespace async::internal {

int Fd_watch::start(uv_loop_t& loop, int fd) {
  auto handle = std::make_unique<Handle<uv_poll_t>>(this);
  if (const int error = uv_poll_init(&loop, &handle->uv, fd); error < 0) return error;
  handle_.reset(handle.release());
  wanted_ = 0;
  return 0;
}

void Fd_watch::stop() noexcept {
  handle_ = nullptr;
  wanted_ = 0;
}

void Fd_watch::want(int event, bool wanted) noexcept {
  const int now = wanted ? wanted_ | event : wanted_ & ~event;
  if (now == wanted_ || !handle_) return;
  wanted_ = now;
  // Each change costs libuv system calls, so whoever wants readiness again and again keeps
  // wanting it.
  if (wanted_ == 0) {
    uv_poll_stop(&handle_->uv);
  } else {
    uv_poll_start(&handle_->uv, wanted_, polled);
  }
}

void Fd_watch::polled(uv_poll_t* uv, int status, int events) noexcept {
  auto& watch = Handle<uv_poll_t>::owner_of<Fd_watch>(uv);
  if (status < 0) {
    // Before the error there may be much to read: libuv has stopped, and is to go on.
    watch.want(std::exchange(watch.wanted_, 0), true);
    events = UV_READABLE | UV_WRITABLE;
  }
  watch.ready((events & UV_READABLE) != 0, (events & UV_WRITABLE) != 0);
}

}  // namespace async::internal
