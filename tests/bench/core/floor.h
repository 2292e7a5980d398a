// tests/bench/core/floor.h: the least that deferred values can cost.
//
// A hand-written ivar and run queue.  It keeps what makes deferreds what they are: every
// continuation goes through the queue, first come first served; cells are counted; and a recursive
// bind runs in constant memory.  It has nothing else: one type of value, one continuation a cell,
// no errors, no contexts, no destructors, a queue of fixed size.  Its functions are not inlined, as
// those of a library are not.

#pragma once

#include <cstdint>

namespace async::bench::floor {

struct Cell;

/// `continuation(source, target, environment)` is called when `source` is full, and gives `target`
/// a value.
using Continuation = void (*)(Cell* source, Cell* target, void* environment);

/// A value that is there or will come.
struct Cell {
  enum class State : int { Empty, Full, Link };

  State state;
  int references;
  std::int64_t value;
  Continuation continuation;  // null if there is none
  Cell* next;  // the target of the continuation; of a link, the cell that it stands for; of a free
               // cell, the next one
  void* environment;
};

/// `make()` is an empty cell with one reference.
Cell* make();
void drop(Cell* cell);

/// `fill(cell, value)` puts the continuation into the queue.
void fill(Cell* cell, std::int64_t value);

/// `then(source, continuation, environment)` is the cell that `continuation` gives a value.  It
/// takes over the reference to `source`, and has `continuation` drop both.
Cell* then(Cell* source, Continuation continuation, void* environment);

/// `become(target, inner)` gives `target` the value of `inner` when that has one.  It drops both.
void become(Cell* target, Cell* inner);

/// `push(continuation, environment)` puts a job of its own into the queue.
void push(Continuation continuation, void* environment);

/// `run()` runs jobs until none is left.
void run();

/// `map<f>(source)` is a cell that gets `f(value)`.
template <std::int64_t (*f)(std::int64_t)>
Cell* map(Cell* source) {
  const auto continuation = [](Cell* from, Cell* target, void*) {
    fill(target, f(from->value));
    drop(from);
    drop(target);
  };
  return then(source, continuation, nullptr);
}

/// `bind<f>(source)` is a cell that gets what the cell `f(value)` gets.
template <Cell* (*f)(std::int64_t)>
Cell* bind(Cell* source) {
  const auto continuation = [](Cell* from, Cell* target, void*) {
    Cell* inner = f(from->value);
    drop(from);
    become(target, inner);
  };
  return then(source, continuation, nullptr);
}

}  // namespace async::bench::floor
