#include "tcp/tls/internal/tls_transport.h"

#include <algorithm>
#include <cerrno>
#include <memory>
#include <utility>
#include <vector>

#include "async/io/io_error.h"

namespace async::Tls::internal {

namespace {

constexpr std::size_t most_at_once = 256 * 1024;  // encrypted before it is handed over
constexpr std::size_t input_size = 64 * 1024;

// Buffers of the thread: nothing stays in them between two calls.
std::string& output_buffer() {
  thread_local std::string buffer;
  buffer.clear();
  return buffer;
}

std::span<char> input_buffer() {
  thread_local const auto buffer = std::make_unique_for_overwrite<char[]>(input_size);
  return {buffer.get(), input_size};
}

/// What is offered to be written, in pieces of at most one record each.  Large parts are not
/// copied.
class Pieces {
 public:
  explicit Pieces(std::span<const std::string_view> parts) : parts_(parts) {}

  void pass_over(std::size_t n) noexcept {
    while (n > 0 && !parts_.empty()) {
      const std::size_t here = std::min(n, rest().size());
      advance(here);
      n -= here;
    }
  }

  /// `next()` is the next piece, which is valid until the one after it; empty at the end.
  std::string_view next() noexcept {
    if (parts_.empty()) return {};
    const std::string_view first = rest().substr(0, Engine::max_record);
    if (first.size() == Engine::max_record || parts_.size() == 1) {
      advance(first.size());
      return first;
    }
    thread_local const auto gathered = std::make_unique_for_overwrite<char[]>(Engine::max_record);
    std::size_t size = 0;
    while (!parts_.empty() && size < Engine::max_record) {
      const std::size_t n = rest().copy(gathered.get() + size, Engine::max_record - size);
      advance(n);
      size += n;
    }
    return {gathered.get(), size};
  }

 private:
  std::string_view rest() const noexcept { return parts_.front().substr(taken_); }
  void advance(std::size_t n) noexcept {
    taken_ += n;
    if (taken_ < parts_.front().size()) return;
    parts_ = parts_.subspan(1);
    taken_ = 0;
  }

