// reader_writer/internal/absent_transport.h: what a connection has below while its transport is
// elsewhere.
//
// Layer: reader_writer.  Read next: reader_writer/connection.h (`take_transport`).

#pragma once

#include <expected>
#include <system_error>
#include <utility>

#include "async/io/io_error.h"
#include "async/io/transport.h"
#include "async/ivar.h"

namespace async::internal {

/// Nothing can be read or written meanwhile.  It knows its addresses, and tells when it is closed.
class Absent_transport final : public Transport {
 public:
  explicit Absent_transport(const Transport& absent)
      : local_(absent.local_address()), remote_(absent.remote_address()) {}

  Deferred<> closed() const { return closed_.read(); }

  void set_user(User*) noexcept override {}
  void want_readable(bool) noexcept override {}
  void want_writable(bool) noexcept override {}
  Io_result read(std::span<char>) noexcept override { return Io_result::would_block(); }
  Io_result write(std::span<const std::string_view>) noexcept override {
    return Io_result::would_block();
  }
  std::error_code shutdown_send() noexcept override { return {}; }
  std::size_t unacknowledged() const noexcept override { return 0; }
  void close(How) noexcept override { closed_.fill_if_empty(); }

  std::expected<Address::Any, std::error_code> local_address() const override { return local_; }
  std::expected<Address::Any, std::error_code> remote_address() const override { return remote_; }
  std::error_code set_option(int, int, std::span<const std::byte>) override {
    return std::make_error_code(std::errc::not_connected);
  }
  std::expected<std::size_t, std::error_code> get_option(int, int,
                                                         std::span<std::byte>) const override {
    return std::unexpected(std::make_error_code(std::errc::not_connected));
  }
  int fd() const noexcept override { return -1; }

 private:
  const std::expected<Address::Any, std::error_code> local_;
  const std::expected<Address::Any, std::error_code> remote_;
  const Ivar<> closed_;
};

}  // namespace async::internal
