#include "async/signal.h"

#include <memory>
#include <utility>

#include "async/internal/engine.h"
#include "async/scheduler.h"

namespace async::Signal {

namespace {

/// Owns itself until `stop`, or until the scheduler ends.
class Handler final : public internal::Shared, public internal::Ends_with_scheduler {
 public:
  explicit Handler(std::function<void(int)> f)
      : context_(internal::kernel().current), f_(std::move(f)) {}

  void watch(const std::vector<int>& signals) {
    for (const int number : signals) {
      watches_.push_back(
          internal::engine().backend->watch_signal(number, [this, number] { received(number); }));
    }
    internal::add_open(*this);
    add_ref();
  }
  void stop() noexcept {
    if (!is_linked()) return;
    unlink();
    scheduler_ends();
  }
  void scheduler_ends() noexcept override {
    watches_.clear();
    release();
  }

 private:
  void received(int number) {
    const internal::With_context with(*context_);
    Scheduler::schedule([self = internal::Ref<Handler>::share(this), number] {
      if (self->is_linked()) self->f_(number);
    });
  }

  const internal::Ref<internal::Context> context_;
  std::function<void(int)> f_;
  std::vector<std::unique_ptr<Backend::Signal_watch>> watches_;
};

}  // namespace

void handle(std::vector<int> signals, Handle_options options, std::function<void(int)> f) {
  auto handler = internal::Ref<Handler>::adopt(new Handler(std::move(f)));
  handler->watch(signals);
  or_error(options.stop).upon([handler](const Or_error<void>& stop) {
    if (stop) {
      handler->stop();
    } else if (!stop.error().as<Abandoned>()) {
      stop.error().rethrow();
    }
  });
}

void handle(std::vector<int> signals, std::function<void(int)> f) {
  handle(std::move(signals), Handle_options(), std::move(f));
}

}  // namespace async::Signal
