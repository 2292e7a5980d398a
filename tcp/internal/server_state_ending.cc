// How a server ends: the second half of server_state.cc.

#include <algorithm>
#include <utility>

#include "async/choose.h"
#include "async/coroutine.h"
#include "async/internal/engine.h"
#include "tcp/internal/server_state.h"

namespace async::Tcp::internal {

using async::internal::With_context;

Deferred<> Server_state::close(Or_error<void> how) noexcept {
  const auto alive = Ref<Server_state>::share(this);
  if (!is_closed()) {
    stop_listening();
    closed_.fill();
    stopped_.fill(std::move(how));
    check_all_done();
  }
  return close_finished();
}

void Server_state::close_connections() noexcept {
  for (Client& client : clients_) client.close();
}

void Server_state::stop_listening() noexcept {
  stage_ = Stage::Closed;
  line_.clear();
  for (const auto& acceptor : acceptors_) acceptor->close();
}

void Server_state::check_all_done() noexcept {
  if (!is_closed() || num_connections_ > 0) return;
  Ends_with_scheduler::unlink();
  all_done_.fill();
  stopping_.fill_if_empty();  // whoever still waits for that has outlived its handler
  release();
}

Deferred<Stop_report> Server_state::stop(Stop_options options) {
  const auto alive = Ref<Server_state>::share(this);
  const With_context with(*context_);
  if (!stop_) {
    static_cast<void>(close());
    stopping_.fill_if_empty();
    const auto bound = Clock::Event::after(options.wait);
    stop_ = {.bound = bound, .report = stop_within(alive, bound, options.wait_after_abort)};
  } else if (const Time_ns sooner = Clock::now() + options.wait;
             sooner < stop_->bound.scheduled_at()) {
    stop_->bound.reschedule_at(sooner);
  }
  return stop_->report;
}

Deferred<Stop_report> Server_state::stop_within(Ref<Server_state> self, Clock::Event bound,
                                                Span wait_after_abort) {
  const int num_clients = self->num_served();
  const std::uint64_t dropped_before = self->bytes_dropped_so_far();
  co_await any_unit(self->all_done_.read(), bound.fired());
  bound.abort();
  const int aborted = self->num_served();
  if (aborted > 0) {
    for (Client& client : self->clients_) client.abort();
    static_cast<void>(co_await Clock::with_timeout(wait_after_abort, self->all_done_.read()));
  }
  co_return Stop_report{.finished = num_clients - aborted,
                        .aborted = aborted,
                        .still_running = self->num_served(),
                        .bytes_dropped = self->bytes_dropped_so_far() - dropped_before};
}

int Server_state::num_served() noexcept {
  int n = 0;
  for (const Client& client : clients_) n += client.connection() ? 1 : 0;
  return n;
}

// Clients that are there have not told their count yet.
std::uint64_t Server_state::bytes_dropped_so_far() noexcept {
  std::uint64_t bytes = counts_.bytes_dropped;
  for (const Client& client : clients_) {
    if (const auto& connection = client.connection()) bytes += (*connection)->bytes_dropped();
  }
  return bytes;
}

void Server_state::scheduler_ends() noexcept {
  if (!is_closed()) stop_listening();
  while (!clients_.is_empty()) clients_.pop_front().scheduler_ends();
  release();
}

}  // namespace async::Tcp::internal
