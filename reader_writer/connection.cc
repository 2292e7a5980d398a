#include "reader_writer/connection.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <string>
#include <utility>

#include "async/internal/engine.h"
#include "async/io/io_error.h"
#include "async/log.h"
#include "reader_writer/errors.h"

namespace async::internal {

namespace {

constexpr std::chrono::seconds longest_lingering(1);
constexpr std::chrono::seconds longest_pause(1);
constexpr std::size_t most_to_throw_away = 256 * 1024;
constexpr std::size_t most_parts_at_once = 1024;  // IOV_MAX

std::uint64_t next_number() noexcept {
  static std::atomic<std::uint64_t> last = 0;
  return ++last;
}

}  // namespace

Connection::Connection(std::unique_ptr<Transport> transport, Address::Any remote,
                       Connection_limits limits)
    : number_(next_number()),
      context_(kernel().current),
      transport_(std::move(transport)),
      remote_(std::move(remote)),
      limits_(limits),
      received_(limits.reader_buffer_size) {
  transport_->set_user(this);
  engine().open.push_back(*this);
  // The count that this begins with is its own, until it is Closed.
}

Connection::~Connection() = default;

void Connection::remove_handle() noexcept {
  const bool is_last = --num_handles_ == 0;
  const Kernel* k = thread_state.kernel;
  // When the scheduler ends, all that is open is closed anyway.
  if (is_last && stage_ == Stage::Open && k && k->id == context_->home) {
    static_cast<void>(close(Close_options()));
  }
}

// Reading.

bool Connection::is_reading() noexcept {
  if (pending_read_ && !pending_read_->is_wanted()) forget_pending_read();
  return pending_read_ != nullptr;
}

void Connection::wait_to_read(Pending_read& read) noexcept {
  received_.release_if_empty();
  pending_read_ = &read;
  add_handle();
  transport_->want_readable(true);
}

void Connection::forget_pending_read() noexcept {
  if (Pending_read* read = std::exchange(pending_read_, nullptr)) {
    read->forget();
    remove_handle();
  }
}

void Connection::finish_pending_read() noexcept {
  if (!pending_read_ || !pending_read_->try_to_finish()) return;
  pending_read_ = nullptr;
  remove_handle();
}

void Connection::readable() noexcept {
  if (stage_ == Stage::Lingering) {
    linger();
  } else if (!is_reading() || !has_more_to_come()) {
    transport_->want_readable(false);
  } else {
    read_once();
    finish_pending_read();
  }
}

void Connection::read_once() noexcept {
  const Io_result result = transport_->read(received_.space());
  switch (result.status) {
    case Io_result::Status::Ok:
      received_.added(result.bytes);
      break;
    case Io_result::Status::Would_block:
      received_.release_if_empty();
      break;
    case Io_result::Status::Eof:
      end_reading(Eof::Reason::Clean);
      break;
    case Io_result::Status::Error:
      reading_failed(result.error);
      break;
  }
}

void Connection::reading_failed(std::error_code error) noexcept {
  switch (-error.value()) {
    case ECONNRESET:
    case ECONNABORTED:
    case EPIPE:
    case ENOTCONN:
    case ENETRESET:
      end_reading(Eof::Reason::Reset);
      break;
    case ETIMEDOUT:
    case EHOSTUNREACH:
    case ENETUNREACH:
    case ENETDOWN:
      end_reading(Eof::Reason::Timed_out);
      break;
    default:
      read_error_ = std::make_exception_ptr(
          Io_error(error, "read from " + to_string(remote_)).on_connection(number_));
      transport_->want_readable(false);
  }
}

void Connection::end_reading(Eof::Reason reason) noexcept {
  if (!eof_) eof_ = Eof{reason};
  transport_->want_readable(false);
}

void Connection::drop_what_is_unread() noexcept {
  received_.consume(received_.unread().size());  // what has been seen of it stays valid
  end_reading(Eof::Reason::Closed);
  finish_pending_read();
}

// Writing.

bool Connection::prepare_to_write(std::size_t n) {
  if (program_has_closed_ || sending_ != Sending::Open) throw Writer_closed();
  bytes_received_ += n;
  if (write_outcome_ || stage_ != Stage::Open) {
    bytes_dropped_ += n;
    return false;
  }
  if (to_write_.num_bytes() <= limits_.buffer_limit) return true;
  bytes_dropped_ += n;
  fail(Error(Limit_exceeded(Limit_exceeded::Limit::Buffer,
                            "more than " + std::to_string(limits_.buffer_limit) +
                                " bytes waited to be written to " + to_string(remote_),
                            number_)));
  return false;
}

void Connection::written() noexcept { flush_later(); }

void Connection::flush_later() noexcept {
  if (!is_blocked_ && !Turn_task::is_linked()) engine().dirty.push_back(*this);
}

void Connection::run_in_turn() noexcept {
  const auto alive = Ref<Connection>::share(this);
  flush();
}

void Connection::writable() noexcept {
  is_blocked_ = false;
  transport_->want_writable(false);
  flush();
}

void Connection::flush() noexcept {
  while (!to_write_.is_empty()) {
    thread_local std::array<std::string_view, most_parts_at_once> parts;
    const auto first = to_write_.first(parts);
    const Io_result result = transport_->write(first);
    if (result.status == Io_result::Status::Error) {
      writing_failed(result.error);
      return;
    }
    std::size_t offered = 0;
    for (const std::string_view part : first) offered += part.size();
    if (result.status == Io_result::Status::Ok) {
      next_pause_ = shortest_pause;
      bytes_written_ += result.bytes;
      to_write_.pop(result.bytes);
      if (result.bytes == offered) continue;
    }
    is_blocked_ = true;
    transport_->want_writable(true);
    break;
  }
  tell_who_waits_for_flushing(Flush_result::Flushed);
  watch_age();
  if (!to_write_.is_empty()) return;
  if (sending_ == Sending::Ending) send_end();
  if (stage_ == Stage::Flushing) everything_is_flushed();
}

void Connection::writing_failed(std::error_code error) noexcept {
  switch (-error.value()) {
    case EPIPE:
    case ECONNRESET:
    case ECONNABORTED:
    case ENOTCONN:
    case EHOSTUNREACH:
    case ENETDOWN:
    case ENETRESET:
    case ENETUNREACH:
    case ETIMEDOUT:
      consumer_has_left(error);
      break;
    case ENOBUFS:
    case ENOMEM:
      pause();
      break;
    default:
      fail(Error(Io_error(error, "write to " + to_string(remote_)).on_connection(number_)));
  }
}

void Connection::consumer_has_left(std::error_code error) noexcept {
  drop_what_is_queued(Flush_result::Consumer_left);
  consumer_left_.fill_if_empty();
  if (stage_ == Stage::Flushing) {
    finish_closing(Flush_result::Consumer_left, Transport::How::In_order);
  } else if (raise_when_consumer_leaves_) {
    raise(Error(Io_error(error, "write to " + to_string(remote_)).on_connection(number_)));
  }
}

// The kernel has no memory for more just now, and nothing tells when it has.
void Connection::pause() noexcept {
  is_blocked_ = true;
  const With_context with(*context_);
  pause_ = Clock::Event::run_after(next_pause_, [this] {
    pause_.reset();
    const auto alive = Ref<Connection>::share(this);
    is_blocked_ = false;
    flush();
  });
  next_pause_ = std::min(Span(2 * next_pause_.ns()), Span(longest_pause));
  watch_age();
}

void Connection::fail(const Error& error) noexcept {
  const auto alive = Ref<Connection>::share(this);
  raise(error);
  if (stage_ != Stage::Closed) finish_closing(Flush_result::Error, Transport::How::Reset);
}

void Connection::raise(const Error& error) noexcept {
  if (monitor_) {
    monitor_->send(error);
  } else {
    context_->monitor->receive(error);
  }
}

Monitor Connection::monitor() {
  if (!monitor_) {
    const With_context with(*context_);
    monitor_ = Monitor::create("the writer to " + to_string(remote_));
  }
  return *monitor_;
}

void Connection::drop_what_is_queued(Flush_result why) noexcept {
  if (!write_outcome_) write_outcome_ = why;
  bytes_dropped_ += to_write_.clear();
  is_blocked_ = false;
  if (pause_) std::exchange(pause_, std::nullopt)->abort();
  transport_->want_writable(false);
  if (Turn_task::is_linked()) Turn_task::unlink();
  tell_who_waits_for_flushing(*write_outcome_);
  watch_age();
}

Deferred<Flush_result> Connection::flushed() {
  if (bytes_written_ == bytes_received_) return determined(Flush_result::Flushed);
  if (write_outcome_) return determined(Flush_result(*write_outcome_));
  auto cell = Ref<Cell<Flush_result>>::adopt(new Plain_cell<Flush_result>);
  flush_waiters_.push_back(Flush_waiter{bytes_received_, cell});
  return Access::deferred(std::move(cell));
}

void Connection::tell_who_waits_for_flushing(Flush_result result) noexcept {
  while (!flush_waiters_.is_empty()) {
    Flush_waiter& first = flush_waiters_.front();
    if (result == Flush_result::Flushed && first.position > bytes_written_) return;
    const Ref<Cell<Flush_result>> cell = std::move(first.cell);
    const bool is_flushed = first.position <= bytes_written_;
    flush_waiters_.pop_front();
    if (cell->is_live()) cell->root()->fill(is_flushed ? Flush_result::Flushed : result);
  }
  flush_waiters_.release();
}

// What waits is marked with the time at most 16 times within the limit, so it can be too old by a
// sixteenth of the limit before that shows.
void Connection::watch_age() noexcept {
  const auto& limit = limits_.buffer_age_limit.span();
  while (!age_marks_.is_empty() && age_marks_.front().position <= bytes_written_) {
    age_marks_.pop_front();
  }
  if (to_write_.is_empty() || !limit) {
    age_marks_.clear();
    age_marks_.release();
    if (age_timer_) std::exchange(age_timer_, std::nullopt)->abort();
    return;
  }
  const With_context with(*context_);
  const Time_ns now = Clock::now();
  if (age_marks_.is_empty() || age_marks_.back().position != bytes_received_) {
    const bool is_recent =
        age_marks_.size() > 1 && now - age_marks_[age_marks_.size() - 2].time < limit->ns() / 16;
    if (is_recent) {
      age_marks_.back() = {bytes_received_, now};
    } else {
      age_marks_.push_back(Age_mark{bytes_received_, now});
    }
  }
  const Time_ns deadline = age_marks_.front().time + *limit;
  if (!age_timer_) {
    age_timer_ = Clock::Event::run_at(deadline, [this] { check_age(); });
  } else {
    age_timer_->reschedule_at(deadline);
  }
}

void Connection::check_age() noexcept {
  age_timer_.reset();
  fail(Error(Limit_exceeded(Limit_exceeded::Limit::Buffer_age,
                            "something waited to be written to " + to_string(remote_) +
                                " for more than " + to_string(*limits_.buffer_age_limit.span()),
                            number_)));
}

void Connection::set_buffer_age_limit(Buffer_age_limit limit) {
  limits_.buffer_age_limit = limit;
  age_marks_.clear();
  if (stage_ != Stage::Closed) watch_age();
}

// Ending.

void Connection::shutdown_send() noexcept {
  if (stage_ != Stage::Open || sending_ != Sending::Open) return;
  sending_ = Sending::Ending;
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

Deferred<Close_result> Connection::begin_to_close(Close_options options) {
  const auto alive = Ref<Connection>::share(this);
  if (stage_ != Stage::Open) return close_finished();
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

void Connection::force_close() noexcept {
  finish_closing(Flush_result::Force_closed, Transport::How::Reset);
}

Deferred<Close_result> Connection::abort() {
  program_has_closed_ = true;
  return give_up();
}

Deferred<Close_result> Connection::give_up() {
  const auto alive = Ref<Connection>::share(this);
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
  if (bytes_thrown_away_ == 0 && transport_->unacknowledged() == 0) {
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
    bytes_thrown_away_ += result.bytes;
    if (bytes_thrown_away_ > most_to_throw_away) break;
  }
  finish_closing(Flush_result::Flushed, Transport::How::In_order);
}

void Connection::stop_lingering() noexcept {
  finish_closing(Flush_result::Flushed, Transport::How::In_order);
}

void Connection::finish_closing(Flush_result outcome, Transport::How how) noexcept {
  stage_ = Stage::Closed;
  drop_what_is_queued(outcome);
  drop_what_is_unread();
  if (timer_) std::exchange(timer_, std::nullopt)->abort();
  transport_->set_user(nullptr);
  transport_->close(how);
  Ends_with_scheduler::unlink();
  closed_.fill(Close_result{.outcome = outcome, .bytes_dropped = bytes_dropped_});
  release();
}

void Connection::set_timer(Span after, void (Connection::*f)() noexcept) noexcept {
  const With_context with(*context_);
  if (timer_) timer_->abort();
  timer_ = Clock::Event::run_after(after, [this, f] {
    timer_.reset();
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
  timer_.reset();
  age_timer_.reset();
  pause_.reset();
  transport_->set_user(nullptr);
  transport_->close(Transport::How::In_order);
  if (Turn_task::is_linked()) Turn_task::unlink();
  if (Pending_read* read = std::exchange(pending_read_, nullptr)) read->forget();
  flush_waiters_.clear();
  release();
}

}  // namespace async::internal
