// tcp/tls/internal/output.h: where an engine puts what goes to the other side.
//
// Layer: tcp/tls.  Read next: engine.h; tls_transport.cc for the one that sends at once.

#pragma once

#include <string>
#include <string_view>

#include "tcp/tls/internal/lent.h"

namespace async::Tls::internal {

class Output {
 public:
  /// `put(bytes)` takes `bytes`, which are BoringSSL's and there only until it returns.
  virtual void put(std::string_view bytes) noexcept = 0;

 protected:
  ~Output() = default;
};

/// An `Output` that keeps all, in a buffer of the thread: a coroutine does not wait while it has
/// one.
class Kept_output final : public Output {
 public:
  void put(std::string_view bytes) noexcept override { *bytes_ += bytes; }

  std::string_view bytes() const noexcept { return bytes_ ? std::string_view(*bytes_) : ""; }

 private:
  Lent<std::string> bytes_;
};

}  // namespace async::Tls::internal
