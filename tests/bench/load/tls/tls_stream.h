// tests/bench/load/tls/tls_stream.h: a client's side of TLS 1.3.

#pragma once

#include <openssl/ssl.h>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tests/bench/load/stream.h"

namespace bench {

struct Free_ssl {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
  void operator()(SSL_SESSION* session) const { SSL_SESSION_free(session); }
};
using Ssl_session = std::unique_ptr<SSL_SESSION, Free_ssl>;

/// It accepts nothing but TLS 1.3 with AES-128-GCM, X25519 and ECDSA on P-256, so that all servers
/// do the same.
class Tls_stream final : public Stream {
 public:
  /// `session` is resumed, if there is one.
  explicit Tls_stream(int fd, SSL_SESSION* session = nullptr);
  ~Tls_stream() override;
  Tls_stream(const Tls_stream&) = delete;
  Tls_stream& operator=(const Tls_stream&) = delete;

  /// `handshake()` is whether it is done, as far as what has come allows.  What it has to say waits
  /// for `flush`.
  bool handshake();
  /// `may_end_abruptly()` is for servers that do not say that they end when the client has said it.
  void may_end_abruptly() { may_end_abruptly_ = true; }

  int fd() const override { return fd_; }
  std::size_t send(std::string_view bytes) override;
  bool flush() override;
  ssize_t receive(std::span<char> into) override;
  ssize_t skip(std::span<char> into) override { return receive(into); }
  bool is_at_end() const override;
  void end() override;

  /// `tickets` are the sessions that servers have offered for resumption, to all streams that had
  /// not ended yet.
  static std::vector<Ssl_session> tickets;

 private:
  static SSL_CTX& context();
  static const BIO_METHOD* bio_method();

  bool read_from_socket();
  void check() const;
  [[noreturn]] void fail(const char* doing, int result) const;

  int fd_;
  bool resumes_;
  bool may_end_abruptly_ = false;
  bool has_ended_ = false;
  std::unique_ptr<SSL, Free_ssl> ssl_;
  std::string_view input_;  // encrypted, of the call that is under way, or `early_`
  std::string early_;       // what came together with the end of the handshake
  std::string output_;      // encrypted, not sent yet
  std::size_t sent_ = 0;    // of that
};

/// `tls(fd)` is a stream whose handshake is done.
std::unique_ptr<Stream> tls(int fd);

}  // namespace bench
