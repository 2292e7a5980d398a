#include "async/uv/fd_watch.h"

#include <memory>
#include <utility>

namespace async::internal {

int Fd_watch::start(uv_loop_t& loop, int fd) {
  auto handle = std::make_unique<Handle<uv_poll_t>>(this);
  if (const int error = uv_poll_init(&loop, &handle->uv, fd); error < 0) return error;
  handle_.reset(handle.release());
  wanted_ = watched_ = 0;
  return 0;
}

void Fd_watch::stop() noexcept {
  handle_ = nullptr;
  wanted_ = watched_ = 0;
}

void Fd_watch::want(int event, bool wanted) noexcept {
  if (!handle_) return;
  wanted_ = wanted ? wanted_ | event : wanted_ & ~event;
  // Each change costs libuv system calls.  Who does not want to read any more often does so again,
  // or closes, before anything comes; whereas a descriptor can be written to nearly always.
  const int changed = wanted_ ^ watched_;
  if ((changed & (wanted_ | UV_WRITABLE)) != 0) watch_for(wanted_);
}

void Fd_watch::watch_for(int events) noexcept {
  if (events == watched_) return;
  watched_ = events;
  if (events == 0) {
    uv_poll_stop(&handle_->uv);
  } else {
    uv_poll_start(&handle_->uv, events, polled);
  }
}

void Fd_watch::polled(uv_poll_t* uv, int status, int events) noexcept {
  auto& watch = Handle<uv_poll_t>::owner_of<Fd_watch>(uv);
  if (status < 0) {
    // Before the error there may be much to read: libuv has stopped, and is to go on.
    watch.watched_ = 0;
    events = watch.wanted_ == 0 ? 0 : UV_READABLE | UV_WRITABLE;
  } else {
    events &= watch.wanted_;
  }
  watch.watch_for(watch.wanted_);
  if (events != 0) watch.ready((events & UV_READABLE) != 0, (events & UV_WRITABLE) != 0);
}

}  // namespace async::internal
