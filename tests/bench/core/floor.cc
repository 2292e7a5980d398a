#include "tests/bench/core/floor.h"

#include <array>
#include <cstdlib>

namespace async::bench::floor {

namespace {

struct Job {
  Continuation continuation;
  Cell* source;
  Cell* target;
  void* environment;
};

constexpr unsigned queue_size = 4'096;
alignas(64) std::array<Job, queue_size> queue;  // no job in two lines of the cache
unsigned first = 0;
unsigned last = 0;

Cell* free_cells = nullptr;

void push_job(const Job& job) { queue[last++ % queue_size] = job; }

}  // namespace

[[gnu::noinline]] Cell* make() {
  Cell* cell = free_cells;
  if (cell) {
    free_cells = cell->next;
  } else {
    cell = static_cast<Cell*>(std::malloc(sizeof(Cell)));
  }
  cell->state = Cell::State::Empty;
  cell->references = 1;
  cell->continuation = nullptr;
  return cell;
}

[[gnu::noinline]] void drop(Cell* cell) {
  if (--cell->references > 0) return;
  Cell* other = cell->state == Cell::State::Link ? cell->next : nullptr;
  cell->next = free_cells;
  free_cells = cell;
  if (other) [[unlikely]]
    drop(other);
}

[[gnu::noinline]] void fill(Cell* cell, std::int64_t value) {
  cell->value = value;
  cell->state = Cell::State::Full;
  if (cell->continuation) push_job({cell->continuation, cell, cell->next, cell->environment});
}

[[gnu::noinline]] Cell* then(Cell* source, Continuation continuation, void* environment) {
  Cell* target = make();
  ++target->references;
  if (source->state == Cell::State::Full) {
    push_job({continuation, source, target, environment});
  } else {
    source->continuation = continuation;
    source->next = target;
    source->environment = environment;
  }
  return target;
}

[[gnu::noinline]] void become(Cell* target, Cell* inner) {
  Cell* outermost = target;
  while (outermost->state == Cell::State::Link) outermost = outermost->next;
  if (inner->state == Cell::State::Full) {
    fill(outermost, inner->value);
  } else {
    // Whoever fills the inner cell finds the outermost one, so chains of them do not grow.
    inner->state = Cell::State::Link;
    inner->next = outermost;
    ++outermost->references;
  }
  drop(target);
  drop(inner);
}

[[gnu::noinline]] void push(Continuation continuation, void* environment) {
  push_job({continuation, nullptr, nullptr, environment});
}

[[gnu::noinline]] void run() {
  while (first != last) {
    const Job job = queue[first++ % queue_size];
    job.continuation(job.source, job.target, job.environment);
  }
}

}  // namespace async::bench::floor
