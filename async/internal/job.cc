#include "async/internal/job.h"

#include <utility>

#include "async/internal/kernel.h"

namespace async::internal {

namespace {

constinit thread_local bool is_destroying_contexts = false;
constinit thread_local Context* contexts_to_destroy = nullptr;

}  // namespace

Context::Context(Priority priority, Ref<Monitor_core> monitor, Ref<Environment> environment)
    : home(kernel().id),
      priority(priority),
      queue(priority == Priority::Normal ? &kernel().normal : &kernel().low),
      monitor(std::move(monitor)),
      environment(std::move(environment)) {}

void Context::destroy() noexcept {
  next_ = std::exchange(contexts_to_destroy, this);
  if (is_destroying_contexts) return;
  is_destroying_contexts = true;
  while (Context* context = contexts_to_destroy) {
    contexts_to_destroy = context->next_;
    delete context;
  }
  is_destroying_contexts = false;
}

void Job::leave_queue() noexcept { context->queue->remove(*this); }

void Kernel::change_current(Context* context) noexcept { current = Ref<Context>::share(context); }

void Job_queue::grow() noexcept {
  const std::uint64_t mask = 2 * mask_ + 1;
  auto slots = std::make_unique<Job*[]>(mask + 1);
  for (std::uint64_t at = head_; at != tail_; ++at) slots[at & mask] = slots_[at & mask_];
  slots_ = std::move(slots);
  mask_ = mask;
}

}  // namespace async::internal