  std::span<const std::string_view> parts_;
  std::size_t taken_ = 0;  // of the first one
};

Io_result tls_failed() { return Io_result::failed(io_error_of_errno(EPROTO)); }

}  // namespace

// Reading.

bool Tls_transport::has_more() const noexcept { return !unread_.empty() || engine_->has_more(); }

Io_result Tls_transport::read(std::span<char> into) noexcept {
  const std::string kept = std::exchange(unread_, std::string());
  engine_->set_input(kept);
  if (kept.empty() && !engine_->has_more()) {
    if (const Io_result more = read_below(); more.status != Io_result::Status::Ok) return more;
  }
  for (;;) {
    std::string& out = output_buffer();
    const Engine::Read read = engine_->read(into, out);
    if (!out.empty()) send_by_itself(out);
    switch (read.status) {
      case Engine::Status::Done:
        unread_ = engine_->input();
        if (has_more()) more_has_come();
        return Io_result::ok(read.bytes);
      case Engine::Status::Ended:
        return Io_result::eof();
      case Engine::Status::Failed:
        return tls_failed();
      case Engine::Status::Wants_input:
        break;
    }
    if (const Io_result more = read_below(); more.status != Io_result::Status::Ok) return more;
  }
}

Io_result Tls_transport::read_below() noexcept {
  const Io_result result = below().read(input_buffer());
  if (result.status == Io_result::Status::Ok) {
    engine_->set_input({input_buffer().data(), result.bytes});
  } else if (result.status == Io_result::Status::Eof) {
    engine_->input_has_ended();
    return Io_result::ok(0);  // the engine knows what that means
  }
  return result;
}

// Writing.

Io_result Tls_transport::write(std::span<const std::string_view> parts) noexcept {
  std::error_code error = send_kept();
  if (unsent_.empty() && !error) {
    Pieces pieces(parts);
    pieces.pass_over(plain_that_left_);
    std::string_view piece = pieces.next();
    while (!piece.empty() && unsent_.empty() && !error) {
      std::string& out = output_buffer();
      thread_local std::vector<Record> records;
      records.clear();
      for (; !piece.empty() && out.size() < most_at_once; piece = pieces.next()) {
        const std::size_t before = out.size();
        if (engine_->write(piece, out) != Engine::Status::Done) return tls_failed();
        records.push_back(Record{.plain = piece.size(), .encrypted = out.size() - before});
      }
      error = send_records(out, records);
    }
  }
  if (error) return Io_result::failed(error);
  const std::size_t done = std::exchange(plain_that_left_, 0);
  return done > 0 ? Io_result::ok(done) : Io_result::would_block();
}

std::size_t Tls_transport::send(std::string_view out, std::error_code& error) noexcept {
  std::size_t sent = 0;
  while (sent < out.size()) {
    const std::string_view rest = out.substr(sent);
    const Io_result result = below().write({&rest, 1});
    if (result.status == Io_result::Status::Error) error = result.error;
    if (result.status != Io_result::Status::Ok) break;
    sent += result.bytes;
  }
  return sent;
}

std::error_code Tls_transport::send_records(std::string_view out,
                                            std::span<const Record> records) noexcept {
  std::error_code error;
  const std::size_t sent = send(out, error);
  if (sent == out.size()) {
    for (const Record& record : records) plain_that_left_ += record.plain;
    return error;
  }
  for (const Record& record : records) records_.push_back(record);
  has_left(sent);
  unsent_.assign(out.substr(sent));
  return error;
}

std::error_code Tls_transport::send_kept() noexcept {
  if (unsent_.empty()) return {};
  std::error_code error;
  const std::size_t sent = send(unsent_, error);
  has_left(sent);
  unsent_.erase(0, sent);
  if (!unsent_.empty()) return error;
  unsent_ = std::string();  // it may have been long
  if (end_ == End::Ending) {
    end_ = End::Ended;
    below().shutdown_send();
  }
  return error;
}

void Tls_transport::has_left(std::size_t encrypted) noexcept {
  while (encrypted > 0) {
    Record& record = records_.front();
    const std::size_t here = std::min(encrypted, record.encrypted);
    record.encrypted -= here;
    encrypted -= here;
    if (record.encrypted > 0) return;
    plain_that_left_ += record.plain;
    records_.pop_front();
  }
  if (records_.is_empty()) records_.release();
}

void Tls_transport::send_by_itself(std::string_view out) noexcept {
  const Record record{.plain = 0, .encrypted = out.size()};
  if (unsent_.empty()) {
    static_cast<void>(send_records(out, {&record, 1}));  // who writes next sees the error
  } else {
    records_.push_back(record);
    unsent_ += out;
  }
  if (!unsent_.empty()) below().want_writable(true);
}

void Tls_transport::want_writable(bool wanted) noexcept {
  wants_writable_ = wanted;
  // Nobody may have anything to write but the engine.
  if (!wanted) static_cast<void>(send_kept());
  below().want_writable(wanted || !unsent_.empty());
}

// Ending.

void Tls_transport::say_end() noexcept {
  if (end_ != End::Open) return;
  end_ = End::Ending;
  std::string& out = output_buffer();
  engine_->end(out);
  if (!out.empty()) send_by_itself(out);
}

std::error_code Tls_transport::shutdown_send() noexcept {
  say_end();
  if (!unsent_.empty() || end_ == End::Ended) return {};
  end_ = End::Ended;
  return below().shutdown_send();
}

std::size_t Tls_transport::unacknowledged() const noexcept {
  return unsent_.size() + below().unacknowledged();
}

void Tls_transport::close(How how) noexcept {
  if (how == How::In_order) say_end();  // as far as it is taken
  end_ = End::Ended;
  Transport_layer::close(how);
}

std::exception_ptr Tls_transport::exception_of(std::error_code code, const std::string& doing,
                                               std::uint64_t connection) const {
  if (code != std::errc::protocol_error || !engine_->has_failed()) {
    return Transport_layer::exception_of(code, doing, connection);
  }
  const Error& error = engine_->error();
  return std::make_exception_ptr(Error(error.kind(), error.what(), connection));
}

}  // namespace async::Tls::internal
