#include "tests/bench/load/loop.h"

#include <sys/epoll.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "tests/bench/load/system.h"

namespace bench {

static constexpr std::uint64_t patience_ns = 5'000'000'000;

Loop::Loop() : epoll_(epoll_create1(EPOLL_CLOEXEC)) {
  if (epoll_ < 0) give_up("epoll_create1");
}

Loop::~Loop() { close(epoll_); }

static void control(int epoll, int operation, int fd, Pollable& pollable, std::uint32_t events) {
  epoll_event event = {};
  event.events = events;
  event.data.ptr = &pollable;
  if (epoll_ctl(epoll, operation, fd, &event) != 0) give_up("epoll_ctl");
}

void Loop::watch(int fd, Pollable& pollable, std::uint32_t events) {
  control(epoll_, EPOLL_CTL_ADD, fd, pollable, events);
}

void Loop::change(int fd, Pollable& pollable, std::uint32_t events) {
  control(epoll_, EPOLL_CTL_MOD, fd, pollable, events);
}

void Loop::forget(int fd) {
  if (epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, nullptr) != 0) give_up("epoll_ctl");
}

void Loop::turn() {
  // Few at a time, so that replies do not wait here while others are sent.
  std::array<epoll_event, 128> events;
  const int n = epoll_wait(epoll_, events.data(), events.size(), 0);
  if (n < 0 && errno != EINTR) give_up("epoll_wait");
  for (int i = 0; i < n; ++i) {
    const epoll_event& event = events[static_cast<std::size_t>(i)];
    static_cast<Pollable*>(event.data.ptr)->on_events(event.events);
  }
  if (progressed_) {
    last_progress_ = now_ns();
    progressed_ = false;
  } else if (now_ns() - last_progress_ > patience_ns) {
    errno = 0;
    give_up("nothing has moved for five seconds");
  }
}

}  // namespace bench
