// tests/bench/peers/boringssl/connection.h: BoringSSL by hand, whatever the loop.
//
// What has come is read into one buffer of all connections, from which BoringSSL takes it.  What
// BoringSSL has to send goes to the loop at once, so that a record is not copied; small ones, and
// those of a large block, are put together first.  While something waits to be sent nothing is
// read, and a connection that waits for its client owns no buffer.

#pragma once

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace boringssl_peer {

class Connection {
 public:
  explicit Connection(SSL_CTX* context) : ssl_(SSL_new(context)) {
    SSL_set_accept_state(ssl_.get());
    SSL_set_shed_handshake_config(ssl_.get(), 1);
    BIO_up_ref(bio());
    SSL_set_bio(ssl_.get(), bio(), bio());  // which takes over one reference
  }
  virtual ~Connection() = default;

 protected:
  // What the loop does.

  /// `transmit(bytes)` sends them, or keeps what cannot be sent now; then `waits_to_send()` is
  /// true.
  virtual void transmit(std::string_view bytes) = 0;
  virtual bool waits_to_send() const = 0;
  /// `close()` is called once.
  virtual void close() = 0;

  // What the loop calls, each between `begin()` and `finish()`.

  void begin() { now_ = this; }
  void finish() {
    if (!gathered_.empty()) transmit_gathered();
    if (ending_ && !waits_to_send()) end();
  }

  /// `came(bytes)` is called for what has come.
  void came(std::string_view bytes) {
    input_ = bytes;
    decrypt();
  }
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
    if (SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size())) <= 0) end();
  }

  /// `gather(true)` lets what is put wait until `gather(false)`.
  void gather(bool on) {
    gathering_ = on;
    if (!on && !gathered_.empty()) transmit_gathered();
  }

  /// `say_end()` ends the connection when all has been sent.
  void say_end() {
    SSL_shutdown(ssl_.get());
    ending_ = true;
  }

 private:
  struct Free {
    void operator()(SSL* ssl) const { SSL_free(ssl); }
  };

  void decrypt() {
    if (SSL_in_init(ssl_.get()) != 0) {
      const int result = SSL_do_handshake(ssl_.get());
      if (result <= 0) {
        if (SSL_get_error(ssl_.get(), result) != SSL_ERROR_WANT_READ) end();
        return;
      }
      can_send();
    }
    // As many records as there are, up to the size of one, so that they can be answered by one.
    // Without input nothing is asked for: there is no record.
    static std::array<char, SSL3_RT_MAX_PLAIN_LENGTH> plain;
    std::size_t size = 0;
    int error = SSL_ERROR_NONE;
    while (error == SSL_ERROR_NONE && (!input_.empty() || SSL_pending(ssl_.get()) > 0)) {
      const int n =
          SSL_read(ssl_.get(), plain.data() + size, static_cast<int>(plain.size() - size));
      if (n > 0) size += static_cast<std::size_t>(n);
      if (n <= 0) error = SSL_get_error(ssl_.get(), n);
      if (size == plain.size()) received({plain.data(), std::exchange(size, 0)});
    }
    if (size > 0) received({plain.data(), size});
    if (error == SSL_ERROR_ZERO_RETURN) {
      client_has_ended();
    } else if (error != SSL_ERROR_NONE && error != SSL_ERROR_WANT_READ) {
      end();
    }
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

  bool ending_ = false;
  bool ended_ = false;
  std::unique_ptr<SSL, Free> ssl_;
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
