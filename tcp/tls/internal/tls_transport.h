// tcp/tls/internal/tls_transport.h: a transport that is encrypted.
//
// Layer: tcp/tls.  Read next: engine.h, async/io/transport_layer.h.
//
// The way of a record in: the transport below → a buffer of the thread → the engine, which decrypts
// it in memory of its own → the reader's buffer.  What is left in that buffer of the thread is kept
// here: nothing, unless the reader's buffer was too small.
//
// The way of a record out: the parts of the writer's queue → the engine, up to 16 KiB at a time →
// another buffer of the thread → the transport below, many records in one call.  What that does not
// take is kept here.  The bytes that a record stands for count as written when all of it has left;
// so the writer offers those that are kept again, and they are passed over.

#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "async/internal/ring.h"
#include "async/io/transport_layer.h"
#include "tcp/tls/internal/engine.h"

namespace async::Tls::internal {

class Tls_transport final : public Transport_layer {
 public:
  /// `engine` has done its handshake.
  Tls_transport(std::unique_ptr<Transport> below, std::unique_ptr<Engine> engine)
      : Transport_layer(std::move(below)), engine_(std::move(engine)) {}

  const Engine& engine() const noexcept { return *engine_; }

  void want_writable(bool wanted) noexcept override;
  Io_result read(std::span<char> into) noexcept override;
  Io_result write(std::span<const std::string_view> parts) noexcept override;
  std::error_code shutdown_send() noexcept override;
  std::size_t unacknowledged() const noexcept override;
  void close(How how) noexcept override;
  std::exception_ptr exception_of(std::error_code code, const std::string& doing,
                                  std::uint64_t connection) const override;

 private:
  /// What has been encrypted and has not left, by the bytes that it stands for.
  struct Record {
    std::size_t plain;
    std::size_t encrypted;
  };
  enum class End : unsigned char { Open, Ending, Ended };

  bool has_more() const noexcept override;
  /// `send(out)` hands `out`, which `records_` describes, to the transport below, and keeps the
  /// rest.
  std::error_code send(std::string_view out) noexcept;
  std::error_code send_kept() noexcept;
  /// `send_by_itself(out)` sends what stands for no bytes, behind all that is kept.
  void send_by_itself(std::string_view out) noexcept;
  void has_left(std::size_t encrypted) noexcept;
  void say_end() noexcept;

  const std::unique_ptr<Engine> engine_;
  std::string unread_;                     // encrypted, for which there was no room
  std::string unsent_;                     // encrypted
  async::internal::Ring<Record> records_;  // what `unsent_` consists of
  std::size_t plain_that_left_ = 0;        // that `write` has not told yet
  End end_ = End::Open;
  bool wants_writable_ = false;
};

}  // namespace async::Tls::internal
