// Asio with callbacks.

#include "tests/bench/core/peers/asio/peers.h"

namespace async::bench {
namespace {

using namespace std::chrono_literals;

struct Turn {
  asio::io_context& context;
  std::uint64_t& left;

  void operator()() const {
    if (left-- > 0) asio::post(context, *this);
  }
};

void turns(World& world, std::uint64_t n) {
  asio::post(world.bare, Turn{world.bare, n});
  run_ready(world.bare);
}

void fill(World& world, std::uint64_t n) {
  while (n--) {
    Channel channel(world.bare, 0);
    int result = 0;
    channel.async_receive([&result](asio::error_code, int x) { result = x + 1; });
    channel.try_send(asio::error_code(), 1);
    run_ready(world.bare);
    keep(result);
  }
}

// The handlers of aborted timers run too; a hundred at once, so that a turn of the loop is not what
// is measured.
void timers(World& world, std::uint64_t n) {
  static constexpr std::uint64_t at_once = 100;
  asio::steady_timer timer(world.with_timers);
  for (; n > 0; n -= at_once) {
    for (std::uint64_t i = 0; i < at_once; ++i) {
      timer.expires_after(30min);
      timer.async_wait([](asio::error_code) {});
      timer.cancel();
    }
    run_ready(world.with_timers);
  }
}

void empty_cycles(World& world, std::uint64_t n) {
  while (n--) run_ready(world.bare);
}

}  // namespace

Peer callbacks(const std::shared_ptr<World>& world) {
  const auto in = [&](void (*f)(World&, std::uint64_t)) {
    return [world, f](std::uint64_t n) { f(*world, n); };
  };
  return {.name = "Asio callbacks",
          .operations = {{operation::empty_cycle, in(empty_cycles)},
                         {operation::fill, in(fill)},
                         {operation::turn, in(turns)},
                         {operation::timer, in(timers)}}};
}

}  // namespace async::bench
