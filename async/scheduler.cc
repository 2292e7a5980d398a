#include "async/scheduler.h"

#include <stdexcept>

#include "async/internal/engine.h"

namespace async {

using internal::engine;
using internal::Ref;

Deferred<> Scheduler::yield() { return engine().yielded(); }

Deferred<> Scheduler::yield_until_no_jobs_remain() {
  do {
    co_await yield();
  } while (!engine().normal.is_empty() || !engine().low.is_empty());
}

void Scheduler::force_current_cycle_to_end() { engine().force_current_cycle_to_end(); }

Ref<internal::Context> Scheduler::make_context(const Context& context) {
  Ref<internal::Context> made = internal::kernel().current;
  if (context.monitor) {
    made = made->with_monitor(internal::Monitor_access::core(*context.monitor));
  }
  if (context.priority) made = made->with_priority(*context.priority);
  if (context.time_source) {
    auto environment = made->environment->copy();
    environment->time_source = context.time_source->state_;
    made = made->with_environment(std::move(environment));
  }
  return made;
}

struct Scheduler::Hook::State {
  State(internal::List<internal::Cycle_hook>& hooks, std::move_only_function<void()> f)
      : hook(Ref<internal::Cycle_hook>::adopt(new internal::Cycle_hook(std::move(f)))) {
    hooks.push_back(*hook);
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() {
    if (hook->is_linked()) hook->unlink();
  }

  const Ref<internal::Cycle_hook> hook;
};

Scheduler::Hook::Hook(std::unique_ptr<State> state) : state_(std::move(state)) {}
Scheduler::Hook::Hook(Hook&&) noexcept = default;
Scheduler::Hook& Scheduler::Hook::operator=(Hook&&) noexcept = default;
Scheduler::Hook::~Hook() = default;

Scheduler::Hook Scheduler::add_every_cycle_start_hook(std::move_only_function<void()> f) {
  return Hook(std::make_unique<Hook::State>(engine().start_hooks, std::move(f)));
}

Scheduler::Hook Scheduler::add_every_cycle_end_hook(std::move_only_function<void()> f) {
  return Hook(std::make_unique<Hook::State>(engine().end_hooks, std::move(f)));
}

std::uint64_t Scheduler::cycle_count() { return engine().num_cycles; }

std::uint64_t Scheduler::num_jobs_run() { return engine().num_jobs_run; }

void Scheduler::set_max_num_jobs_per_priority_per_cycle(int n) {
  if (n <= 0) throw std::invalid_argument("a cycle runs at least one job of a priority");
  engine().max_num_jobs_per_priority_per_cycle = n;
}

}  // namespace async
