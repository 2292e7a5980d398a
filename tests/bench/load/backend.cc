#include "tests/bench/load/backend.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstddef>
#include <utility>

#include "tests/bench/load/system.h"

namespace bench {

Backend::Backend(Loop& loop, int port, Serve serve)
    : fd_(listen_on(port)), serve_(std::move(serve)) {
  loop.watch(fd_, *this, EPOLLIN);
}

void Backend::on_events(std::uint32_t /*events*/) {
  for (;;) {
    const int fd = accept4(fd_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0 && errno == EAGAIN) return;
    if (fd < 0) give_up("accept4");
    send_no_delay(fd);
    clients_.push_back(serve_(fd));
  }
}

Echo_backend::Echo_backend(Loop& loop, int fd) : loop_(loop), fd_(fd) {
  loop_.watch(fd_, *this, EPOLLIN);
}

void Echo_backend::on_events(std::uint32_t /*events*/) {
  if (rest_.empty()) {
    receive();
  } else {
    send_rest();
  }
}

void Echo_backend::receive() {
  static char buffer[256 * 1024];
  const ssize_t n = recv(fd_, buffer, sizeof buffer, 0);
  if (n < 0 && errno == EAGAIN) return;
  if (n <= 0) return loop_.forget(fd_);  // the client will notice that the proxy has left
  const ssize_t sent = send(fd_, buffer, static_cast<std::size_t>(n), MSG_NOSIGNAL);
  if (sent < 0 && errno != EAGAIN) return loop_.forget(fd_);
  if (sent == n) return;
  const auto begin = static_cast<std::size_t>(sent < 0 ? 0 : sent);
  rest_.assign(buffer + begin, static_cast<std::size_t>(n) - begin);
  loop_.change(fd_, *this, EPOLLOUT);
}

void Echo_backend::send_rest() {
  const ssize_t sent = send(fd_, rest_.data(), rest_.size(), MSG_NOSIGNAL);
  if (sent < 0 && errno == EAGAIN) return;
  if (sent < 0) return loop_.forget(fd_);
  rest_.erase(0, static_cast<std::size_t>(sent));
  if (rest_.empty()) loop_.change(fd_, *this, EPOLLIN);
}

}  // namespace bench
