#include "async/testing/simulation.h"

#include <chrono>
#include <cstdlib>
#include <map>
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

struct Simulation::State {
  explicit State(const Options& options)
      : seed(choose_seed(options.seed)),
        max_descriptors(options.max_descriptors),
        world(seed, beginning, options.delay) {}

  const std::uint64_t seed;
  const int max_descriptors;
  Time_ns now = beginning;  // while nothing runs
  Sim_world world;
  std::map<std::string, Ref<Sim_network>> hosts;
  Sim_backend* backend = nullptr;  // while something runs
};

const std::string& Host::name() const noexcept { return network_->name(); }

const std::vector<Inet_addr>& Host::addrs() const noexcept { return network_->addrs(); }

Ref<internal::Context> Host::context() const {
  const Ref<internal::Context>& here = internal::kernel().current;
  auto environment = here->environment->copy();
  environment->network = network_;
  return here->with_environment(std::move(environment));
}

Simulation::Simulation() : Simulation(Options()) {}

Simulation::Simulation(Options options) : state_(std::make_unique<State>(options)) {
  Log::info("simulation with seed " + std::to_string(seed()));
}

Simulation::~Simulation() = default;

std::uint64_t Simulation::seed() const noexcept { return state_->seed; }

const std::string& Simulation::trace() const noexcept { return state_->world.record; }

Host Simulation::host(const std::string& name, std::vector<Inet_addr> addrs) {
  Ref<Sim_network>& network = state_->hosts[name];
  if (!network) {
    if (addrs.empty()) {
      const auto number = static_cast<std::uint8_t>(state_->hosts.size());
      addrs = {Inet_addr::of_string("10.0.0." + std::to_string(number)),
               Inet_addr::of_string("fd00::" + std::to_string(number))};
    }
    network = Ref<Sim_network>::adopt(
        new Sim_network(state_->world, name, addrs, state_->max_descriptors));
    if (name != "localhost") set_name(name, std::move(addrs));
  }
  return Host(network);
}

void Simulation::set_delay(const Host& a, const Host& b, Span delay) {
  state_->world.set_link(*a.network_, *b.network_, Sim_link{.delay = delay});
}

void Simulation::set_name(const std::string& name, std::vector<Inet_addr> addrs,
                          Name_options options) {
  state_->world.names[name] =
      Sim_name{.addrs = std::move(addrs), .delay = options.delay, .error = options.error};
}

void Simulation::set_black_hole(const Inet_addr& addr, bool is_black_hole) {
  if (is_black_hole) {
    state_->world.black_holes.insert(addr);
  } else {
    state_->world.black_holes.erase(addr);
  }
}

Time_ns Simulation::now() const noexcept {
  return state_->backend ? state_->world.now() : state_->now;
}

void Simulation::raise_signal(int number) {
  if (!state_->backend) throw std::logic_error("the simulation is not running");
  state_->backend->raise_signal(number);
}

void Simulation::run_main(std::move_only_function<Deferred<>()> main) {
  auto environment = Ref<internal::Environment>::adopt(new internal::Environment);
  environment->time_source =
      Ref<internal::Simulated_time_state>::adopt(new internal::Simulated_time_state(state_->now));
  environment->random = state_->world.random;
  environment->network = host("localhost").network_;
  auto backend =
      std::make_unique<Sim_backend>(std::move(environment), state_->world.events, [this] {
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
  state_->world.events.clear();
  for (const auto& [name, network] : state_->hosts) network->run_has_ended();
  if (uncaught) std::rethrow_exception(uncaught);
}

}  // namespace async::testing
