// async/internal/context.h: the execution context that every handler captures.
//
// Layer: async.  Read next: monitor_core.h, job.h.
//
// A context is immutable and shared: to change one is to make another.  It says where errors
// go (the monitor), in which queue jobs wait (the priority), and what the world is (the
// environment: time, network, random numbers, and the program's own local values).

#pragma once

#include <cstdint>
#include <utility>

#include "async/internal/monitor_core.h"
#include "async/internal/ref.h"
#include "async/internal/shared.h"
#include "async/priority.h"

namespace async::internal {

/// One binding made by `Scheduler::with_local`, and those made around it.
class Local : public Shared {
 public:
  Local(const void* key, Ref<Local> outer) : key(key), outer_(std::move(outer)) {}

  const void* const key;
  const Local* outer() const noexcept { return outer_.get(); }

 protected:
  ~Local() override {
    // A chain of them goes without recursion.
    while (outer_ && outer_->has_one_ref()) outer_ = std::exchange(outer_->outer_, nullptr);
  }

 private:
  Ref<Local> outer_;
};

class Job_queue;

/// What code takes for the world.  Simulated hosts differ in nothing but this.
class Environment final : public Shared {
 public:
  Environment() = default;

  Ref<Shared> time_source;  // a Time_source::Impl
  Ref<Shared> network;      // a Network of async/io: this layer knows nothing else of it
  Ref<Shared> random;       // a Random::Impl
  Ref<Local> locals;

  Ref<Environment> copy() const {
    auto made = Ref<Environment>::adopt(new Environment);
    made->time_source = time_source;
    made->network = network;
    made->random = random;
    made->locals = locals;
    return made;
  }
};

class Context final : public Pooled {
 public:
  Context(Priority priority, Ref<Monitor_core> monitor, Ref<Environment> environment);

  const std::uint32_t home;  // the id of the scheduler that it belongs to
  const Priority priority;
  Job_queue* const queue;  // where its jobs wait
  const Ref<Monitor_core> monitor;
  const Ref<Environment> environment;

  Ref<Context> with_monitor(Ref<Monitor_core> other) const {
    return Ref<Context>::adopt(new Context(*this, std::move(other)));
  }
  Ref<Context> with_priority(Priority other) const {
    return Ref<Context>::adopt(new Context(other, monitor, environment));
  }
  Ref<Context> with_environment(Ref<Environment> other) const {
    return Ref<Context>::adopt(new Context(priority, monitor, std::move(other)));
  }

  void add_ref() noexcept { ++refs_; }
  void release() noexcept {
    if (--refs_ == 0) destroy();
  }

 private:
  Context(const Context& other, Ref<Monitor_core> monitor)
      : home(other.home),
        priority(other.priority),
        queue(other.queue),
        monitor(std::move(monitor)),
        environment(other.environment) {}
  ~Context() = default;

  /// `destroy()` does so without recursion when a monitor or a value in here holds the last
  /// reference of another context, and so on, as those of `try_with` in `try_with` do.
  [[gnu::noinline]] void destroy() noexcept;

  std::uint32_t refs_ = 1;
  Context* next_ = nullptr;  // to be destroyed
};

}  // namespace async::internal
