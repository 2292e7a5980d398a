#include "async/random.h"

#include "async/internal/kernel.h"
#include "async/internal/random_state.h"

namespace async::Random {

namespace {

std::mt19937_64& generator() {
  return static_cast<internal::Random_state&>(*internal::kernel().current->environment->random)
      .generator;
}

}  // namespace

std::uint64_t bits() { return generator()(); }

std::uint64_t below(std::uint64_t n) {
  return std::uniform_int_distribution<std::uint64_t>(0, n - 1)(generator());
}

double unit() { return std::uniform_real_distribution<double>()(generator()); }

}  // namespace async::Random
