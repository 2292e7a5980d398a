#include "tcp/tls/internal/tls_transport.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <utility>

#include "async/io/io_error.h"
#include "tcp/tls/internal/copy_in_pieces.h"
#include "tcp/tls/internal/lent.h"
#include "tcp/tls/internal/output.h"

namespace async::Tls::internal {

namespace {

// What is encrypted before it is handed over: all records but the last of all are full.  Three of
// them are one packet where it may have 64 KiB (a loopback, and cards that segment it); a fourth
// would go beyond by some bytes, as a packet of their own.
constexpr std::size_t most_records_at_once = 3;

/// `send_to(transport, parts)` hands over all of `parts` that it takes; the rest is in `parts`.  It
/// gives what the last attempt came to.
Io_result send_to(Transport& transport, std::span<std::string_view> parts) noexcept {
  Io_result result = Io_result::ok(0);
  while (!parts.empty()) {
    result = transport.write(parts);
    if (result.status != Io_result::Status::Ok) break;
    std::size_t taken = result.bytes;
    while (taken > 0) {
      std::string_view& part = parts.front();
      const std::size_t here = std::min(taken, part.size());
      part.remove_prefix(here);
      taken -= here;
      if (part.empty()) parts = parts.subspan(1);
    }
  }
  return result;
}

/// What an engine says in one call or in several, on its way to the transport below.  A record by
/// itself goes there straight from BoringSSL's buffer, and so does the last of several, if it is
/// large, behind those that were kept.
class Sending final : public Output {
 public:
  explicit Sending(Transport& below) : below_(below) {}

  /// `last_comes()` says that what is put from now on is the last record.
  void last_comes() noexcept { is_last_ = true; }

  void put(std::string_view bytes) noexcept override {
    size_ += bytes.size();
    if (!is_last_ || is_blocked_) {
      keep(bytes);
    } else if (!kept_) [[likely]] {
      result_ = send_to(below_, {&bytes, 1});
      if (!bytes.empty()) block(bytes);
    } else if (bytes.size() >= large) {
      send(bytes);
    } else {
      keep(bytes);
    }
  }

  /// `send()` sends what is kept.
  void send() noexcept {
    if (!is_blocked_ && !left().empty()) send({});
  }

  std::size_t size() const noexcept { return size_; }  // of all that was put
  std::size_t sent() const noexcept { return size_ - left().size(); }
  std::string_view left() const noexcept { return kept_ ? std::string_view(*kept_) : ""; }
  Io_result result() const noexcept { return result_; }

 private:
  static constexpr std::size_t large = 2048;  // below that, a copy costs less than a system call

  /// `send(bytes)` sends what is kept and then `bytes`.
  void send(std::string_view bytes) noexcept {
    std::array<std::string_view, 2> parts{*kept_, bytes};
    auto& [kept, rest] = parts;
    result_ = send_to(below_, std::span(parts).first(rest.empty() ? 1 : 2));
    kept_->erase(0, kept_->size() - kept.size());
    if (!kept.empty() || !rest.empty()) block(rest);
  }
  [[gnu::noinline]] void block(std::string_view rest) noexcept {
    is_blocked_ = true;
    keep(rest);
  }
  void keep(std::string_view bytes) noexcept { append_in_pieces(*kept_, bytes); }

  Transport& below_;
  Lent<std::string> kept_;
  std::size_t size_ = 0;
  bool is_last_ = false;
  bool is_blocked_ = false;
  Io_result result_ = Io_result::ok(0);
};

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

  bool is_at_end() const noexcept { return parts_.empty(); }

  /// `next()` is the next piece, which is valid until the one after it.
  std::string_view next() noexcept {
    const std::string_view first = rest().substr(0, Engine::max_record);
    if (first.size() == Engine::max_record || parts_.size() == 1) {
      advance(first.size());
      return first;
    }
    return gather();
  }

 private:
  [[gnu::noinline]] std::string_view gather() noexcept {
    const std::span<char> gathered = *gathered_;
    std::size_t size = 0;
    while (!parts_.empty() && size < gathered.size()) {
      const std::string_view part = rest().substr(0, gathered.size() - size);
      copy_in_pieces(gathered.data() + size, part);
      advance(part.size());
      size += part.size();
    }
    return {gathered.data(), size};
  }
  std::string_view rest() const noexcept { return parts_.front().substr(taken_); }
  void advance(std::size_t n) noexcept {
    taken_ += n;
    if (taken_ < parts_.front().size()) return;
    parts_ = parts_.subspan(1);
    taken_ = 0;
  }

  std::span<const std::string_view> parts_;
  std::size_t taken_ = 0;  // of the first one
  Lent<std::array<char, Engine::max_record>> gathered_;
};

Io_result tls_failed() { return Io_result::failed(io_error_of_errno(EPROTO)); }

}  // namespace

// Reading.

bool Tls_transport::has_more() const noexcept { return !unread_.empty() || engine_->has_more(); }

