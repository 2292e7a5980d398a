// tests/bench/peers/boringssl/session.h: what BoringSSL by hand has in common, however bytes come
// to it.

#pragma once

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <memory>
#include <string_view>
#include <utility>

namespace boringssl_peer {

class Session {
 public:
  explicit Session(SSL_CTX* context) : ssl_(SSL_new(context)) {
    SSL_set_accept_state(ssl());
    SSL_set_shed_handshake_config(ssl(), 1);
  }
  virtual ~Session() = default;

 protected:
  // What the loop does.

  /// `transmit(bytes)` sends them, or keeps what cannot be sent now; then `waits_to_send()` is
  /// true.
  virtual void transmit(std::string_view bytes) = 0;
  virtual bool waits_to_send() const = 0;
  /// `close()` is called once.
  virtual void close() = 0;

  void end() {
    if (!std::exchange(ended_, true)) close();
    ERR_clear_error();
  }
  bool has_ended() const { return ended_ || ending_; }

  // What a server does.

  virtual void received(std::string_view bytes) = 0;
  /// The client will send no more.
  virtual void client_has_ended() { say_end(); }
  /// More can be sent: after the handshake, and when what waited has been sent.
  virtual void can_send() {}

  /// `put(bytes)` sends them; at most a record at once is best.
  void put(std::string_view bytes) {
    if (SSL_write(ssl(), bytes.data(), static_cast<int>(bytes.size())) <= 0) end();
  }
  /// `say_end()` ends the connection when all has been sent.
  void say_end() {
    SSL_shutdown(ssl());
    ending_ = true;
  }

  // What those do that feed BoringSSL.

  SSL* ssl() const { return ssl_.get(); }
  void end_if_all_is_sent() {
    if (ending_ && !waits_to_send()) end();
  }
  /// `is_open()` goes on with the handshake if it is not over, and says whether it is.
  bool is_open() {
    if (SSL_in_init(ssl()) == 0) return true;
    const int result = SSL_do_handshake(ssl());
    if (result <= 0) {
      if (SSL_get_error(ssl(), result) != SSL_ERROR_WANT_READ) end();
      return false;
    }
    can_send();
    return true;
  }
  /// `stopped(error)` is why no more can be read now.
  void stopped(int error) {
    if (error == SSL_ERROR_ZERO_RETURN) {
      client_has_ended();
    } else if (error != SSL_ERROR_NONE && error != SSL_ERROR_WANT_READ) {
      end();
    }
  }

 private:
  struct Free {
    void operator()(SSL* ssl) const { SSL_free(ssl); }
  };

  bool ending_ = false;
  bool ended_ = false;
  std::unique_ptr<SSL, Free> ssl_;
};

}  // namespace boringssl_peer
