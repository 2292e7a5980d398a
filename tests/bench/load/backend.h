// tests/bench/load/backend.h: what is behind a proxy, served by the load itself.

#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tests/bench/load/loop.h"

namespace bench {

/// Listens, and has `serve(fd)` make something of each client.
class Backend final : public Pollable {
 public:
  using Serve = std::function<std::unique_ptr<Pollable>(int fd)>;

  Backend(Loop& loop, int port, Serve serve);
  void on_events(std::uint32_t events) override;

 private:
  int fd_;
  Serve serve_;
  std::vector<std::unique_ptr<Pollable>> clients_;
};

/// Gives a client its own bytes back.
class Echo_backend final : public Pollable {
 public:
  Echo_backend(Loop& loop, int fd);
  void on_events(std::uint32_t events) override;

 private:
  void receive();
  void send_rest();

  Loop& loop_;
  int fd_;
  std::string rest_;  // what could not be sent; nothing is received before it is
};

}  // namespace bench
