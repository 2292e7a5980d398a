// libuv has timers alone: it has no values that come later.

#include <uv.h>

#include <memory>
#include <vector>

#include "tests/bench/core/operation.h"

namespace async::bench {
namespace {

constexpr std::uint64_t half_an_hour = 1'800'000;

// A loop in which other timers wait as well, as in a server.  It is never run, and never freed.
struct Loop {
  static constexpr std::size_t others = 1'000;

  uv_loop_t loop;
  std::vector<uv_timer_t> waiting{others};
  uv_timer_t timer;

  Loop() {
    uv_loop_init(&loop);
    std::uint64_t time = 2 * half_an_hour;
    for (uv_timer_t& other : waiting) {
      uv_timer_init(&loop, &other);
      uv_timer_start(&other, [](uv_timer_t*) {}, time++, 0);
    }
    uv_timer_init(&loop, &timer);
  }
};

void start_and_stop(Loop& loop, std::uint64_t n) {
  while (n--) {
    uv_timer_start(&loop.timer, [](uv_timer_t*) {}, half_an_hour, 0);
    uv_timer_stop(&loop.timer);
  }
}

}  // namespace

std::vector<Peer> peers() {
  static auto* const loop = new Loop;
  return {{.name = "libuv",
           .operations = {{operation::timer, [](std::uint64_t n) { start_and_stop(*loop, n); }}}}};
}

}  // namespace async::bench
