// async/random.h: random numbers that a simulation can repeat.
//
// Layer: async.

#pragma once

#include <cstdint>

/// Numbers from the generator of the current execution context: the machine's are seeded by chance,
/// a simulation's by its seed.  They are not for secrets.
namespace async::Random {

/// `bits()` is 64 random bits.
std::uint64_t bits();

/// `below(n)` is at least 0 and less than `n`, which is positive.
std::uint64_t below(std::uint64_t n);

/// `unit()` is at least 0 and less than 1.
double unit();

}  // namespace async::Random
