// tcp/tls/internal/lent.h: buffers that all connections of a thread share.
//
// Layer: tcp/tls.  Read next: tls_transport.cc and handshake.cc, which borrow them.

#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <utility>

namespace async::Tls::internal {

/// A buffer of the thread, in which nothing stays from one call to another: it is lent when it is
/// first used.  The transport below may be encrypted as well: each call that is under way has a
/// buffer of its own.
template <class Buffer>
class Lent {
 public:
  Lent() = default;
  Lent(const Lent&) = delete;
  Lent& operator=(const Lent&) = delete;
  ~Lent() {
    if (buffer_) spare() = std::move(*buffer_);
  }

  /// It is true once it is used.
  explicit operator bool() const noexcept { return buffer_.has_value(); }
  Buffer& operator*() noexcept {
    if (!buffer_) lend();
    return *buffer_;
  }
  Buffer* operator->() noexcept { return &**this; }
  /// For one that is used.
  const Buffer& operator*() const noexcept { return *buffer_; }

 private:
  void lend() noexcept {
    buffer_.emplace(std::exchange(spare(), Buffer()));
    if constexpr (requires { buffer_->clear(); }) buffer_->clear();
  }
  static Buffer& spare() noexcept {
    thread_local Buffer one;
    return one;
  }

  std::optional<Buffer> buffer_;
};

/// Room for `size` bytes.
template <std::size_t size>
class Room {
 public:
  std::span<char> get() {
    if (!bytes_) bytes_ = std::make_unique_for_overwrite<char[]>(size);
    return {bytes_.get(), size};
  }

 private:
  std::unique_ptr<char[]> bytes_;
};

/// What has come from the transport below, before BoringSSL takes it.
using Input_room = Room<64 * 1024>;

}  // namespace async::Tls::internal
