// tcp/tls/internal/engine.h: TLS without input or output.
//
// Layer: tcp/tls.  Read next: tls_transport.h, which moves the bytes; context.h, for what
// connections share.

#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "tcp/tls/error.h"
#include "tcp/tls/info.h"
#include "tcp/tls/internal/identities.h"
#include "tcp/tls/internal/output.h"
#include "tcp/tls/internal/signing.h"
#include "tcp/tls/internal/ssl.h"

namespace async::Tls::internal {

/// The library's half of one TLS connection: bytes in, bytes out, and what it wants next.
///
/// What comes from the other side is offered by `set_input`, and taken as far as it is of use: all
/// of it, unless what was decrypted has no room.  What goes to the other side is put in the
/// `Output` that whoever uses this gives to each call.
class Engine {
 public:
  /// `peer` is who is at the other end, for messages.
  Engine(Ssl ssl, std::string peer);
  /// `accept(context, peer)` is one for a server's side, which waits for `peer` to begin.
  static std::unique_ptr<Engine> accept(SSL_CTX& context, std::string peer);
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;
  ~Engine();

  enum class Status : unsigned char {
    Done,
    Wants_input,  // it can go on when more has come from the other side
    Ended,        // the other side has ended, in order
    Failed,       // `error()` says why
  };

  /// `set_input(bytes)` is what is read from now on; they stay the caller's.  `input()` is what is
  /// left of them.
  void set_input(std::string_view bytes) noexcept { input_ = bytes; }
  std::string_view input() const noexcept { return input_; }
  /// `input_has_ended()` says that nothing more will come.
  void input_has_ended() noexcept { input_has_ended_ = true; }

  enum class Progress : unsigned char {
    Done,
    Wants_input,
    Wants_signature,  // it can go on when `signature()` was made
    Failed,
  };
  /// `handshake(output)` goes on with the handshake.
  Progress handshake(Output& output) noexcept;

  /// `signature()` is what is to be made, on any thread; it may outlive the engine.
  std::shared_ptr<Signature> signature() const noexcept { return signature_; }

  struct Read {
    Status status;
    std::size_t bytes;
  };
  /// `read(into, output)` decrypts at most `into.size()` bytes, which is not zero.  There is at
  /// least one if it is Done.
  Read read(std::span<char> into, Output& output) noexcept;
  /// `has_more()` is true if `read` would give something, an end, or an error, without input.
  bool has_more() const noexcept { return has_pending_ || has_reached_end_ || input_has_ended_; }

  /// `write(bytes, output)` encrypts `bytes`, at least one and at most `max_record`, as one record.
  Status write(std::string_view bytes, Output& output) noexcept;
  static constexpr std::size_t max_record = 16 * 1024;

  /// `end(output)` says that no more will be written.
  void end(Output& output) noexcept;

  bool has_failed() const noexcept { return error_.has_value(); }
  const Error& error() const noexcept { return *error_; }
  const std::string& peer() const noexcept { return peer_; }

  /// `info()` is what the handshake has come to.
  Info info() const;

  /// `is_server()` is true for the side that waits for the other one to begin.
  bool is_server() const noexcept { return SSL_is_server(ssl_.get()) == 1; }

  /// `have_identities(context, identities)` has all engines of `context` be the first of them,
  /// unless `use(identity)` has one be another.  They return false if that cannot be.
  static bool have_identities(SSL_CTX& context, std::unique_ptr<const Identities> identities);
  static const Identities& identities_of(const SSL& ssl);
  bool use(const Loaded_identity& identity) noexcept;

  /// `verify_name(name)` has the certificate of the other side verified to be for `name`, which may
  /// be an address; it returns false if that is neither.
  bool verify_name(std::string name);

  /// `verification_failed(kind, why)` is called while the certificate of the other side is
  /// verified; `why` names it.
  void verification_failed(Error::Kind kind, const std::string& why);
  static Engine& of(const SSL& ssl);

 private:
  struct Bio_functions;
  struct Key_functions;

  Status status_of(int result, std::string_view doing) noexcept;
  Error error_of_ssl(std::string_view doing) const;
  void fail(Error error) noexcept;

  const Ssl ssl_;
  std::string_view input_;
  Output* output_ = nullptr;  // of the call that is under way
  bool input_has_ended_ = false;
  bool has_pending_ = false;      // decrypted, for which there was no room
  bool has_reached_end_ = false;  // in order or not; what came before it was given first
  const std::string peer_;
  std::string verified_name_;                  // empty if none is
  const Loaded_identity* identity_ = nullptr;  // of this side, if it is not the first
  std::shared_ptr<Signature> signature_;
  std::optional<Error> error_;
  std::optional<std::pair<Error::Kind, std::string>> verification_error_;
};

}  // namespace async::Tls::internal