Io_result Tls_transport::read(std::span<char> into) noexcept {
  if (has_more()) [[unlikely]] {
    const std::string kept = std::exchange(unread_, std::string());
    engine_->set_input(kept);
    const Io_result result = decrypt(into);
    if (result.status != Io_result::Status::Would_block) return result;
  }
  Lent<Input_room> input;
  for (;;) {
    const Io_result more = read_below(*input);
    if (more.status != Io_result::Status::Ok) return more;
    const Io_result result = decrypt(into);
    if (result.status != Io_result::Status::Would_block) return result;
  }
}

Io_result Tls_transport::decrypt(std::span<char> into) noexcept {
  Kept_output out;
  const Engine::Read read = engine_->read(into, out);
  if (!out.bytes().empty()) [[unlikely]]
    send_by_itself(out.bytes());
  switch (read.status) {
    case Engine::Status::Done:
      if (!engine_->input().empty()) unread_ = engine_->input();
      if (has_more()) more_has_come();
      return Io_result::ok(read.bytes);
    case Engine::Status::Ended:
      return Io_result::eof();
    case Engine::Status::Failed:
      return tls_failed();
    case Engine::Status::Wants_input:
      break;
  }
  return Io_result::would_block();
}

Io_result Tls_transport::read_below(std::span<char> into) noexcept {
  const Io_result result = below().read(into);
  if (result.status == Io_result::Status::Ok) {
    engine_->set_input({into.data(), result.bytes});
  } else if (result.status == Io_result::Status::Eof) {
    engine_->input_has_ended();
    return Io_result::ok(0);  // the engine knows what that means
  }
  return result;
}

// Writing.

Io_result Tls_transport::write(std::span<const std::string_view> parts) noexcept {
  Io_result result = unsent_.empty() ? Io_result::ok(0) : send_kept();
  Pieces pieces(parts);
  pieces.pass_over(plain_that_left_);
  while (!pieces.is_at_end() && unsent_.empty() && result.status != Io_result::Status::Error) {
    Sending out(below());
    std::array<Record, most_records_at_once> records;
    std::size_t count = 0;
    std::size_t plain = 0;
    do {
      const std::string_view piece = pieces.next();
      const std::size_t before = out.size();
      if (pieces.is_at_end() || count + 1 == records.size()) out.last_comes();
      if (engine_->write(piece, out) != Engine::Status::Done) return tls_failed();
      records[count++] = {.plain = piece.size(), .encrypted = out.size() - before};
      plain += piece.size();
    } while (!pieces.is_at_end() && count < records.size());
    out.send();
    if (out.left().empty()) [[likely]] {
      plain_that_left_ += plain;
    } else {
      keep_count(out.sent(), std::span(records).first(count));
      unsent_ = out.left();
    }
    result = out.result();
  }
  if (result.status == Io_result::Status::Error) return result;
  const std::size_t done = std::exchange(plain_that_left_, 0);
  return done > 0 ? Io_result::ok(done) : Io_result::would_block();
}

void Tls_transport::keep_count(std::size_t sent, std::span<const Record> records) noexcept {
  for (const Record& record : records) {
    if (records_.is_empty() && record.encrypted <= sent) {
      sent -= record.encrypted;
      plain_that_left_ += record.plain;
    } else {
      records_.push_back(record);
    }
  }
  has_left(sent);
}

Io_result Tls_transport::send_kept() noexcept {
  std::string_view rest = unsent_;
  const Io_result result = send_to(below(), {&rest, 1});
  const std::size_t sent = unsent_.size() - rest.size();
  has_left(sent);
  unsent_.erase(0, sent);
  if (!unsent_.empty()) return result;
  unsent_ = std::string();  // it may have been long
  if (end_ == End::Ending) {
    end_ = End::Ended;
    below().shutdown_send();
  }
  return result;
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
  // Who writes next sees an error.
  if (unsent_.empty()) static_cast<void>(send_to(below(), {&out, 1}));
  if (out.empty()) return;
  records_.push_back(Record{.plain = 0, .encrypted = out.size()});
  unsent_ += out;
  below().want_writable(true);
}

void Tls_transport::want_writable(bool wanted) noexcept {
  // Nobody may have anything to write but the engine.
  if (!wanted && !unsent_.empty()) static_cast<void>(send_kept());
  below().want_writable(wanted || !unsent_.empty());
}

// Ending.

void Tls_transport::say_end() noexcept {
  if (end_ != End::Open) return;
  end_ = End::Said;
  Kept_output out;
  engine_->end(out);
  if (!out.bytes().empty()) send_by_itself(out.bytes());
}

std::error_code Tls_transport::shutdown_send() noexcept {
  say_end();
  if (end_ == End::Ended) return {};
  end_ = unsent_.empty() ? End::Ended : End::Ending;
  return end_ == End::Ended ? below().shutdown_send() : std::error_code();
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
