// tests/bench/peers/boringssl/memory_connection.h: BoringSSL with buffers in memory, whatever the
// loop.
//
// The way that most programs take: what has come is copied into one buffer, and what has to be sent
// is taken out of another one, both of them BoringSSL's own (`BIO_s_mem`).  connection.h is better.

#pragma once

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>

namespace boringssl_peer {

/// What each function is for, connection.h says.
class Memory_connection {
 public:
  explicit Memory_connection(SSL_CTX* context) : ssl_(SSL_new(context)) {
    SSL_set_accept_state(ssl_.get());
    SSL_set_shed_handshake_config(ssl_.get(), 1);
    SSL_set_bio(ssl_.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    BIO_set_mem_eof_return(SSL_get_rbio(ssl_.get()), -1);
  }
  virtual ~Memory_connection() = default;

 protected:
  virtual void transmit(std::string_view bytes) = 0;
  virtual bool waits_to_send() const = 0;
  virtual void close() = 0;

  void begin() {}
  void finish() {
    transmit_output();
    if (ending_ && !waits_to_send()) end();
  }
  void came(std::string_view bytes) {
    BIO_write(SSL_get_rbio(ssl_.get()), bytes.data(), static_cast<int>(bytes.size()));
    decrypt();
  }
  void end() {
    if (!std::exchange(ended_, true)) close();
    ERR_clear_error();
  }
  bool has_ended() const { return ended_ || ending_; }

  virtual void received(std::string_view bytes) = 0;
  virtual void client_has_ended() { say_end(); }
  virtual void can_send() {}

  void put(std::string_view bytes) {
    if (SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size())) <= 0) end();
  }
  void gather(bool on) {
    if (!on) transmit_output();
  }
  void say_end() {
    SSL_shutdown(ssl_.get());
    ending_ = true;
  }

 private:
  struct Free {
    void operator()(SSL* ssl) const { SSL_free(ssl); }
  };

  void transmit_output() {
    BIO* const output = SSL_get_wbio(ssl_.get());
    const std::uint8_t* bytes = nullptr;
    std::size_t size = 0;
    if (ended_ || BIO_mem_contents(output, &bytes, &size) != 1 || size == 0) return;
    transmit({reinterpret_cast<const char*>(bytes), size});
    BIO_reset(output);
  }

  void decrypt() {
    if (SSL_in_init(ssl_.get()) != 0) {
      const int result = SSL_do_handshake(ssl_.get());
      if (result <= 0) {
        if (SSL_get_error(ssl_.get(), result) != SSL_ERROR_WANT_READ) end();
        return;
      }
      can_send();
    }
    static std::array<char, SSL3_RT_MAX_PLAIN_LENGTH> plain;
    for (;;) {
      const int n = SSL_read(ssl_.get(), plain.data(), static_cast<int>(plain.size()));
      if (n > 0) {
        received({plain.data(), static_cast<std::size_t>(n)});
        continue;
      }
      const int error = SSL_get_error(ssl_.get(), n);
      if (error == SSL_ERROR_ZERO_RETURN) {
        client_has_ended();
      } else if (error != SSL_ERROR_WANT_READ) {
        end();
      }
      return;
    }
  }

  bool ending_ = false;
  bool ended_ = false;
  std::unique_ptr<SSL, Free> ssl_;
};

}  // namespace boringssl_peer
