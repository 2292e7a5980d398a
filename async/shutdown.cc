#include "async/shutdown.h"

#include <csignal>
#include <string>
#include <utility>
#include <vector>

#include "async/all.h"
#include "async/choose.h"
#include "async/clock.h"
#include "async/internal/engine.h"
#include "async/internal/keep.h"
#include "async/log.h"
#include "async/scheduler.h"
#include "async/signal.h"

namespace async {

using internal::engine;
using internal::Shutdown_state;

namespace {

void signal_received(int number) {
  Shutdown_state& state = engine().shutdown();
  if (state.requested.fill_if_empty()) return;
  if (!state.begun.is_full()) {
    Shutdown::shutdown(128 + number);
  } else {
    state.forced.fill_if_empty();
  }
}

void handler_has_ended(const Or_error<void>& result) {
  Shutdown_state& state = engine().shutdown();
  if (!result) {
    Log::error(std::string("a handler of at_shutdown failed: ") + result.error().what());
    state.has_failed = true;
  }
  if (--state.num_handlers > 0) return;
  if (const auto waiting = std::exchange(state.no_handlers, std::nullopt)) waiting->fill();
}

}  // namespace

namespace Shutdown {

Deferred<> requested() {
  Shutdown_state& state = engine().shutdown();
  if (!std::exchange(state.watches_signals, true)) {
    Scheduler::within({.monitor = Monitor::main()},
                      [] { Signal::handle({SIGINT, SIGTERM}, signal_received); });
  }
  return state.requested.read();
}

void shutdown(int status) {
  Shutdown_state& state = engine().shutdown();
  if (state.requested_status.value_or(0) == 0) state.requested_status = status;
  state.begun.fill_if_empty();
}

bool is_shutting_down() { return engine().shutdown().begun.is_full(); }

void at_shutdown(std::move_only_function<Deferred<>()> f) {
  Shutdown_state& state = engine().shutdown();
  ++state.num_handlers;
  state.begun.read().upon([f = std::move(f)]() mutable {
    or_error(internal::call_and_keep(std::move(f))).upon(handler_has_ended);
  });
}

void set_default_force(Span span) { engine().shutdown().force_after = span; }

}  // namespace Shutdown

namespace internal {

Deferred<> Engine::finish_all() {
  List<Ends_with_scheduler> to_finish;
  to_finish.splice_back(open);
  std::vector<Deferred<>> finishing;
  while (!to_finish.is_empty()) {
    Ends_with_scheduler& one = to_finish.pop_front();
    open.push_back(one);
    finishing.push_back(one.finish());
  }
  co_await all_unit(std::move(finishing));
  while (shutdown_->num_handlers > 0) co_await shutdown_->no_handlers.emplace().read();
}

Deferred<> Engine::shut_down() {
  shutdown_->requested.fill_if_empty();
  const Span bound = shutdown_->force_after;
  const auto done = any_unit(finish_all(), shutdown_->forced.read());
  if (co_await Clock::with_timeout(bound, done)) co_return;
  Log::error("the shutdown was forced: it had not finished after " + to_string(bound));
  shutdown_->has_failed = true;
}

}  // namespace internal
}  // namespace async
