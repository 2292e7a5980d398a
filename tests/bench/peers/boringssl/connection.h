// tests/bench/peers/boringssl/connection.h: BoringSSL by hand, whatever the loop.
//
// What has come is read into one buffer of all connections, from which BoringSSL takes it.  What
// BoringSSL has to send goes to the loop at once, so that a record is not copied; small ones, and
// those of a large block, are put together first.  While something waits to be sent nothing is
// read, and a connection that waits for its client owns no buffer.

#pragma once

#include <openssl/bio.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>

#include "tests/bench/peers/boringssl/session.h"

namespace boringssl_peer {

class Connection : public Session {
 public:
  explicit Connection(SSL_CTX* context) : Session(context) {
    BIO_up_ref(bio());
    SSL_set_bio(ssl(), bio(), bio());  // which takes over one reference
  }

 protected:
  // What the loop calls, each between `begin()` and `finish()`.

  void begin() { now_ = this; }
  void finish() {
    if (!gathered_.empty()) transmit_gathered();
    end_if_all_is_sent();
  }

  /// `came(bytes)` is called for what has come.
  void came(std::string_view bytes) {
    input_ = bytes;
    decrypt();
  }
  /// `gather(true)` lets what is put wait until `gather(false)`.
  void gather(bool on) {
    gathering_ = on;
    if (!on && !gathered_.empty()) transmit_gathered();
  }

 private:
  void decrypt() {
    if (!is_open()) return;
    // As many records as there are, up to the size of one, so that they can be answered by one.
    // Without input nothing is asked for: there is no record.
    static std::array<char, SSL3_RT_MAX_PLAIN_LENGTH> plain;
    std::size_t size = 0;
    int error = SSL_ERROR_NONE;
    while (error == SSL_ERROR_NONE && (!input_.empty() || SSL_pending(ssl()) > 0)) {
      const int n = SSL_read(ssl(), plain.data() + size, static_cast<int>(plain.size() - size));
      if (n > 0) size += static_cast<std::size_t>(n);
      if (n <= 0) error = SSL_get_error(ssl(), n);
      if (size == plain.size()) received({plain.data(), std::exchange(size, 0)});
    }
    if (size > 0) received({plain.data(), size});
    stopped(error);
  }

  // BoringSSL's side.

  static BIO* bio() {
    static BIO* const made = [] {
      BIO_METHOD* method = BIO_meth_new(0, "by hand");
      BIO_meth_set_read(method, [](BIO* bio, char* into, int size) {
        BIO_clear_retry_flags(bio);
        if (input_.empty()) {
          BIO_set_retry_read(bio);
          return -1;
        }
        // In pieces: from 2 KiB on memcpy may use an instruction that on some processors is slower
        // by an order of magnitude for some differences of the addresses.
        const std::size_t n = std::min(static_cast<std::size_t>(size), input_.size());
        constexpr std::size_t piece = 1024;
        for (std::size_t done = 0; done < n; done += piece)
          input_.copy(into + done, std::min(piece, n - done), done);
        input_.remove_prefix(n);
        return static_cast<int>(n);
      });
      BIO_meth_set_write(method, [](BIO*, const char* bytes, int size) {
        now_->write({bytes, static_cast<std::size_t>(size)});
        return size;
      });
      BIO_meth_set_ctrl(method, [](BIO*, int command, long, void*) -> long {
        return command == BIO_CTRL_FLUSH ? 1 : 0;
      });
      BIO* bio = BIO_new(method);
      BIO_set_init(bio, 1);
      return bio;
    }();
    return made;
  }

  void write(std::string_view bytes) {
    constexpr std::size_t small = 2048;
    if (gathering_ || bytes.size() < small || !gathered_.empty()) {
      gathered_ += bytes;
    } else {
      transmit(bytes);
    }
  }
  void transmit_gathered() {
    transmit(gathered_);
    gathered_.clear();
  }

  // Of the connection that is served now: nothing stays in them.
  static inline Connection* now_ = nullptr;
  static inline std::string_view input_;
  static inline std::string gathered_;
  static inline bool gathering_ = false;
};

/// `tls_context(certificate, key)` is a server's, for TLS 1.3 alone.
inline SSL_CTX* tls_context(const char* certificate, const char* key) {
  SSL_CTX* context = SSL_CTX_new(TLS_method());
  SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);  // tickets need none
  if (SSL_CTX_use_certificate_chain_file(context, certificate) != 1 ||
      SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) != 1) {
    std::fprintf(stderr, "the certificate or its key is of no use\n");
    std::exit(1);
  }
  return context;
}

}  // namespace boringssl_peer
