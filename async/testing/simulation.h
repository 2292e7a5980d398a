// async/testing/simulation.h: a whole program in virtual time, over a network in memory.
//
// Layer: async/testing.  Read next: sim_backend.h, for how it works.

#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include "async/deferred.h"
#include "async/scheduler.h"
#include "async/time_ns.h"

namespace async::testing {

/// Nothing is left that could happen, but the program has not ended.
class Stuck : public std::runtime_error {
 public:
  explicit Stuck(std::uint64_t seed);
};

/// A `Simulation` runs programs in which nothing is real but the code: time stands still while jobs
/// run, and jumps to the next event when none is left.  All chance comes from one seed, so the same
/// seed gives the same run, to the byte of `trace()`.
///
///     Simulation simulation;
///     simulation.run([]() -> Deferred<> {
///       co_await Clock::after(24h);  // takes no time
///     });
///
/// - Threads: one thread at a time; `In_thread::run` makes jobs.
class Simulation {
 public:
  struct Options {
    /// The same seed gives the same run.  Without one it is taken from the environment variable
    /// ASYNC_SIMULATION_SEED, or else from chance.  It is logged.
    std::optional<std::uint64_t> seed = std::nullopt;
  };

  Simulation();
  explicit Simulation(Options options);
  Simulation(const Simulation&) = delete;
  Simulation& operator=(const Simulation&) = delete;
  ~Simulation();

  std::uint64_t seed() const noexcept;

  /// `run(main)` runs `main` as `Scheduler::go` does, and ends with it.  It may be called
  /// several times; time goes on from where it was.
  ///
  /// - Errors: rethrows the failure of what `main()` returned, or the first error that
  ///   reached the top monitor.  Throws `Stuck` if nothing can happen any more.
  template <class F>
  auto run(F main) -> internal::Value_in<std::invoke_result_t<F&>>;

  /// `now()` is the virtual time.  The first run begins with 1 January 2000, 0:00 UTC.
  Time_ns now() const noexcept;

  /// `raise_signal(number)` is as if the process had received that signal.
  void raise_signal(int number);

  class State;

 private:
  void run_main(std::move_only_function<Deferred<>()> main);

  std::unique_ptr<State> state_;
};

template <class F>
auto Simulation::run(F main) -> internal::Value_in<std::invoke_result_t<F&>> {
  using T = internal::Value_in<std::invoke_result_t<F&>>;
  std::optional<Value_of<T>> value;
  run_main([&]() -> Deferred<> {
    if constexpr (std::is_void_v<T>) {
      co_await main();
      value.emplace();
    } else {
      value.emplace(co_await main());
    }
  });
  if (!value) throw Scheduler_ended();
  if constexpr (!std::is_void_v<T>) return std::move(*value);
}

}  // namespace async::testing
