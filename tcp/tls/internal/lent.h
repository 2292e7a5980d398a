// tcp/tls/internal/lent.h: buffers that all connections of a thread share.
//
// Layer: tcp/tls.  Read next: tls_transport.cc and handshake.cc, which borrow them.

#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <utility>

namespace async::Tls::internal {

/// A buffer of the thread, in which nothing stays from one call to another.  It is lent when it is
/// first used: a string is empty then, and of an array nobody knows what is in it.  The transport
/// below may be encrypted as well: each call that is under way has a buffer of its own.
template <class Buffer>
class Lent {
 public:
  Lent() = default;
  Lent(const Lent&) = delete;
  Lent& operator=(const Lent&) = delete;
  ~Lent() {
    if (buffer_) give_back();
  }

  /// It is true once it is used.
  explicit operator bool() const noexcept { return buffer_ != nullptr; }
  Buffer& operator*() noexcept {
    if (!buffer_) lend();
    return *buffer_;
  }
  Buffer* operator->() noexcept { return &**this; }
  /// For one that is used.
  const Buffer& operator*() const noexcept { return *buffer_; }

 private:
  void lend() noexcept {
    buffer_ = std::move(spare());
    if (!buffer_) buffer_ = std::make_unique_for_overwrite<Buffer>();
    if constexpr (requires { buffer_->clear(); }) buffer_->clear();
  }
  void give_back() noexcept { spare() = std::move(buffer_); }
  static std::unique_ptr<Buffer>& spare() noexcept {
    thread_local std::unique_ptr<Buffer> one;
    return one;
  }

  std::unique_ptr<Buffer> buffer_;
};

/// What has come from the transport below, before BoringSSL takes it.
using Input_room = std::array<char, std::size_t{64} * 1024>;

}  // namespace async::Tls::internal
