// The operations of this library, through its public face.  A cycle is driven by hand, as a backend
// does: whatever waits for the outside world would measure that.

#include "tests/bench/core/ours.h"

#include <chrono>
#include <limits>
#include <memory>
#include <utility>

#include "async/async.h"
#include "async/internal/engine.h"
#include "async/uv/uv_backend.h"

namespace async::bench {
namespace {

using namespace std::chrono_literals;

// A scheduler that runs when it is told to.
class World {
 public:
  World()
      : engine_(std::make_unique<internal::Uv_backend>(), internal::Engine::On_uncaught::Print) {
    engine_.max_num_jobs_per_priority_per_cycle = std::numeric_limits<int>::max();
  }

  void cycle() { engine_.run_cycle(nullptr); }

  // What a turn of the loop does about time.
  void advance_time() { engine_.time().advance_to(engine_.time().read()); }

 private:
  internal::Engine engine_;
};

// Something to lose a race against, again and again.
struct Never {
  Ivar<int> ivar;
  Deferred<int> read = ivar.read();
};

void map_determined(World& world, std::uint64_t n) {
  while (n--) {
    const auto d = determined(1).map([](int x) { return x + 1; });
    world.cycle();
    keep(*d.peek());
  }
}

void fill(World& world, std::uint64_t n) {
  while (n--) {
    const Ivar<int> ivar;
    const auto d = ivar.read().map([](int x) { return x + 1; });
    ivar.fill(1);
    world.cycle();
    keep(*d.peek());
  }
}

template <class Link>
void chain(World& world, std::uint64_t n, Link link) {
  for (; n > 0; n -= chain_length) {
    const Ivar<int> ivar;
    Deferred<int> d = ivar.read();
    for (std::uint64_t i = 0; i < chain_length; ++i) d = link(std::move(d));
    ivar.fill(1);
    world.cycle();
    keep(*d.peek());
  }
}

// Runs `f(n)`, a coroutine, as a program does: in a job.
template <class F>
void in_a_job(World& world, F f, std::uint64_t n) {
  Deferred<> done;
  Scheduler::schedule([&] { done = f(n); });
  world.cycle();
  keep(done.is_determined());
}

Deferred<int> ready_coroutine(int x) { co_return x; }

Deferred<> await_ready_coroutines(std::uint64_t n) {
  while (n--) keep(co_await ready_coroutine(1));
}

Deferred<> await_filled_ivars(std::uint64_t n) {
  while (n--) {
    const Ivar<int> ivar;
    ivar.fill(1);
    keep(co_await ivar.read());
  }
}

Deferred<int> awaiter(Deferred<int> d) { co_return co_await std::move(d); }

void await_waiting(World& world, std::uint64_t n) {
  while (n--) {
    const Ivar<int> ivar;
    const Deferred<int> d = awaiter(ivar.read());
    ivar.fill(1);
    world.cycle();
    keep(*d.peek());
  }
}

void turns(World& world, std::uint64_t n) {
  struct Turns {
    std::uint64_t left;
    Deferred<> ready = determined();

    void turn() {
      if (left--) ready.upon([this] { turn(); });
    }
  } turns{.left = n};
  turns.turn();
  world.cycle();
}

void schedule(World& world, std::uint64_t n) {
  struct Jobs {
    std::uint64_t left;

    void job() {
      if (left--) Scheduler::schedule([this] { job(); });
    }
  } jobs{.left = n};
  jobs.job();
  world.cycle();
}

auto choose_between(Deferred<int> a, Deferred<int> b) {
  return choose(choice(std::move(a), [](int x) { return x; }),
                choice(std::move(b), [](int x) { return x; }));
}

void choose_ready(World& world, const Never& never, std::uint64_t n) {
  while (n--) {
    const auto d = choose_between(determined(1), never.read);
    world.cycle();
    keep(*d.peek());
  }
}

void choose_waiting(World& world, const Never& never, std::uint64_t n) {
  while (n--) {
    const Ivar<int> ivar;
    const auto d = choose_between(ivar.read(), never.read);
    ivar.fill(1);
    world.cycle();
    keep(*d.peek());
  }
}

void try_with_ready(std::uint64_t n) {
  while (n--) {
    const auto d = try_with([] { return determined(1); });
    keep(d.is_determined());
  }
}

void try_with_waiting(World& world, std::uint64_t n) {
  while (n--) {
    const Ivar<int> ivar;
    const auto d = try_with([read = ivar.read()] { return read; });
    ivar.fill(1);
    world.cycle();
    keep(d.is_determined());
  }
}

void timers(std::uint64_t n) {
  while (n--) keep(Clock::Event::after(10s).abort());
}

// These have a place in the wheel by the time that they are aborted.
void timers_in_the_wheel(World& world, std::uint64_t n) {
  static std::vector<Clock::Event> events;
  events.reserve(chain_length);
  for (; n > 0; n -= chain_length) {
    for (std::uint64_t i = 0; i < chain_length; ++i) events.push_back(Clock::Event::after(10s));
    world.advance_time();
    for (const Clock::Event& event : events) keep(event.abort());
    events.clear();
  }
}

void pipe(std::uint64_t n) {
  const auto [reader, writer] = Pipe::create<long>({.size_budget = 10});
  while (n--) {
    writer.write_without_pushback(1);
    const auto d = reader.read();
    keep(d.is_determined());
  }
}

void pipe_waiting(World& world, std::uint64_t n) {
  const auto [reader, writer] = Pipe::create<long>({.size_budget = 10});
  while (n--) {
    const auto d = reader.read();
    writer.write_without_pushback(1);
    world.cycle();
    keep(d.is_determined());
  }
}

Deferred<> recursive(std::uint64_t n) {
  if (n == 0) return determined();
  return determined().bind([n] { return recursive(n - 1); });
}

void recursive_bind(World& world, std::uint64_t n) {
  const auto d = recursive(n);
  world.cycle();
  keep(d.is_determined());
}

void timeout_ready(World& world, std::uint64_t n) {
  while (n--) {
    const auto d = Clock::with_timeout(10s, determined(1));
    world.cycle();
    keep(d.is_determined());
  }
}

void timeout_waiting(World& world, std::uint64_t n) {
  while (n--) {
    const Ivar<int> ivar;
    const auto d = Clock::with_timeout(10s, ivar.read());
    ivar.fill(1);
    world.cycle();
    keep(d.is_determined());
  }
}

}  // namespace

std::vector<Operation> core_operations() {
  const auto world = std::make_shared<World>();
  const auto in = [&world](void (*f)(World&, std::uint64_t)) {
    return [world, f](std::uint64_t n) { f(*world, n); };
  };
  const auto race = [&world](void (*f)(World&, const Never&, std::uint64_t)) {
    return [world, f, never = Never()](std::uint64_t n) { f(*world, never, n); };
  };
  const auto job = [&world](Deferred<> (*f)(std::uint64_t)) {
    return [world, f](std::uint64_t n) { in_a_job(*world, f, n); };
  };
  const auto alone = [&world](void (*f)(std::uint64_t)) {
    return [world, f](std::uint64_t n) { f(n); };
  };
  const auto maps = [](World& w, std::uint64_t n) {
    chain(w, n, [](Deferred<int> d) { return std::move(d).map([](int x) { return x + 1; }); });
  };
  const auto binds = [](World& w, std::uint64_t n) {
    chain(w, n, [](Deferred<int> d) {
      return std::move(d).bind([](int x) { return determined(x + 1); });
    });
  };
  const auto cycles = [](World& w, std::uint64_t n) {
    while (n--) w.cycle();
  };
  return {{operation::empty_cycle, in(cycles)},
          {operation::map_determined, in(map_determined)},
          {operation::fill, in(fill)},
          {operation::chain_of_maps, in(maps)},
          {operation::chain_of_binds, in(binds)},
          {operation::await_coroutine, job(await_ready_coroutines)},
          {operation::await_filled, job(await_filled_ivars)},
          {operation::await_waiting, in(await_waiting)},
          {operation::turn, in(turns)},
          {operation::schedule, in(schedule)},
          {operation::choose_ready, race(choose_ready)},
          {operation::choose_waiting, race(choose_waiting)},
          {operation::try_with_ready, alone(try_with_ready)},
          {operation::try_with_waiting, in(try_with_waiting)},
          {operation::timer, alone(timers)},
          {operation::timer_placed, in(timers_in_the_wheel)},
          {operation::pipe, alone(pipe)},
          {operation::pipe_waiting, in(pipe_waiting)},
          {operation::recursive_bind, in(recursive_bind)},
          {operation::timeout_ready, in(timeout_ready)},
          {operation::timeout_waiting, in(timeout_waiting)}};
}

}  // namespace async::bench
