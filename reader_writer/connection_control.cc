// How a connection is watched, shaped and held back: what connection.cc does without.

#include <array>
#include <stdexcept>
#include <utility>

#include "async/choose.h"
#include "async/coroutine.h"
#include "async/internal/time_state.h"
#include "reader_writer/connection.h"
#include "reader_writer/internal/absent_transport.h"

namespace async::internal {

Extras& Connection::extras() {
  if (!extras_) extras_ = std::make_unique<Extras>();
  return *extras_;
}

Time_ns Connection::now() const noexcept {
  return static_cast<const Time_state&>(*context_->environment->time_source).read();
}

// Pausing.

void Connection::resume_reading() noexcept {
  if (!std::exchange(is_paused_, false)) return;
  if (pending_read_ || awaits_peer_end()) transport_->want_readable(true);
  if (!pending_read_) return;
  // Not here: who resumes may be reading.
  const With_context with(*context_);
  Scheduler::schedule([self = Ref<Connection>::share(this)] { self->finish_pending_read(); });
}

// Throttling.

void Connection::flush_now() noexcept {
  if (!can_write() || is_blocked_) return;
  const auto alive = Ref<Connection>::share(this);
  flush();
}

// A loop that writes may not have let the transport take anything yet.
void Connection::offer_if_over_mark() noexcept {
  if (to_write_.num_bytes() > water_marks().high) flush_now();
}

std::optional<Send_error> Connection::refusal(std::size_t n) noexcept {
  if (is_exchanging_ && can_write()) return Send_error::Upgrading;
  if (can_write()) offer_if_over_mark();
  if (!can_write()) return Send_error::Not_connected;
  const std::size_t waiting = to_write_.num_bytes();
  const bool is_over_limit = waiting > 0 && n > buffer_limit_ - std::min(waiting, buffer_limit_);
  if (is_throttled_ || is_over_limit) return Send_error::Not_writeable;
  return std::nullopt;
}

bool Connection::is_throttled() noexcept {
  offer_if_over_mark();
  return is_throttled_;
}

Deferred<> Connection::pushed_back() {
  offer_if_over_mark();
  if (!is_throttled_) return determined();
  Ref<Cell<void>>& unthrottled = extras().unthrottled;
  if (!unthrottled) unthrottled = Ref<Cell<void>>::adopt(new Plain_cell<void>);
  return Access::deferred(unthrottled);
}

void Connection::set_water_marks(Water_marks marks) {
  if (marks.low > marks.high)
    throw std::invalid_argument("the low water mark is above the high one");
  extras().water_marks = marks;
  look_at_marks();
}

void Connection::look_at_marks() noexcept {
  const Water_marks marks = water_marks();
  const std::size_t waiting = to_write_.num_bytes();
  if (is_throttled_) {
    if (waiting <= marks.low) unthrottle();
  } else if (is_blocked_ && waiting > marks.high && can_write()) {
    is_throttled_ = true;
    tell(&Connection_observer::throttled);
  }
}

void Connection::unthrottle() noexcept {
  if (!std::exchange(is_throttled_, false)) return;
  tell(&Connection_observer::unthrottled);
  if (!extras_) return;
  if (const auto unthrottled = std::exchange(extras_->unthrottled, nullptr)) {
    unthrottled->root()->fill();
  }
}

// Filters.

void Connection::add_filter(std::shared_ptr<Filter> filter) {
  if (!filter) throw std::invalid_argument("a filter is null");
  extras().filters.add(std::move(filter));
}

void Connection::write_filtered(std::span<const std::string_view> parts) {
  std::size_t size = 0;
  for (const std::string_view part : parts) size += part.size();
  if (!can_write()) {
    static_cast<void>(prepare_to_write(size));
    return;
  }
  std::string bytes = extras_->filters.sent(parts);
  if (bytes.empty() || !prepare_to_write(bytes.size())) return;
  to_write_.take(std::move(bytes));
  written();
}

void Connection::arrived(std::size_t n) noexcept {
  stamp_activity();
  tell(&Connection_observer::received, n);
  if (extras_->filters.is_empty()) return;
  try {
    received_.append(extras_->filters.received(received_.take_last(n)));
    received_.release_if_empty();
  } catch (...) {
    read_error_ = std::current_exception();
    transport_->want_readable(false);
  }
}

// Watching.

template <class F, class... Args>
void Connection::tell(F f, Args... args) const {
  if (!extras_ || !extras_->observed) return;
  const With_context with(*context_);
  extras_->observed->tell(f, args...);
}

void Connection::tell_closed(const Close_result& result) const {
  tell(&Connection_observer::closed, result);
}

void Connection::sent(std::size_t n) noexcept {
  if (n == 0) return;
  stamp_activity();
  tell(&Connection_observer::sent, n);
}

void Connection::observe(std::shared_ptr<Connection_observer> observer) {
  if (!observer) throw std::invalid_argument("an observer is null");
  if (stage_ != Stage::Closed) extras().observed.emplace(std::move(observer), info());
}

Connection_info Connection::info() const {
  return {.number = number_,
          .local = transport_->local_address().value_or(Address::Unix()),
          .remote = remote_};
}

void Connection::stamp_activity() {
  if (extras_->stamps_activity) extras_->last_activity = now();
}

void Connection::set_idle_timeout(std::optional<Span> timeout) {
  if (stage_ != Stage::Open) return;
  Extras& e = extras();
  e.idle_timeout = timeout;
  if (e.idle_timer) std::exchange(e.idle_timer, std::nullopt)->abort();
  if (!timeout) return;
  e.stamps_activity = true;
  e.last_activity = now();
  set_idle_timer(*timeout);
}

void Connection::set_idle_timer(Span after) {
  const With_context with(*context_);
  extras_->idle_timer = Clock::Event::run_after(after, [this] { look_whether_idle(); });
}

void Connection::look_whether_idle() noexcept {
  const auto alive = Ref<Connection>::share(this);
  extras_->idle_timer.reset();
  const Span left(extras_->idle_timeout->ns() - (now() - extras_->last_activity));
  if (left > Span()) {
    set_idle_timer(left);
  } else if (to_write_.is_empty()) {
    static_cast<void>(begin_to_close(Close_options(), Close_reason::Idle));
  } else {  // nothing of what waits has been taken for that long
    static_cast<void>(give_up(Close_reason::Idle));
  }
}

void Connection::set_max_lifetime(Span lifetime) {
  if (stage_ != Stage::Open) return;
  const With_context with(*context_);
  std::optional<Clock::Event>& timer = extras().lifetime_timer;
  if (timer) timer->abort();
  timer = Clock::Event::run_after(lifetime, [this] {
    const auto alive = Ref<Connection>::share(this);
    extras_->lifetime_timer.reset();
    static_cast<void>(begin_to_close(Close_options(), Close_reason::Max_lifetime));
  });
}

void Connection::stop_watching() noexcept {
  if (!extras_) return;
  for (std::optional<Clock::Event>* timer : {&extras_->idle_timer, &extras_->lifetime_timer}) {
    if (*timer) std::exchange(*timer, std::nullopt)->abort();
  }
}

Deferred<> Connection::idle(Ref<Connection> self, Span span) {
  const Deferred<Close_result> closed = self->close_finished();
  if (!self->extras().stamps_activity) {
    self->extras().stamps_activity = true;
    self->extras().last_activity = self->now();
  }
  while (!closed.is_determined()) {
    const Span left(span.ns() - (self->now() - self->extras().last_activity));
    if (left <= Span()) co_return;
    const auto timer = Clock::Event::after(left);
    co_await choose(choice(closed, [](const Close_result&) {}),
                    choice(timer.fired(), [](Clock::Event::Status) {}));
    timer.abort();
  }
}

// Exchanging what is below.

Connection::Quiet Connection::is_quiet() noexcept {
  if (stage_ != Stage::Open || sending_ != Sending::Open || write_outcome_ || !has_more_to_come()) {
    return Quiet::Closed;
  }
  if (is_exchanging_) return Quiet::Exchanging;
  if (is_reading() || is_paused_) return Quiet::Reading;
  if (!received_.unread().empty()) return Quiet::Unread;
  return to_write_.is_empty() ? Quiet::Yes : Quiet::Unwritten;
}

Connection::Taken Connection::take_transport() {
  auto absent = std::make_unique<Absent_transport>(*transport_);
  const Deferred<> closed = absent->closed();
  transport_->want_readable(false);
  transport_->set_user(nullptr);
  is_exchanging_ = true;
  return {.transport = std::exchange(transport_, std::move(absent)), .closed = closed};
}

void Connection::give_transport(std::unique_ptr<Transport> transport) noexcept {
  const auto alive = Ref<Connection>::share(this);
  is_exchanging_ = false;
  if (stage_ == Stage::Closed) {
    transport->close(Transport::How::Reset);
    return;
  }
  transport_ = std::move(transport);
  transport_->set_user(this);
  if (pending_read_ && !is_paused_) transport_->want_readable(true);
  if (std::exchange(is_blocked_, false)) flush();
}

void Connection::lose_transport(const Error& error) noexcept {
  const auto alive = Ref<Connection>::share(this);
  is_exchanging_ = false;
  if (stage_ == Stage::Closed) return;
  read_error_ = error.exception();
  close_for(Close_reason::Error);
  finish_closing(Flush_result::Error, Transport::How::Reset);
}

}  // namespace async::internal
