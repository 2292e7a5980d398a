// The library itself, and the floor below it.

#include "tests/bench/core/floor_operations.h"
#include "tests/bench/core/ours.h"

namespace async::bench {

std::vector<Peer> peers() {
  return {{.name = "async_uv", .operations = core_operations()},
          {.name = "floor", .operations = floor_operations()}};
}

}  // namespace async::bench
