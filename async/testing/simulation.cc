#include "async/testing/simulation.h"

#include <chrono>
#include <cstdlib>
#include <random>
#include <stdexcept>

#include "async/internal/engine.h"
#include "async/log.h"
#include "async/testing/sim_backend.h"

namespace async::testing {

using internal::Ref;

namespace {

constexpr Time_ns beginning = std::chrono::sys_days(std::chrono::year(2000) / 1 / 1);

std::uint64_t choose_seed(const std::optional<std::uint64_t>& given) {
  if (given) return *given;
  if (const char* text = std::getenv("ASYNC_SIMULATION_SEED")) {
    return std::strtoull(text, nullptr, 0);
  }
  return std::random_device()();
}

}  // namespace

Stuck::Stuck(std::uint64_t seed)
    : std::runtime_error("the simulation with seed " + std::to_string(seed) +
                         " is stuck: nothing is left that could happen") {}

class Simulation::State {
 public:
  explicit State(std::uint64_t seed)
      : seed(seed), random(Ref<internal::Random_state>::adopt(new internal::Random_state(seed))) {}

  const std::uint64_t seed;
  Time_ns now = beginning;
  Sim_events events;
  const Ref<internal::Random_state> random;
  Sim_backend* backend = nullptr;  // while it runs
};

Simulation::Simulation() : Simulation(Options()) {}

Simulation::Simulation(Options options)
    : state_(std::make_unique<State>(choose_seed(options.seed))) {
  Log::info("simulation with seed " + std::to_string(seed()));
}

Simulation::~Simulation() = default;

std::uint64_t Simulation::seed() const noexcept { return state_->seed; }

Time_ns Simulation::now() const noexcept {
  return state_->backend
             ? static_cast<internal::Time_state&>(*state_->backend->environment()->time_source)
                   .read()
             : state_->now;
}

void Simulation::raise_signal(int number) {
  if (!state_->backend) throw std::logic_error("the simulation is not running");
  state_->backend->raise_signal(number);
}

void Simulation::run_main(std::move_only_function<Deferred<>()> main) {
  auto environment = Ref<internal::Environment>::adopt(new internal::Environment);
  environment->time_source =
      Ref<internal::Simulated_time_state>::adopt(new internal::Simulated_time_state(state_->now));
  environment->random = state_->random;
  auto backend = std::make_unique<Sim_backend>(std::move(environment), state_->events, [this] {
    internal::Engine& e = internal::engine();
    e.uncaught_error(Error(Stuck(seed())), *e.main->monitor);
  });
  state_->backend = backend.get();
  std::exception_ptr uncaught;
  {
    internal::Engine engine(std::move(backend), internal::Engine::On_uncaught::Keep);
    engine.run(std::move(main));
    state_->now = engine.ended_at();
    uncaught = engine.uncaught();
  }
  state_->backend = nullptr;
  if (uncaught) std::rethrow_exception(uncaught);
}

}  // namespace async::testing
