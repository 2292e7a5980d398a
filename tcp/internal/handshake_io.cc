#include "tcp/internal/handshake_io.h"

#include <algorithm>
#include <stdexcept>
#include <system_error>

#include "async/coroutine.h"
#include "async/io/io_error.h"
#include "async/io/transport_layer.h"
#include "async/ivar.h"

namespace async::Tcp::internal {

namespace {
constexpr const char* closed_too_early = "closed the connection in the middle of the handshake";
}

/// Whom the transport tells.  It owns the transport, because that may be destroyed while it tells.
class Handshake_io::Ear final : public Transport::User {
 public:
  explicit Ear(std::unique_ptr<Transport> transport) : transport_(std::move(transport)) {
    transport_->set_user(this);
  }

  Transport& transport() const noexcept { return *transport_; }

  /// `possible(direction)` is determined when it makes sense to try again.
  Deferred<> possible(Direction direction) {
    Deferred<> result = waiter(direction).emplace().read();
    want(direction, true);
    return result;
  }

  /// `give_up(direction)` is for when nobody waits for that any more.
  void give_up(Direction direction) noexcept {
    waiter(direction).reset();
    want(direction, false);
  }

  /// `give_back()` is the transport, which tells this nothing any more.  Its next user will want to
  /// read just as well, so that stays as it is.
  std::unique_ptr<Transport> give_back() {
    want(Direction::Out, false);
    transport_->set_user(nullptr);
    return std::move(transport_);
  }

  void close() noexcept {
    if (transport_) transport_->close(Transport::How::In_order);
  }

  void readable() noexcept override { tell(Direction::In); }
  void writable() noexcept override { tell(Direction::Out); }
  void run_in_turn() noexcept override {}  // everything is written at once

 private:
  std::optional<Ivar<>>& waiter(Direction direction) noexcept {
    return direction == Direction::In ? readable_ : writable_;
  }
  void want(Direction direction, bool wanted) noexcept {
    if (direction == Direction::In) {
      transport_->want_readable(wanted);
    } else {
      transport_->want_writable(wanted);
    }
  }
  void tell(Direction direction) noexcept {
    if (const auto told = std::exchange(waiter(direction), std::nullopt)) {
      told->fill();
    } else if (transport_) {
      want(direction, false);
    }
  }

  std::unique_ptr<Transport> transport_;
  std::optional<Ivar<>> readable_;
  std::optional<Ivar<>> writable_;
};

Handshake_io::Handshake_io(std::unique_ptr<Transport> transport, const Stop& stop, std::string peer,
                           std::string_view doing)
    : ear_(async::internal::Ref<Ear>::adopt(new Ear(std::move(transport)))),
      stop_(stop),
      doing_(doing),
      peer_(std::move(peer)) {}

Handshake_io::~Handshake_io() { ear_->close(); }

void Handshake_io::fail(const std::string& what) const {
  throw std::runtime_error(subject() + " " + what);
}

std::exception_ptr Handshake_io::stopped(Stopped why, std::optional<Direction> direction) noexcept {
  if (direction) ear_->give_up(*direction);
  return std::make_exception_ptr(std::runtime_error(
      subject() + (why == Stopped::Timed_out ? " took too long" : " was given up: interrupted")));
}

Deferred<> Handshake_io::until_possible(Direction direction) {
  return wait_long(ear_->possible(direction), direction);
}

std::optional<std::size_t> Handshake_io::read_now(std::span<char> into) {
  const Io_result result = ear_->transport().read(into);
  switch (result.status) {
    case Io_result::Status::Ok:
      return result.bytes;
    case Io_result::Status::Eof:
      return 0;
    case Io_result::Status::Error:
      throw Io_error(result.error(), subject());
    case Io_result::Status::Would_block:
      break;
  }
  return std::nullopt;
}

Deferred<bool> Handshake_io::read_more(std::size_t most) {
  const std::size_t before = buffer_.size();
  for (;;) {
    std::optional<std::size_t> got;
    buffer_.resize(before + most);
    got = read_now(std::span(buffer_).subspan(before));
    buffer_.resize(before + got.value_or(0));
    if (got) co_return *got > 0;
    co_await readable();
  }
}

std::string Handshake_io::take(std::size_t n) {
  std::string result = buffer_.substr(0, n);
  buffer_.erase(0, n);
  return result;
}

Deferred<std::string> Handshake_io::read(std::size_t n) {
  while (buffer_.size() < n) {
    if (!co_await read_more(n - buffer_.size())) fail(closed_too_early);
  }
  co_return take(n);
}

Deferred<std::string> Handshake_io::read_line(std::size_t max) {
  std::size_t seen = 0;
  for (;;) {
    const std::size_t newline = buffer_.find('\n', seen);
    if (newline < max) co_return take(newline + 1);
    seen = buffer_.size();
    if (seen >= max) co_return take(max);
    if (!co_await read_more(max - seen)) fail(closed_too_early);
  }
}

Deferred<> Handshake_io::write(std::string_view bytes) {
  if (bytes.empty()) return determined();
  const Io_result result = ear_->transport().write({&bytes, 1});
  if (result.status == Io_result::Status::Ok) bytes.remove_prefix(result.bytes);
  // An error is there to stay.
  return bytes.empty() ? determined() : write_rest(std::string(bytes));
}

Deferred<> Handshake_io::write_rest(std::string bytes) {
  std::string_view left = bytes;
  while (!left.empty()) {
    const Io_result result = ear_->transport().write({&left, 1});
    switch (result.status) {
      case Io_result::Status::Ok:
        left.remove_prefix(result.bytes);
        break;
      case Io_result::Status::Would_block:
        co_await until_possible(Direction::Out);
        break;
      case Io_result::Status::Eof:
      case Io_result::Status::Error:
        throw Io_error(result.error(), subject());
    }
  }
}

std::unique_ptr<Transport> Handshake_io::finish() {
  auto transport = ear_->give_back();
  if (buffer_.empty()) return transport;
  return std::make_unique<Transport_with_prefix>(std::move(transport), std::move(buffer_));
}

}  // namespace async::Tcp::internal
