// async/io/io_error.h: errors of the operating system.
//
// Layer: async/io.  Read next: transport.h; tcp/connect_error.h.

#pragma once

#include <cstdint>
#include <string>
#include <system_error>

namespace async {

/// The category of I/O errors, "libuv".  Its values are libuv's: negative ones, which on Unix are
/// -errno, and below -3000 those of name resolution.  They compare with `std::errc`.
const std::error_category& io_category() noexcept;

/// `io_error_of_errno(e)` is the code for a value of `errno`.
std::error_code io_error_of_errno(int e) noexcept;

/// `name(code)` is as in the manuals, such as "ECONNREFUSED"; empty for what has no such name.
std::string name(const std::error_code& code);

/// Values of the category for name resolution.
enum class Name_error : int {
  Again = -3001,   // try again later
  Failed = -3004,  // for good
  Memory = -3006,
  No_data = -3007,  // the name exists, but has no address
  No_name = -3008,  // the name does not exist
  Other = -3011,
};
std::error_code make_error_code(Name_error error) noexcept;

/// What every error has that happens on a connection: it is the doing of whoever is at the other
/// end.
class Connection_failure {
 public:
  virtual ~Connection_failure() = default;

  /// The connection on which it happened; 0 if it was none.  Numbers are never used twice in a
  /// process.
  std::uint64_t connection() const noexcept { return connection_; }

 protected:
  explicit Connection_failure(std::uint64_t connection) : connection_(connection) {}
  Connection_failure(const Connection_failure&) = default;
  Connection_failure& operator=(const Connection_failure&) = default;

  std::uint64_t connection_;
};

/// An operation on a socket, or on a name, failed.  `what()` says which, and to whom, such as
/// "connect to 192.0.2.1:80: connection refused".
class Io_error : public std::system_error, public Connection_failure {
 public:
  /// `doing` is what failed, such as "connect to 192.0.2.1:80".
  Io_error(std::error_code code, const std::string& doing)
      : std::system_error(code, doing), Connection_failure(0) {}

  Io_error on_connection(std::uint64_t number) const {
    Io_error copy = *this;
    copy.connection_ = number;
    return copy;
  }
};

}  // namespace async

template <>
struct std::is_error_code_enum<async::Name_error> : std::true_type {};
