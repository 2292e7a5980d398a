// async/internal/random_state.h: the generator of an environment.
//
// Layer: async.  Read next: async/random.h.

#pragma once

#include <cstdint>
#include <random>

#include "async/internal/shared.h"

namespace async::internal {

class Random_state final : public Shared {
 public:
  explicit Random_state(std::uint64_t seed) : generator(seed) {}

  std::mt19937_64 generator;
};

}  // namespace async::internal
