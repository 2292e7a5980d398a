// tests/bench/peers/boringssl/memory_connection.h: BoringSSL with buffers in memory, whatever the
// loop.
//
// The way that most programs take: what has come is copied into one buffer, and what has to be sent
// is taken out of another one, both of them BoringSSL's own (`BIO_s_mem`).  connection.h is better.

#pragma once

#include <openssl/bio.h>
#include <openssl/ssl.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "tests/bench/peers/boringssl/session.h"

namespace boringssl_peer {

/// What the loop and the server call is as in `Connection`.
class Memory_connection : public Session {
 public:
  explicit Memory_connection(SSL_CTX* context) : Session(context) {
    SSL_set_bio(ssl(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    BIO_set_mem_eof_return(SSL_get_rbio(ssl()), -1);
  }

 protected:
  void begin() {}
  void finish() {
    transmit_output();
    end_if_all_is_sent();
  }
  void came(std::string_view bytes) {
    BIO_write(SSL_get_rbio(ssl()), bytes.data(), static_cast<int>(bytes.size()));
    if (!is_open()) return;
    static std::array<char, SSL3_RT_MAX_PLAIN_LENGTH> plain;
    int n;
    while ((n = SSL_read(ssl(), plain.data(), static_cast<int>(plain.size()))) > 0)
      received({plain.data(), static_cast<std::size_t>(n)});
    stopped(SSL_get_error(ssl(), n));
  }
  void gather(bool on) {
    if (!on) transmit_output();
  }

 private:
  void transmit_output() {
    BIO* const output = SSL_get_wbio(ssl());
    const std::uint8_t* bytes = nullptr;
    std::size_t size = 0;
    if (BIO_mem_contents(output, &bytes, &size) != 1 || size == 0) return;
    transmit({reinterpret_cast<const char*>(bytes), size});
    BIO_reset(output);
  }
};

}  // namespace boringssl_peer
