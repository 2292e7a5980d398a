// async/uv/fd.h: a descriptor of a socket, and what all kinds of sockets do with theirs.
//
// Layer: async/uv.  Read next: uv_transport.h, uv_listener.h, uv_unconnected_socket.h.

#pragma once

#include <cstddef>
#include <expected>
#include <span>
#include <system_error>
#include <utility>

#include "async/io/address.h"
#include "async/io/socket.h"

namespace async::internal {

class Uv_network;

/// Owns a descriptor, and tells the network when it has closed it.
class Fd {
 public:
  Fd() = default;
  Fd(int fd, Uv_network& network) : fd_(fd), network_(&network) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)), network_(other.network_) {}
  Fd& operator=(Fd&& other) noexcept {
    close();
    fd_ = std::exchange(other.fd_, -1);
    network_ = other.network_;
    return *this;
  }
  ~Fd() { close(); }

  int get() const noexcept { return fd_; }
  bool is_open() const noexcept { return fd_ >= 0; }
  Uv_network& network() const noexcept { return *network_; }
  void close() noexcept;
  /// `release()` lets go of the descriptor, which stays open.
  int release() noexcept { return std::exchange(fd_, -1); }

  std::expected<Address::Any, std::error_code> local_address() const;
  std::expected<Address::Any, std::error_code> remote_address() const;
  std::error_code set_option(int level, int name, std::span<const std::byte> value) const;
  std::expected<std::size_t, std::error_code> get_option(int level, int name,
                                                         std::span<std::byte> into) const;

 private:
  int fd_ = -1;
  Uv_network* network_ = nullptr;
};

/// `last_error()` is the code of `errno`.
std::error_code last_error() noexcept;

/// An `Interface` that derives from `Socket_base`, with a descriptor below it.
template <class Interface>
class On_fd : public Interface {
 public:
  explicit On_fd(Fd fd) : fd_(std::move(fd)) {}

  std::expected<Address::Any, std::error_code> local_address() const override {
    return fd_.local_address();
  }
  std::expected<Address::Any, std::error_code> remote_address() const override {
    return fd_.remote_address();
  }
  std::error_code set_option(int level, int name, std::span<const std::byte> value) override {
    return fd_.set_option(level, name, value);
  }
  std::expected<std::size_t, std::error_code> get_option(int level, int name,
                                                         std::span<std::byte> into) const override {
    return fd_.get_option(level, name, into);
  }
  int fd() const noexcept override { return fd_.get(); }

 protected:
  Fd fd_;
};

}  // namespace async::internal
