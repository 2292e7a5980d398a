#include "tests/bench/load/tls/tls_stream.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>

#include "tests/bench/load/system.h"

namespace bench {

static constexpr std::size_t most_unsent = 256 * 1024;

std::vector<Ssl_session> Tls_stream::tickets;

const BIO_METHOD* Tls_stream::bio_method() {
  static const BIO_METHOD* const made = [] {
    BIO_METHOD* method = BIO_meth_new(0, "load");
    BIO_meth_set_read(method, [](BIO* bio, char* into, int size) {
      auto& input = static_cast<Tls_stream*>(BIO_get_data(bio))->input_;
      BIO_clear_retry_flags(bio);
      if (input.empty()) {
        BIO_set_retry_read(bio);
        return -1;
      }
      const std::size_t n = input.copy(into, static_cast<std::size_t>(size));
      input.remove_prefix(n);
      return static_cast<int>(n);
    });
    BIO_meth_set_write(method, [](BIO* bio, const char* bytes, int size) {
      auto& output = static_cast<Tls_stream*>(BIO_get_data(bio))->output_;
      output.append(bytes, static_cast<std::size_t>(size));
      return size;
    });
    BIO_meth_set_ctrl(method, [](BIO*, int command, long, void*) -> long {
      return command == BIO_CTRL_FLUSH ? 1 : 0;
    });
    return method;
  }();
  return made;
}

SSL_CTX& Tls_stream::context() {
  static SSL_CTX* const made = [] {
    SSL_CTX* context = SSL_CTX_new(TLS_method());
    SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
    SSL_CTX_set1_curves_list(context, "X25519");
    // Whoever has made the certificate; that the server has its key is verified.
    SSL_CTX_set_verify(context, SSL_VERIFY_NONE, nullptr);
    SSL_CTX_set_session_cache_mode(context,
                                   SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL_STORE);
    SSL_CTX_sess_set_new_cb(context, [](SSL*, SSL_SESSION* session) {
      constexpr std::size_t enough = 64;
      if (tickets.size() == enough) return 0;
      tickets.emplace_back(session);
      return 1;
    });
    return context;
  }();
  return *made;
}

Tls_stream::Tls_stream(int fd, SSL_SESSION* session)
    : fd_(fd), resumes_(session != nullptr), ssl_(SSL_new(&context())) {
  BIO* bio = BIO_new(bio_method());
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl_.get(), bio, bio);
  SSL_set_connect_state(ssl_.get());
  SSL_set_shed_handshake_config(ssl_.get(), 1);
  if (session != nullptr) SSL_set_session(ssl_.get(), session);
}

Tls_stream::~Tls_stream() { close(fd_); }

void Tls_stream::fail(const char* doing, int result) const {
  const char* why = ERR_reason_error_string(ERR_peek_error());
  give_up(std::string(doing) + ": " +
          (why != nullptr ? why : "error " + std::to_string(SSL_get_error(ssl_.get(), result))));
}

void Tls_stream::check() const {
  const SSL* ssl = ssl_.get();
  if (SSL_version(ssl) != TLS1_3_VERSION) give_up("it is not TLS 1.3");
  const std::string cipher = SSL_CIPHER_standard_name(SSL_get_current_cipher(ssl));
  if (cipher != "TLS_AES_128_GCM_SHA256") give_up("the cipher is " + cipher);
  if (SSL_get_curve_id(ssl) != SSL_CURVE_X25519) give_up("the exchange of keys is another");
  if ((SSL_session_reused(ssl) == 1) != resumes_) give_up("the session was not resumed");
  if (!resumes_ && SSL_get_peer_signature_algorithm(ssl) != SSL_SIGN_ECDSA_SECP256R1_SHA256)
    give_up("the signature is another");
}

bool Tls_stream::read_from_socket() {
  static char buffer[256 * 1024];
  const ssize_t n = recv(fd_, buffer, sizeof buffer, 0);
  if (n < 0 && errno == EAGAIN) return false;
  if (n < 0) give_up("recv");
  errno = 0;
  if (n == 0 && !may_end_abruptly_) give_up("the connection has ended without TLS's own end");
  if (n == 0) has_ended_ = true;
  input_ = {buffer, static_cast<std::size_t>(n)};
  return true;
}

bool Tls_stream::handshake() {
  for (;;) {
    const int result = SSL_do_handshake(ssl_.get());
    if (result == 1) break;
    if (SSL_get_error(ssl_.get(), result) != SSL_ERROR_WANT_READ) fail("handshake", result);
    if (!flush()) give_up("a handshake does not fit into the socket");
    if (!read_from_socket()) return false;
  }
  // Some servers send tickets before they know that the handshake is done.
  early_ = input_;
  input_ = early_;
  check();
  return true;
}

std::size_t Tls_stream::send(std::string_view bytes) {
  if (output_.size() - sent_ >= most_unsent && !flush()) return 0;
  const std::size_t n = std::min<std::size_t>(bytes.size(), SSL3_RT_MAX_PLAIN_LENGTH);
  const int result = SSL_write(ssl_.get(), bytes.data(), static_cast<int>(n));
  if (result <= 0) fail("write", result);
  return n;
}

bool Tls_stream::flush() {
  while (sent_ < output_.size()) {
    const ssize_t n = ::send(fd_, output_.data() + sent_, output_.size() - sent_, MSG_NOSIGNAL);
    if (n < 0 && errno == EAGAIN) return false;
    if (n < 0) give_up("send");
    sent_ += static_cast<std::size_t>(n);
  }
  output_.clear();
  sent_ = 0;
  return true;
}

ssize_t Tls_stream::receive(std::span<char> into) {
  // All that has come is decrypted, for which `into` may have to be as large as a recv: nothing
  // would say that there is more.
  std::size_t total = 0;
  for (;;) {
    const int n = SSL_read(ssl_.get(), into.data() + total, static_cast<int>(into.size() - total));
    if (n > 0) {
      total += static_cast<std::size_t>(n);
      if (total == into.size()) break;
      continue;
    }
    const int error = SSL_get_error(ssl_.get(), n);
    if (error == SSL_ERROR_ZERO_RETURN) break;
    if (error != SSL_ERROR_WANT_READ) fail("read", n);
    if (total > 0 || !read_from_socket() || has_ended_) break;
  }
  return total > 0 || is_at_end() ? static_cast<ssize_t>(total) : -1;
}

bool Tls_stream::is_at_end() const {
  return has_ended_ || (SSL_get_shutdown(ssl_.get()) & SSL_RECEIVED_SHUTDOWN) != 0;
}

void Tls_stream::end() {
  SSL_shutdown(ssl_.get());
  if (!flush()) give_up("send");
  shutdown(fd_, SHUT_WR);
}

std::unique_ptr<Stream> tls(int fd) {
  auto stream = std::make_unique<Tls_stream>(fd);
  while (!stream->handshake()) {
  }
  if (!stream->flush()) give_up("send");
  return stream;
}

}  // namespace bench
