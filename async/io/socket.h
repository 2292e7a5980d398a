// async/io/socket.h: what sockets of all kinds have in common.
//
// Layer: async/io.  Read next: transport.h, network.h; tcp/socket.h for what users see.

#pragma once

#include <cstddef>
#include <expected>
#include <span>
#include <system_error>

#include "async/io/address.h"

namespace async {

/// The ends of a socket, and its options.
class Socket_base {
 public:
  Socket_base() = default;
  Socket_base(const Socket_base&) = delete;
  Socket_base& operator=(const Socket_base&) = delete;
  virtual ~Socket_base() = default;

  /// `local_address()` and `remote_address()` ask the operating system.
  virtual std::expected<Address::Any, std::error_code> local_address() const = 0;
  virtual std::expected<Address::Any, std::error_code> remote_address() const = 0;

  /// `set_option(level, name, value)` and `get_option(level, name, into)` are setsockopt(2) and
  /// getsockopt(2).  The latter returns the number of bytes that it wrote.
  virtual std::error_code set_option(int level, int name, std::span<const std::byte> value) = 0;
  virtual std::expected<std::size_t, std::error_code> get_option(
      int level, int name, std::span<std::byte> into) const = 0;

  /// `fd()` is the descriptor, or -1 where there is none: closed, or simulated.
  virtual int fd() const noexcept = 0;
};

}  // namespace async
