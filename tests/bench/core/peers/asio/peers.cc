#include "tests/bench/core/peers/asio/peers.h"

namespace async::bench {

std::vector<Peer> peers() {
  const auto world = std::make_shared<World>();
  return {callbacks(world), coroutines(world)};
}

}  // namespace async::bench
