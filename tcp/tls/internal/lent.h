// tcp/tls/internal/lent.h: buffers that all connections of a thread share.
//
// Layer: tcp/tls.  Read next: tls_transport.cc and handshake.cc, which borrow them.

#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <utility>

namespace async::Tls::internal {

/// A buffer of the thread, in which nothing stays from one call to another.  The transport below
/// may be encrypted as well: each call that is under way has a buffer of its own.
template <class Buffer>
class Lent {
 public:
  Lent() noexcept : buffer_(std::exchange(spare(), Buffer())) {}
  Lent(const Lent&) = delete;
  Lent& operator=(const Lent&) = delete;
  ~Lent() { spare() = std::move(buffer_); }

  Buffer& operator*() noexcept { return buffer_; }
  const Buffer& operator*() const noexcept { return buffer_; }
  Buffer* operator->() noexcept { return &buffer_; }
  const Buffer* operator->() const noexcept { return &buffer_; }

 private:
  static Buffer& spare() noexcept {
    thread_local Buffer one;
    return one;
  }

  Buffer buffer_;
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
