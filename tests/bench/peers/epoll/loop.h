// tests/bench/peers/epoll/loop.h: a loop on epoll as one would write it by hand, level-triggered.

#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

namespace epoll_peer {

class Handler {
 public:
  virtual ~Handler() = default;
  virtual void on_events(std::uint32_t events) = 0;
};

inline int epoll = -1;
/// Those that have ended.  They live until the events that have been taken are handled.
inline std::vector<std::unique_ptr<Handler>> ended;

inline void control(int operation, int fd, Handler* handler, std::uint32_t events) {
  epoll_event event = {};
  event.events = events;
  event.data.ptr = handler;
  epoll_ctl(epoll, operation, fd, &event);
}
inline void watch(int fd, Handler* handler, std::uint32_t events) {
  control(EPOLL_CTL_ADD, fd, handler, events);
}
inline void change(int fd, Handler* handler, std::uint32_t events) {
  control(EPOLL_CTL_MOD, fd, handler, events);
}

inline sockaddr_in loopback(int port) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

inline void send_no_delay(int fd) {
  const int one = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
}

/// `listen_on(port)` is a socket that listens.
inline int listen_on(int port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const int one = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  const sockaddr_in address = loopback(port);
  if (bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      listen(fd, 4096) != 0) {
    std::perror("listen");
    std::exit(1);
  }
  return fd;
}

/// `serve(port, accepted)` calls `accepted(fd)` for each client, and never returns.
template <class F>
[[noreturn]] void serve(int port, F accepted) {
  std::signal(SIGPIPE, SIG_IGN);
  epoll = epoll_create1(EPOLL_CLOEXEC);
  const int listener = listen_on(port);
  watch(listener, nullptr, EPOLLIN);
  std::array<epoll_event, 128> events;
  for (;;) {
    const int n = epoll_wait(epoll, events.data(), events.size(), -1);
    for (int i = 0; i < n; ++i) {
      const epoll_event& event = events[static_cast<std::size_t>(i)];
      if (event.data.ptr != nullptr) {
        static_cast<Handler*>(event.data.ptr)->on_events(event.events);
        continue;
      }
      for (int fd; (fd = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0;) {
        send_no_delay(fd);
        accepted(fd);
      }
    }
    ended.clear();
  }
}

/// `number(name, otherwise)` is that variable of the environment.
inline std::uint64_t number(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text != nullptr ? std::strtoull(text, nullptr, 10) : otherwise;
}

}  // namespace epoll_peer
