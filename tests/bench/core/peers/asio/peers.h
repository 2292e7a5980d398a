// tests/bench/core/peers/asio/peers.h: Asio, used in two ways.  It has no values that come later;
// where one is needed, its experimental channel stands in.

#pragma once

#include <asio.hpp>
#include <asio/experimental/channel.hpp>
#include <chrono>
#include <memory>
#include <vector>

#include "tests/bench/core/operation.h"

namespace async::bench {

using Channel = asio::experimental::channel<void(asio::error_code, int)>;

/// `run_ready(context)` runs handlers until none is ready.
inline void run_ready(asio::io_context& context) {
  context.restart();
  context.poll();
}

/// Two loops.
struct World {
  asio::io_context bare{1};         // without a timer or a socket it never asks the system
  asio::io_context with_timers{1};  // in which others wait as well, as in a server
  std::vector<asio::steady_timer> waiting;

  World() {
    for (int i = 0; i < 1'000; ++i) {
      waiting.emplace_back(with_timers, std::chrono::seconds(3'600 + i));
      waiting.back().async_wait([](asio::error_code) {});
    }
  }
};

Peer callbacks(const std::shared_ptr<World>& world);
Peer coroutines(const std::shared_ptr<World>& world);

}  // namespace async::bench
