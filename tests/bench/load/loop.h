// tests/bench/load/loop.h: epoll that never sleeps, so that the server never waits for the load.

#pragma once

#include <cstdint>

namespace bench {

/// What the loop watches.  It must live for as long as it is watched.
class Pollable {
 public:
  virtual ~Pollable() = default;
  virtual void on_events(std::uint32_t events) = 0;
};

class Loop {
 public:
  Loop();
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  void watch(int fd, Pollable& pollable, std::uint32_t events);
  void change(int fd, Pollable& pollable, std::uint32_t events);
  void forget(int fd);

  /// `turn()` gives those that are ready their events.  It gives up if nobody has `progressed()`
  /// for five seconds.
  void turn();
  void progressed() { progressed_ = true; }

 private:
  int epoll_;
  bool progressed_ = true;
  std::uint64_t last_progress_ = 0;
};

}  // namespace bench
