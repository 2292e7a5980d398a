#include "reader_writer/connection.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <string>
#include <utility>

#include "async/internal/engine.h"
#include "async/io/io_error.h"
#include "reader_writer/errors.h"

namespace async::internal {

namespace {

constexpr std::chrono::seconds longest_pause(1);
constexpr std::size_t most_parts_at_once = 1024;  // IOV_MAX

std::uint64_t next_number() noexcept {
  static std::atomic<std::uint64_t> last = 0;
  return ++last;
}

// How a connection has ended that fails with `error`; nothing if that is no way for one to end.
std::optional<Eof::Reason> end_shown_by(std::error_code error) noexcept {
  switch (-error.value()) {
    case ECONNRESET:
    case ECONNABORTED:
    case EPIPE:
    case ENOTCONN:
    case ENETRESET:
      return Eof::Reason::Reset;
    case ETIMEDOUT:
    case EHOSTUNREACH:
    case ENETUNREACH:
    case ENETDOWN:
      return Eof::Reason::Timed_out;
    default:
      return std::nullopt;
  }
}

}  // namespace

Connection::Connection(std::unique_ptr<Transport> transport, Address::Any remote,
                       Connection_limits limits)
    : number_(next_number()),
      context_(kernel().current),
      transport_(std::move(transport)),
      buffer_limit_(limits.buffer_limit),
      received_(limits.reader_buffer_size),
      age_(limits.buffer_age_limit),
      remote_(std::move(remote)) {
  transport_->set_user(this);
  add_open(*this);
  // The count that this begins with is its own, until it is Closed.
  if (limits.idle_timeout) set_idle_timeout(limits.idle_timeout);
  if (limits.max_lifetime) set_max_lifetime(*limits.max_lifetime);
}

Connection::~Connection() = default;

Connection::Rare& Connection::rare() {
  if (!rare_) rare_ = std::make_unique<Rare>();
  return *rare_;
}

void Connection::remove_handle() noexcept {
  if (--num_handles_ > 1) return;
  const Kernel* k = thread_state.kernel;
  // When the scheduler ends, all that is open is closed anyway.
  if (stage_ != Stage::Open || !k || k->id != context_->home) return;
  if (num_handles_ == 0) {
    static_cast<void>(close(Close_options()));
  } else {
    static_cast<void>(is_reading());  // lets go of a read that was given up
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
  if (!is_paused_) transport_->want_readable(true);
}

void Connection::forget_pending_read() noexcept {
  if (Pending_read* read = std::exchange(pending_read_, nullptr)) {
    read->forget();
    remove_handle();
  }
}

void Connection::finish_pending_read() noexcept {
  if (!pending_read_ || is_paused_ || !pending_read_->try_to_finish()) return;
  pending_read_ = nullptr;
  remove_handle();
}

void Connection::readable() noexcept {
  const bool is_wanted = is_reading() && !is_paused_;  // if not, that may have been the last handle
  if (stage_ == Stage::Lingering) {
    linger();
  } else if (!has_more_to_come() || !(is_wanted || awaits_peer_end())) {
    transport_->want_readable(false);
  } else {
    read_once();
    finish_pending_read();
    if (stage_ == Stage::Half_closed) look_whether_both_have_ended();
  }
}

void Connection::read_once() noexcept {
  const Io_result result = transport_->read(received_.space());
  switch (result.status) {
    case Io_result::Status::Ok:
      received_.added(result.bytes);
      if (extras_) [[unlikely]]
        arrived(result.bytes);
      break;
    case Io_result::Status::Would_block:
      received_.release_if_empty();
      break;
    case Io_result::Status::Eof:
      end_reading(what_eof_means_);
      break;
    case Io_result::Status::Error:
      reading_failed(result.error());
      break;
  }
}

void Connection::reading_failed(std::error_code error) noexcept {
  if (const auto reason = end_shown_by(error)) {
    end_reading(*reason);
  } else {
    read_error_ = transport_->exception_of(error, "read from " + to_string(remote_), number_);
    transport_->want_readable(false);
  }
}

void Connection::end_reading(Eof::Reason reason) noexcept {
  if (!eof_) eof_ = Eof{reason};
  transport_->want_readable(false);
}

void Connection::drop_what_is_unread() noexcept {
  is_paused_ = false;
  received_.drop();
  end_reading(Eof::Reason::Closed);
  finish_pending_read();
}

// Writing.

bool Connection::refuse_to_write(std::size_t n) {
  if (program_has_closed_ || sending_ != Sending::Open) throw Writer_closed();
  bytes_received_ += n;
  if (write_outcome_ || stage_ != Stage::Open) {
    bytes_dropped_ += n;
    return false;
  }
  bytes_dropped_ += n;
  fail(Error(Limit_exceeded(Limit_exceeded::Limit::Buffer,
                            "more than " + std::to_string(buffer_limit_) +
                                " bytes waited to be written to " + to_string(remote_),
                            number_)));
  return false;
}

void Connection::first_written() noexcept {
  if (write_outcome_) return;  // by writing through
  flush_later();
  if (is_blocked_) {  // else that is done when it is flushed
    watch_age();
    look_at_marks();
  }
}

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

// Hands over what is queued and then `more`, as far as the transport takes it, and returns how much
// that is of `more`.
std::size_t Connection::hand_over(std::string_view more) noexcept {
  thread_local std::array<std::string_view, most_parts_at_once> parts;
  std::size_t count = to_write_.first(parts).size();
  if (count < parts.size() && !more.empty()) parts[count++] = more;
  std::size_t offered = parts[0].size();
  for (std::size_t i = 1; i < count; ++i) [[unlikely]]
    offered += parts[i].size();

  const Io_result result = transport_->write(std::span(parts).first(count));
  if (result.status == Io_result::Status::Error) {
    to_write_.copy(more);  // to be counted with the rest, or to wait with it
    writing_failed(result.error());
    return more.size();
  }
  if (result.bytes > 0 && rare_) rare_->next_pause = shortest_pause;
  if (result.bytes < offered) {
    is_blocked_ = true;
    transport_->want_writable(true);
  }
  const std::size_t of_queue = std::min(result.bytes, to_write_.num_bytes());
  bytes_written_ += result.bytes;
  if (extras_) [[unlikely]]
    sent(result.bytes);
  to_write_.pop(of_queue);
  return result.bytes - of_queue;
}

std::string_view Connection::write_through(std::string_view bytes) noexcept {
  if (bytes.size() < min_to_write_through || is_blocked_ ||
      bytes_written_through_ >= most_to_write_through) {
    return bytes;
  }
  const std::size_t taken = hand_over(bytes);
  bytes_written_through_ += taken;
  flush_waiters_.written(bytes_written_);
  return bytes.substr(taken);
}

void Connection::flush() noexcept {
  bytes_written_through_ = 0;
  while (!to_write_.is_empty() && !is_blocked_) {
    static_cast<void>(hand_over({}));
    if (write_outcome_) return;
  }
  flush_waiters_.written(bytes_written_);
  watch_age();
  if (is_blocked_ || is_throttled_) look_at_marks();
  if (!to_write_.is_empty()) return;
  if (sending_ == Sending::Ending) send_end();
  if (stage_ == Stage::Flushing) {
    everything_is_flushed();
  } else if (stage_ == Stage::Half_closed) {
    look_whether_both_have_ended();
  }
}

void Connection::writing_failed(std::error_code error) noexcept {
  if (const auto reason = end_shown_by(error)) {
    // The system says it once: who reads now would see an end in order.  That nobody reads there
    // any more (EPIPE) says nothing about what they have sent.
    if (error != std::errc::broken_pipe) what_eof_means_ = *reason;
    consumer_has_left(error);
  } else if (error == std::errc::no_buffer_space || error == std::errc::not_enough_memory) {
    pause();
  } else {
    fail(Error(transport_->exception_of(error, "write to " + to_string(remote_), number_)));
  }
}

void Connection::consumer_has_left(std::error_code error) noexcept {
  drop_what_is_queued(Flush_result::Consumer_left);
  if (consumer_left_) consumer_left_->root()->fill();
  if (stage_ != Stage::Open) {
    finish_closing(Flush_result::Consumer_left, Transport::How::In_order);
  } else if (raise_when_consumer_leaves_) {
    raise(Error(transport_->exception_of(error, "write to " + to_string(remote_), number_)));
  }
}

Deferred<> Connection::consumer_left() {
  if (write_outcome_ == Flush_result::Consumer_left) return determined();
  if (stage_ == Stage::Closed) return never();
  if (!consumer_left_) consumer_left_ = Ref<Cell<void>>::adopt(new Plain_cell<void>);
  return Access::deferred(consumer_left_);
}

// The kernel has no memory for more just now, and nothing tells when it has.
void Connection::pause() noexcept {
  is_blocked_ = true;
  const With_context with(*context_);
  Rare& r = rare();
  if (r.pause) r.pause->abort();
  r.pause = Clock::Event::run_after(r.next_pause, [this] {
    rare_->pause.reset();
    const auto alive = Ref<Connection>::share(this);
    is_blocked_ = false;
    flush();
  });
  r.next_pause = std::min(Span(2 * r.next_pause.ns()), Span(longest_pause));
  watch_age();
}

void Connection::fail(const Error& error) noexcept {
  const auto alive = Ref<Connection>::share(this);
  raise(error);
  close_for(Close_reason::Error);
  if (stage_ != Stage::Closed) finish_closing(Flush_result::Error, Transport::How::Reset);
}

void Connection::raise(const Error& error) noexcept {
  if (rare_ && rare_->monitor) {
    rare_->monitor->send(error);
  } else {
    context_->monitor->receive(error);
  }
}

Monitor Connection::monitor() {
  std::optional<Monitor>& monitor = rare().monitor;
  if (!monitor) {
    const With_context with(*context_);
    monitor = Monitor::create("the writer to " + to_string(remote_));
  }
  return *monitor;
}

void Connection::drop_what_is_queued(Flush_result why) noexcept {
  if (!write_outcome_) write_outcome_ = why;
  bytes_dropped_ += to_write_.clear();
  is_blocked_ = false;
  if (rare_ && rare_->pause) std::exchange(rare_->pause, std::nullopt)->abort();
  transport_->want_writable(false);
  if (Turn_task::is_linked()) Turn_task::unlink();
  flush_waiters_.written(bytes_written_);  // by a call before the one that has failed
  flush_waiters_.stopped(*write_outcome_);
  watch_age();
  unthrottle();
}

Deferred<Flush_result> Connection::outcome(std::uint64_t position) {
  if (position <= bytes_written_) return determined(Flush_result::Flushed);
  if (bytes_dropped_ > 0) {
    // Of what was written after everything else had been flushed, that is not true.
    const Flush_result why = write_outcome_.value_or(Flush_result::Flushed);
    return determined(why == Flush_result::Flushed ? Flush_result::Force_closed : why);
  }
  return flush_waiters_.wait(position);
}

void Connection::watch_age_of_queue() noexcept {
  const bool is_watched = rare_ && rare_->age_timer;
  if (to_write_.is_empty() && !is_watched) return;
  const With_context with(*context_);
  if (to_write_.is_empty()) {
    age_.forget();
  } else {
    age_.written(bytes_written_);
    age_.mark(bytes_received_, Clock::now());
  }
  if (const auto deadline = age_.deadline()) {
    if (is_watched) {
      rare_->age_timer->reschedule_at(*deadline);
    } else {
      rare().age_timer = Clock::Event::run_at(*deadline, [this] { check_age(); });
    }
  } else if (is_watched) {
    std::exchange(rare_->age_timer, std::nullopt)->abort();
  }
}

void Connection::check_age() noexcept {
  rare_->age_timer.reset();
  fail(Error(Limit_exceeded(Limit_exceeded::Limit::Buffer_age,
                            "something waited to be written to " + to_string(remote_) +
                                " for more than " + to_string(*age_.limit().span()),
                            number_)));
}

void Connection::set_buffer_age_limit(Buffer_age_limit limit) noexcept {
  age_.set_limit(limit);
  if (stage_ != Stage::Closed) watch_age();
}

}  // namespace async::internal
