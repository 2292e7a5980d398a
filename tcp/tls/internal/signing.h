// tcp/tls/internal/signing.h: signatures that take so long that they are made on another thread.
//
// Layer: tcp/tls.  Read next: engine.h, which asks for them; handshake.cc, which has them made.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "tcp/tls/internal/ssl.h"

namespace async::Tls::internal {

/// A signature by which this side of a handshake shows that it has a key.
class Signature {
 public:
  Signature(Private_key key, std::uint16_t algorithm, std::string_view input)
      : key_(std::move(key)), algorithm_(algorithm), input_(input) {}

  /// `make()` makes it.  Threads: any, one at a time.
  void make() noexcept;

  /// `bytes()` is it, once it was made; empty if that failed.
  const std::string& bytes() const noexcept { return bytes_; }

 private:
  bool try_to_make() noexcept;

  const Private_key key_;
  const std::uint16_t algorithm_;
  const std::string input_;
  std::string bytes_;
};

/// `takes_long(key)` is true if one signature keeps a thread for a good part of a millisecond, or
/// more: for all keys but those on the curve P-256 and of Ed25519, which take a fiftieth of that.
bool takes_long(const EVP_PKEY& key);

/// `share(key)` is the same key.
Private_key share(EVP_PKEY& key);

}  // namespace async::Tls::internal
