// tcp/tls/internal/tls_transport.h: a transport that is encrypted.
//
// Layer: tcp/tls.  Read next: engine.h, async/io/transport_layer.h.
//
// ARCHITECTURE.md says where a record lives on its way.  What is kept here: records in `unread_`
// for which the reader had no room, and in `unsent_` for which the transport below had none.  The
// bytes that a record stands for count as written when all of it has left; so the writer offers
// those that are kept again, and they are passed over.

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
  /// `engine` has done its handshake, and `unread` has come behind it.
  Tls_transport(std::unique_ptr<Transport> below, std::unique_ptr<Engine> engine,
                std::string unread)
      : Transport_layer(std::move(below)), engine_(std::move(engine)), unread_(std::move(unread)) {}

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
  enum class End : unsigned char {
    Open,
    Said,    // the engine has said it
    Ending,  // and below it follows when all that is kept has left
    Ended,
  };

  bool has_more() const noexcept override;
  /// `decrypt(into)` gives what the engine has, or can make of its input.
  Io_result decrypt(std::span<char> into) noexcept;
  /// `read_below(into)` gives the engine what is read from the transport below.
  Io_result read_below(std::span<char> into) noexcept;
  /// `keep_count(sent, records)` is for `records`, of which `sent` bytes have left.
  void keep_count(std::size_t sent, std::span<const Record> records) noexcept;
  Io_result send_kept() noexcept;
  /// `send_by_itself(out)` sends what stands for no bytes, behind all that is kept.
  void send_by_itself(std::string_view out) noexcept;
  void has_left(std::size_t encrypted) noexcept;
  void say_end() noexcept;

  const std::unique_ptr<Engine> engine_;
  std::size_t plain_that_left_ = 0;        // that `write` has not told yet
  std::string unread_;                     // encrypted, for which there was no room
  std::string unsent_;                     // encrypted
  async::internal::Ring<Record> records_;  // what `unsent_` consists of
  End end_ = End::Open;
};

}  // namespace async::Tls::internal
