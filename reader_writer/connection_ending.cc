// How a connection ends: the second half of connection.cc.

#include <array>
#include <string>
#include <utility>

#include "async/internal/engine.h"
#include "async/log.h"
#include "reader_writer/connection.h"

namespace async::internal {

namespace {

constexpr std::chrono::seconds longest_lingering(1);
constexpr std::size_t most_to_throw_away = 256 * 1024;

}  // namespace

void Connection::shutdown_send() noexcept {
  if (stage_ == Stage::Open) begin_to_end_sending();
}

void Connection::begin_to_end_sending() noexcept {
  if (sending_ != Sending::Open) return;
  sending_ = Sending::Ending;
  unthrottle();
  if (to_write_.is_empty()) send_end();
}

void Connection::send_end() noexcept {
  sending_ = Sending::Ended;
  transport_->shutdown_send();
}

Deferred<Close_result> Connection::close(Close_options options) {
  program_has_closed_ = true;
  return begin_to_close(options);
}

Deferred<Close_result> Connection::begin_to_close(Close_options options, Close_reason reason) {
  const auto alive = Ref<Connection>::share(this);
  if (stage_ != Stage::Open) return close_finished();
  close_for(reason);
  stop_watching();
  unthrottle();
  if (options.wait_for_peer && has_more_to_come() && !write_outcome_) {
    half_close(options.force_close);
    return close_finished();
  }
  stage_ = Stage::Flushing;
  drop_what_is_unread();
  if (write_outcome_) {
    finish_closing(*write_outcome_, Transport::How::In_order);
  } else if (to_write_.is_empty()) {
    everything_is_flushed();
  } else {
    set_timer(options.force_close, &Connection::force_close);
    flush_later();
  }
  return close_finished();
}

void Connection::half_close(Span force_close) {
  stage_ = Stage::Half_closed;
  begin_to_end_sending();
  set_timer(force_close, &Connection::force_close);
  if (!is_paused_) transport_->want_readable(true);
}

// Nobody may be reading.
bool Connection::awaits_peer_end() const noexcept {
  return stage_ == Stage::Half_closed && received_.unread().size() < received_.size();
}

void Connection::look_whether_both_have_ended() noexcept {
  if (has_more_to_come()) return;
  if (to_write_.is_empty()) {
    finish_closing(Flush_result::Flushed, Transport::How::In_order);
  } else if (!eof_ || eof_->reason != Eof::Reason::Clean) {
    finish_closing(Flush_result::Consumer_left, Transport::How::In_order);
  }
}

void Connection::force_close() noexcept {
  if (to_write_.is_empty()) {  // the other side has not ended
    finish_closing(Flush_result::Flushed, Transport::How::In_order);
  } else {
    finish_closing(Flush_result::Force_closed, Transport::How::Reset);
  }
}

Deferred<Close_result> Connection::abort() {
  program_has_closed_ = true;
  return give_up();
}

Deferred<Close_result> Connection::give_up(Close_reason reason) {
  const auto alive = Ref<Connection>::share(this);
  close_for(reason);
  if (stage_ != Stage::Closed) {
    finish_closing(Flush_result::Force_closed, Transport::How::Reset);
  }
  return close_finished();
}

void Connection::everything_is_flushed() noexcept {
  const auto alive = Ref<Connection>::share(this);
  const bool other_side_has_ended = eof_ && eof_->reason != Eof::Reason::Closed;
  if (other_side_has_ended) {
    finish_closing(Flush_result::Flushed, Transport::How::In_order);
    return;
  }
  stage_ = Stage::Lingering;
  linger();
  if (stage_ != Stage::Lingering) return;
  // Nothing is unread.  If nothing is unacknowledged either, nothing can be lost.
  const bool has_thrown_away = rare_ && rare_->bytes_thrown_away > 0;
  if (!has_thrown_away && transport_->unacknowledged() == 0) {
    finish_closing(Flush_result::Flushed, Transport::How::In_order);
  } else {
    if (sending_ != Sending::Ended) send_end();
    transport_->want_readable(true);
    set_timer(longest_lingering, &Connection::stop_lingering);
  }
}

void Connection::linger() noexcept {
  std::array<char, 16 * 1024> nowhere;
  for (;;) {
    const Io_result result = transport_->read(nowhere);
    if (result.status == Io_result::Status::Would_block) return;
    if (result.status != Io_result::Status::Ok) break;
    rare().bytes_thrown_away += result.bytes;
    if (rare_->bytes_thrown_away > most_to_throw_away) break;
  }
  finish_closing(Flush_result::Flushed, Transport::How::In_order);
}

void Connection::stop_lingering() noexcept {
  finish_closing(Flush_result::Flushed, Transport::How::In_order);
}

void Connection::finish_closing(Flush_result outcome, Transport::How how) noexcept {
  // What came before an end that was waited for can still be read.
  const bool has_all_of_peer = stage_ == Stage::Half_closed && !has_more_to_come();
  std::optional<Eof::Reason> peer_end;
  if (eof_ && eof_->reason != Eof::Reason::Closed) peer_end = eof_->reason;
  stage_ = Stage::Closed;
  drop_what_is_queued(outcome);
  if (has_all_of_peer) {
    resume_reading();
  } else {
    drop_what_is_unread();
  }
  stop_watching();
  if (rare_ && rare_->timer) std::exchange(rare_->timer, std::nullopt)->abort();
  transport_->set_user(nullptr);
  transport_->close(how);
  Ends_with_scheduler::unlink();
  if (consumer_left_ && !consumer_left_->root()->is_determined()) {
    consumer_left_->root()->set_never();
  }
  const Close_result result{.outcome = outcome,
                            .bytes_dropped = bytes_dropped_,
                            .reason = close_reason_.value_or(Close_reason::Closed),
                            .peer_end = peer_end};
  tell_closed(result);
  if (extras_) {  // they may hold handles of this
    extras_->observed.reset();
    extras_->filters = Filters();
  }
  make_closed();
  closed_->root()->fill(result);
  release();
}

void Connection::make_closed() {
  if (!closed_) closed_ = Ref<Cell<Close_result>>::adopt(new Plain_cell<Close_result>);
}

Deferred<Close_result> Connection::close_finished() {
  if (stage_ != Stage::Closed) make_closed();
  if (!closed_) return never<Close_result>();  // the scheduler has ended before
  return Access::deferred(closed_);
}

void Connection::set_timer(Span after, void (Connection::*f)() noexcept) noexcept {
  const With_context with(*context_);
  std::optional<Clock::Event>& timer = rare().timer;
  if (timer) timer->abort();
  timer = Clock::Event::run_after(after, [this, f] {
    rare_->timer.reset();
    const auto alive = Ref<Connection>::share(this);
    (this->*f)();
  });
}

Deferred<> Connection::finish() {
  if (stage_ == Stage::Open) return flushed().map([](Flush_result) {});
  return close_finished().map([](const Close_result&) {});
}

void Connection::scheduler_ends() noexcept {
  if (const std::size_t dropped = to_write_.clear(); dropped > 0) {
    Log::error("the program ended before " + std::to_string(dropped) + " bytes were written to " +
               to_string(remote_));
  }
  stage_ = Stage::Closed;
  rare_ = nullptr;
  if (extras_ && extras_->unthrottled) extras_->unthrottled->root()->set_never();
  extras_ = nullptr;
  transport_->set_user(nullptr);
  transport_->close(Transport::How::In_order);
  if (Turn_task::is_linked()) Turn_task::unlink();
  if (Pending_read* read = std::exchange(pending_read_, nullptr)) read->forget();
  flush_waiters_.forget();
  // Whoever waits may hold a handle of this.
  if (closed_) closed_->root()->set_never();
  if (consumer_left_ && !consumer_left_->root()->is_determined()) {
    consumer_left_->root()->set_never();
  }
  release();
}

}  // namespace async::internal
