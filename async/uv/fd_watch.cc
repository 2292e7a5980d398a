#include "async/uv/fd_watch.h"

#include <utility>

namespace async::internal {

namespace {

// To be told in vain this often costs as much as the system calls that end it, and begin it again.
constexpr int most_times_in_vain = 8;

}  // namespace

int Fd_watch::start(Poll_handles& handles, int fd) {
  auto handle = handles.take(fd, this);
  if (!handle) return handle.error();
  handles_ = &handles;
  handle_ = std::move(*handle);
  wanted_ = watched_ = 0;
  return 0;
}

void Fd_watch::stop() noexcept {
  if (handle_) handles_->give_back(std::move(handle_));
  wanted_ = watched_ = 0;
}

void Fd_watch::want(int event, bool wanted) noexcept {
  if (!handle_) return;
  wanted_ = wanted ? wanted_ | event : wanted_ & ~event;
  // Each change costs libuv system calls.  Who does not want to read any more often does so again,
  // or closes, before anything comes, or soon after; whereas a descriptor can be written to nearly
  // always.
  const int changed = wanted_ ^ watched_;
  if ((changed & (wanted_ | UV_WRITABLE)) != 0) watch_for(wanted_);
}

void Fd_watch::watch_for(int events) noexcept {
  if (events == watched_) return;
  watched_ = events;
  times_in_vain_ = 0;
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
    watch.watch_for(watch.wanted_);
  } else {
    events &= watch.wanted_;
    if (events == 0 && ++watch.times_in_vain_ >= most_times_in_vain) watch.watch_for(watch.wanted_);
  }
  if (events != 0) watch.ready((events & UV_READABLE) != 0, (events & UV_WRITABLE) != 0);
}

}  // namespace async::internal
