// async/testing/simulation.h: a whole program in virtual time, over a network in memory.
//
// Layer: async/testing.  Read next: sim_world.h and sim_backend.h, for how it works.

#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <type_traits>
#include <utility>
#include <vector>

#include "async/deferred.h"
#include "async/io/inet_addr.h"
#include "async/scheduler.h"
#include "async/testing/sim_network.h"
#include "async/time_ns.h"

namespace async::testing {

/// Nothing is left that could happen, but the program has not ended.
class Stuck : public std::runtime_error {
 public:
  explicit Stuck(std::uint64_t seed);
};

struct Name_options {
  /// How long looking it up takes.
  Span delay = {};
  /// What looking it up fails with, in place of an answer.
  std::error_code error = {};
};

/// A machine of a simulation, which it must not outlive.  It is a handle.
class Host {
 public:
  const std::string& name() const noexcept;
  /// `addrs()` are its addresses: an IPv4 and an IPv6 one, unless others were chosen.
  const std::vector<Inet_addr>& addrs() const noexcept;

  /// `num_descriptors()` is how many descriptors are open on it.
  int num_descriptors() const noexcept { return network_->num_descriptors(); }

  /// `within(f)` calls `f()` now, as code that runs on this machine: its network is the machine's.
  /// What `f` starts stays there.  Errors go where `Scheduler::within` sends them.
  template <class F>
  auto within(F f) const -> std::invoke_result_t<F&>;

 private:
  friend class Simulation;
  explicit Host(internal::Ref<Sim_network> network) : network_(std::move(network)) {}

  internal::Ref<internal::Context> context() const;

  internal::Ref<Sim_network> network_;
};

/// A `Simulation` runs programs in which nothing is real but the code: time stands still while jobs
/// run, and jumps to the next event when none is left.  All chance comes from one seed, so the same
/// seed gives the same run, to the byte of `trace()`.
///
///     Simulation simulation;
///     Host server = simulation.host("server");
///     simulation.run([&]() -> Deferred<> {
///       dont_wait_for(server.within(serve));
///       co_await Clock::after(24h);  // takes no time
///       co_await Tcp::with_connection(Tcp::to_host_and_port("server", 80), talk);
///     });
///
/// The program that is given to `run` runs on a machine called "localhost".  Every machine has
/// addresses of its own, and the loopback's.  A machine's name can be looked up by all.
///
/// - Threads: one thread at a time; `In_thread::run` makes jobs.
class Simulation {
 public:
  struct Options {
    /// The same seed gives the same run.  Without one it is taken from the environment variable
    /// ASYNC_SIMULATION_SEED, or else from chance.  It is logged.
    std::optional<std::uint64_t> seed = std::nullopt;
    /// How long a byte takes from one machine to another.
    Span delay = std::chrono::milliseconds(1);
    /// How many descriptors a machine has.
    int max_descriptors = 20'000;
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

  /// `host(name)` is the machine of that name, which is made when it is asked for first; with
  /// `addrs` if some are given.
  Host host(const std::string& name, std::vector<Inet_addr> addrs = {});

  /// `set_delay(a, b, delay)` is how long a byte takes between these two, in each direction.
  void set_delay(const Host& a, const Host& b, Span delay);

  /// `set_name(name, addrs)` is what looking `name` up gives from now on.
  void set_name(const std::string& name, std::vector<Inet_addr> addrs, Name_options options = {});

  /// `set_black_hole(addr)` has whatever asks `addr` for a connection vanish from now on, whether a
  /// machine has that address or not: the one who asked hears nothing, and its system gives up
  /// after 127 seconds.  `set_black_hole(addr, false)` ends it.  Connections that there are go on.
  void set_black_hole(const Inet_addr& addr, bool is_black_hole = true);

  /// `trace()` is what went over the network so far, a line for each thing, with the time since
  /// the beginning.
  const std::string& trace() const noexcept;

  /// `now()` is the virtual time.  The first run begins with 1 January 2000, 0:00 UTC.
  Time_ns now() const noexcept;

  /// `raise_signal(number)` is as if the process had received that signal.
  void raise_signal(int number);

 private:
  struct State;
  void run_main(std::move_only_function<Deferred<>()> main);

  std::unique_ptr<State> state_;
};

template <class F>
auto Host::within(F f) const -> std::invoke_result_t<F&> {
  return internal::call_in(*context(), f);
}

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
