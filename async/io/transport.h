// async/io/transport.h: a stream of bytes both ways, as a narrow interface.
//
// Layer: async/io.  Read next: network.h; reader_writer/connection.h, which uses it;
// async/uv/ and async/testing/ for the two that exist; upgrade.h in tcp/, for those that decorate
// another one.

#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <span>
#include <string>
#include <string_view>
#include <system_error>

#include "async/internal/engine.h"
#include "async/internal/shared.h"
#include "async/io/address.h"
#include "async/io/io_error.h"
#include "async/io/socket.h"

namespace async {

/// What one attempt to read or write came to.
struct Io_result {
  enum class Status : unsigned char { Ok, Would_block, Eof, Error };

  static Io_result ok(std::size_t bytes) { return {Status::Ok, 0, bytes}; }
  static Io_result would_block() { return {Status::Would_block, 0, 0}; }
  static Io_result eof() { return {Status::Eof, 0, 0}; }
  /// `failed(error)` is for an error of `io_category()`.
  static Io_result failed(std::error_code error) { return {Status::Error, error.value(), 0}; }

  /// `error()` is that of Error.
  std::error_code error() const noexcept { return {code, io_category()}; }

  // No larger than what a function gives back in registers.
  Status status;
  int code;           // of `io_category()`
  std::size_t bytes;  // of Ok: at least one when reading
};

/// A `Transport` moves bytes without ever waiting: it tries, and says when trying again makes
/// sense.
///
/// - Scheduling: while its user wants to read (or write) and that is possible, the user is told
///   in each turn of the loop, at the start of a cycle that ends with flushing the user; and up to
///   seven times more, each in a cycle of its own, as long as what it reads fills all of its room.
/// - Errors: after an error in one direction that direction stays as it is.
/// - Lifetime: the destructor closes.  It may run while this tells its user something.
class Transport : public Socket_base {
 public:
  /// Who reads and writes.  Its turn task is to write what it has collected.
  class User : public internal::Shared, public internal::Turn_task {
   public:
    virtual void readable() noexcept = 0;
    virtual void writable() noexcept = 0;
  };

  /// `set_user(u)` tells `u` from now on; null ends it.  What a user before wanted to be told, `u`
  /// is told as well, until it says that it does not want that.
  virtual void set_user(User* user) noexcept = 0;

  /// `want_readable(b)` and `want_writable(b)` say what the user wants to be told.
  virtual void want_readable(bool wanted) noexcept = 0;
  virtual void want_writable(bool wanted) noexcept = 0;

  /// `read(into)` reads at least one byte into `into`, which is not empty.
  virtual Io_result read(std::span<char> into) noexcept = 0;

  /// `write(parts)` writes as much of `parts`, one after the other, as can be taken now.  None
  /// of them is empty, and there is at least one.
  virtual Io_result write(std::span<const std::string_view> parts) noexcept = 0;

  /// `shutdown_send()` tells the other side that no more will come.
  virtual std::error_code shutdown_send() noexcept = 0;

  /// `exception_of(code, doing, connection)` is the exception for an error that an `Io_result` of
  /// this had, on the connection of that number, while `doing` something such as "read from
  /// 192.0.2.1:80": an `Io_error`, unless the transport knows more.
  virtual std::exception_ptr exception_of(std::error_code code, const std::string& doing,
                                          std::uint64_t connection) const;

  /// `unacknowledged()` is the number of bytes written that the other side has not taken over yet.
  virtual std::size_t unacknowledged() const noexcept = 0;

  /// `close()` closes at once, whatever is under way.  With `Reset` the other side sees that it was
  /// not in order.  Nobody is told anything any more.
  enum class How : unsigned char { In_order, Reset };
  virtual void close(How how) noexcept = 0;
};

}  // namespace async
