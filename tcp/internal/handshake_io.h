// tcp/internal/handshake_io.h: reading and writing on a bare transport, before it is a connection.
//
// Layer: tcp.  Read next: tcp/stop.h; tcp/proxy/ for those that use it.

#pragma once

#include <cstddef>
#include <exception>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "async/deferred.h"
#include "async/internal/ref.h"
#include "async/io/transport.h"
#include "tcp/stop.h"

namespace async::Tcp::internal {

/// A `Handshake_io` owns a transport while a route or an upgrade talks to whoever is at its other
/// end.  It is a local variable of the coroutine that does so.
///
/// - Errors: everything fails when `stop` comes, and when the other side closes or resets the
///   connection; `what()` begins with what that side was said to be.
/// - Lifetime: whatever ends the coroutine closes the transport, unless it was given back by
///   `finish`.  `stop` outlives this, and this outlives what its functions return.
/// - Limits: one operation at a time.
class Handshake_io {
 public:
  /// `peer` is who is at the other end, such as "the SOCKS5 proxy 192.0.2.1:1080"; in messages
  /// `doing`, which lives as long as this, stands before it.
  Handshake_io(std::unique_ptr<Transport> transport, const Stop& stop, std::string peer,
               std::string_view doing = "");
  Handshake_io(const Handshake_io&) = delete;
  Handshake_io& operator=(const Handshake_io&) = delete;
  ~Handshake_io();

  const std::string& peer() const noexcept { return peer_; }

  /// `buffered()` has been read from the transport, and not been taken yet.
  std::string_view buffered() const noexcept { return buffer_; }

  /// `read_more(most)` adds to what is buffered, as soon as anything comes, at most `most` bytes;
  /// false at the end.
  Deferred<bool> read_more(std::size_t most);

  /// `read(n)` takes `n` bytes, and reads no more than that.
  Deferred<std::string> read(std::size_t n);

  /// `read_line(max)` takes all up to a newline, and that, too; or `max` bytes, if there is none in
  /// them.  It never has more than that buffered.
  Deferred<std::string> read_line(std::size_t max);

  /// `read_now(into)` is how much it has read into `into`, zero at the end, or nothing if nothing
  /// has come.  It passes over what is buffered: whoever uses this has a buffer of its own.
  std::optional<std::size_t> read_now(std::span<char> into);
  /// `readable()` is determined when it makes sense to read.
  Deferred<> readable() { return until_possible(Direction::In); }

  /// `write(bytes)` is determined when the transport has taken all of `bytes`; it copies what that
  /// does not take at once.
  Deferred<> write(std::string_view bytes);

  /// `wait(d)` is determined with the value of `d`; it is `d` if that is determined.
  template <class T>
  Deferred<T> wait(Deferred<T> deferred) {
    return deferred.is_determined() ? std::move(deferred) : wait_long(std::move(deferred));
  }

  /// `finish()` gives the transport back, with what is buffered still to be read from it.  Nothing
  /// else may be called after that.
  std::unique_ptr<Transport> finish();

  /// `fail(what)` throws a `std::runtime_error` that says that the other end `what`.
  [[noreturn]] void fail(const std::string& what) const;

 private:
  class Ear;
  enum class Direction : unsigned char { In, Out };

  Deferred<> until_possible(Direction direction);
  Deferred<> write_rest(std::string bytes);
  /// `wait_long(d, direction)` is for one who waits for that direction, or for something else.
  template <class T>
  Deferred<T> wait_long(Deferred<T> deferred, std::optional<Direction> direction = {}) {
    return stop_.wait_or_fail(std::move(deferred),
                              [this, direction](Stopped why) { return stopped(why, direction); });
  }
  std::exception_ptr stopped(Stopped why, std::optional<Direction> direction) noexcept;
  std::string take(std::size_t n);
  std::string subject() const { return std::string(doing_) + peer_; }

  const async::internal::Ref<Ear> ear_;
  const Stop& stop_;
  const std::string_view doing_;
  const std::string peer_;
  std::string buffer_;
};

}  // namespace async::Tcp::internal
