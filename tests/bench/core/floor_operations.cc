// What floor.h is measured with: the operations of ours.cc, one for one.

#include "tests/bench/core/floor_operations.h"

#include "tests/bench/core/floor.h"

namespace async::bench {
namespace {

using namespace floor;

std::int64_t add_one(std::int64_t x) { return x + 1; }

Cell* determined(std::int64_t value) {
  Cell* cell = make();
  fill(cell, value);
  return cell;
}

void take(Cell* cell) {
  keep(cell->value);
  drop(cell);
}

void map_determined(std::uint64_t n) {
  while (n--) {
    Cell* mapped = map<add_one>(determined(1));
    run();
    take(mapped);
  }
}

// The reference that fills, and that which `map` takes over.
void fill_one(std::uint64_t n) {
  while (n--) {
    Cell* ivar = make();
    ++ivar->references;
    Cell* mapped = map<add_one>(ivar);
    fill(ivar, 1);
    drop(ivar);
    run();
    take(mapped);
  }
}

void chain_of_maps(std::uint64_t n) {
  for (; n > 0; n -= chain_length) {
    Cell* ivar = make();
    ++ivar->references;
    Cell* end = ivar;
    for (std::uint64_t i = 0; i < chain_length; ++i) end = map<add_one>(end);
    fill(ivar, 1);
    drop(ivar);
    run();
    take(end);
  }
}

void turn(Cell*, Cell*, void* left) {
  if (--*static_cast<std::uint64_t*>(left) > 0) push(turn, left);
}

void turns(std::uint64_t n) {
  push(turn, &n);
  run();
}

Cell* recursive(std::int64_t n) {
  if (n == 0) return determined(0);
  return bind<recursive>(determined(n - 1));
}

void recursive_bind(std::uint64_t n) {
  Cell* end = recursive(static_cast<std::int64_t>(n));
  run();
  take(end);
}

void empty_cycles(std::uint64_t n) {
  while (n--) run();
}

}  // namespace

std::vector<Operation> floor_operations() {
  return {{operation::empty_cycle, empty_cycles},
          {operation::map_determined, map_determined},
          {operation::fill, fill_one},
          {operation::chain_of_maps, chain_of_maps},
          {operation::turn, turns},
          {operation::recursive_bind, recursive_bind}};
}

}  // namespace async::bench
