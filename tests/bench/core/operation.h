// tests/bench/core/operation.h: what the benchmarks of the core measure, whoever does it.
//
// Each program is core_benchmark.cc with one definition of `peers()`: ours.cc, floor.cc, and those
// in peers/.  tests/bench/counts counts instructions of the same operations.

#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace async::bench {

/// Performs the operation `n` times; `n` is a multiple of 1,000.
using Run = std::function<void(std::uint64_t n)>;

struct Operation {
  std::string name;  // one of namespace `operation`
  Run run;
};

/// Somebody who is measured: one library, used in one way.
struct Peer {
  std::string name;
  std::vector<Operation> operations;
};

/// `peers()` are those whom this program measures.  Their operations may need what `peers()` made
/// before, so they run while what it returned lives, on its thread.
std::vector<Peer> peers();

/// `chain_length` is how many links the chains have.
inline constexpr std::uint64_t chain_length = 1'000;

/// `keep(value)` makes the compiler believe that `value` is used.
template <class T>
inline void keep(const T& value) {
  asm volatile("" : : "r,m"(value) : "memory");
}

/// The names of the operations: rows of different programs are matched by them.
namespace operation {
inline constexpr const char* empty_cycle = "empty cycle";
inline constexpr const char* map_determined = "map, determined";
inline constexpr const char* fill = "fill to continuation";
inline constexpr const char* chain_of_maps = "link in a chain of 1,000 maps";
inline constexpr const char* chain_of_binds = "link in a chain of 1,000 binds";
inline constexpr const char* await_coroutine = "await a ready coroutine";
inline constexpr const char* await_filled = "await a filled ivar";
inline constexpr const char* await_waiting = "await an ivar, waiting";
inline constexpr const char* turn = "turn of the queue";
inline constexpr const char* schedule = "job scheduled";
inline constexpr const char* choose_ready = "choose of two, one ready";
inline constexpr const char* choose_waiting = "choose of two, waiting";
inline constexpr const char* try_with_ready = "try_with, ready";
inline constexpr const char* try_with_waiting = "try_with, waiting";
inline constexpr const char* timer = "timer added and aborted";
inline constexpr const char* timer_placed = "timer aborted a turn later";
inline constexpr const char* pipe = "pipe write and read";
inline constexpr const char* pipe_waiting = "pipe read, waiting, and write";
inline constexpr const char* recursive_bind = "recursive bind, a turn";
inline constexpr const char* timeout_ready = "with_timeout, ready";
inline constexpr const char* timeout_waiting = "with_timeout, waiting";
}  // namespace operation

}  // namespace async::bench
