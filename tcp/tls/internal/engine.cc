#include "tcp/tls/internal/engine.h"

#include <openssl/pem.h>
#include <openssl/sha.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "tcp/tls/internal/identities.h"

namespace async::Tls::internal {

namespace {

int engine_index() {
  static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}

Error::Kind kind_of_reason(int reason) {
  switch (reason) {
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
    case SSL_R_WRONG_VERSION_ON_EARLY_DATA:
      return Error::Kind::No_common_version;
    case SSL_R_NO_APPLICATION_PROTOCOL:
    case SSL_R_TLSV1_ALERT_NO_APPLICATION_PROTOCOL:
    case SSL_R_INVALID_ALPN_PROTOCOL:
      return Error::Kind::No_common_protocol;
    case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
    case SSL_R_TLSV1_ALERT_CERTIFICATE_REQUIRED:
      return Error::Kind::Client_certificate_missing;
    case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
    case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
    case SSL_R_TLSV1_ALERT_ACCESS_DENIED:
      return Error::Kind::Client_certificate_refused;
    default:
      return reason > SSL_AD_REASON_OFFSET ? Error::Kind::Refused : Error::Kind::Protocol;
  }
}

}  // namespace

/// How BoringSSL reads and writes: from the input, and to the output, that the engine has just now.
struct Engine::Bio_functions {
  static int read(BIO* bio, char* into, int size) {
    auto& engine = *static_cast<Engine*>(BIO_get_data(bio));
    BIO_clear_retry_flags(bio);
    if (engine.input_.empty()) {
      if (engine.input_has_ended_) return 0;
      BIO_set_retry_read(bio);
      return -1;
    }
    const std::size_t n = engine.input_.copy(into, static_cast<std::size_t>(size));
    engine.input_.remove_prefix(n);
    return static_cast<int>(n);
  }
  static int write(BIO* bio, const char* bytes, int size) {
    auto& engine = *static_cast<Engine*>(BIO_get_data(bio));
    engine.output_->append(bytes, static_cast<std::size_t>(size));
    return size;
  }
  static long control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

  static const BIO_METHOD* method() {
    static const BIO_METHOD* const made = [] {
      BIO_METHOD* m = BIO_meth_new(0, "async_uv");
      BIO_meth_set_read(m, read);
      BIO_meth_set_write(m, write);
      BIO_meth_set_ctrl(m, control);
      return m;
    }();
    return made;
  }
};

Engine::Engine(Ssl ssl, std::string peer) : ssl_(std::move(ssl)), peer_(std::move(peer)) {
  SSL_set_ex_data(ssl_.get(), engine_index(), this);
  BIO* bio = BIO_new(Bio_functions::method());
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl_.get(), bio, bio);
  SSL_set_shed_handshake_config(ssl_.get(), 1);
}

Engine::~Engine() = default;

Engine& Engine::of(const SSL& ssl) {
  return *static_cast<Engine*>(SSL_get_ex_data(&ssl, engine_index()));
}

Engine::Status Engine::handshake(std::string& output) noexcept {
  ERR_clear_error();
  output_ = &output;
  const int result = SSL_do_handshake(ssl_.get());
  return result == 1 ? Status::Done : status_of(result, "handshake");
}

Engine::Read Engine::read(std::span<char> into, std::string& output) noexcept {
  ERR_clear_error();
  output_ = &output;
  std::size_t total = 0;
  // A record at a time, as long as there is room and the next one is here.
  while (total < into.size()) {
    const std::size_t room =
        std::min<std::size_t>(into.size() - total, std::numeric_limits<int>::max());
    const int n = SSL_read(ssl_.get(), into.data() + total, static_cast<int>(room));
    if (n > 0) {
      total += static_cast<std::size_t>(n);
      continue;
    }
    // What was decrypted before comes first; the same will be said again.
    if (total > 0) {
      end_is_next_ = SSL_get_error(ssl_.get(), n) != SSL_ERROR_WANT_READ;
      ERR_clear_error();
      break;
    }
    return {status_of(n, "read"), 0};
  }
  return {Status::Done, total};
}

bool Engine::has_more() const noexcept { return SSL_pending(ssl_.get()) > 0 || end_is_next_; }

Engine::Status Engine::write(std::string_view bytes, std::string& output) noexcept {
  ERR_clear_error();
  output_ = &output;
  const int result = SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size()));
  return result > 0 ? Status::Done : status_of(result, "write");
}

void Engine::end(std::string& output) noexcept {
  ERR_clear_error();
  output_ = &output;
  if (!error_ && SSL_is_init_finished(ssl_.get())) SSL_shutdown(ssl_.get());
  ERR_clear_error();
}

Engine::Status Engine::status_of(int result, std::string_view doing) noexcept {
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ:
      return Status::Wants_input;
    case SSL_ERROR_ZERO_RETURN:
      if (doing != "handshake") return Status::Ended;
      fail(Error(Error::Kind::Closed, peer_ + " has ended the connection during the handshake"));
      return Status::Failed;
    default:
      fail(error_of_ssl(doing));
      return Status::Failed;
  }
}

Error Engine::error_of_ssl(std::string_view doing) const {
  const Ssl_error error = take_ssl_error();
  if (verification_error_) return {verification_error_->first, verification_error_->second};
  const std::string where = "TLS " + std::string(doing) + " with " + peer_ + ": ";
  if (error.text.empty()) {  // no error of TLS, so it was the end of the input
    return doing == "handshake" ? Error(Error::Kind::Closed, where + "the connection has ended")
                                : Error(Error::Kind::Truncated,
                                        where + "the connection has ended without TLS's own end");
  }
  return {kind_of_reason(error.reason), where + error.text};
}

void Engine::fail(Error error) noexcept {
  if (!error_) error_.emplace(std::move(error));
}

void Engine::verification_failed(Error::Kind kind, std::string text) {
  if (!verification_error_) verification_error_.emplace(kind, std::move(text));
}

namespace {

std::string hexadecimal(std::span<const std::uint8_t> bytes) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string text;
  for (const std::uint8_t byte : bytes) text.append({digits[byte >> 4], digits[byte & 15]});
  return text;
}

Peer_certificate described(X509& certificate) {
  std::uint8_t digest[SHA256_DIGEST_LENGTH];
  unsigned size = 0;
  X509_digest(&certificate, EVP_sha256(), digest, &size);
  const Bio bio(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(bio.get(), &certificate);
  return {.subject = to_string(X509_get_subject_name(&certificate)),
          .issuer = to_string(X509_get_issuer_name(&certificate)),
          .dns_names = dns_names_of(certificate),
          .sha256 = hexadecimal({digest, size}),
          .pem = contents(*bio)};
}

}  // namespace

Info Engine::info() const {
  const SSL* ssl = ssl_.get();
  const SSL_CIPHER* cipher = SSL_get_current_cipher(ssl);
  const std::uint16_t curve = SSL_get_curve_id(ssl);
  const std::uint8_t* protocol = nullptr;
  unsigned protocol_size = 0;
  SSL_get0_alpn_selected(ssl, &protocol, &protocol_size);
  const char* server_name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
  Info info{.version = SSL_version(ssl) == TLS1_3_VERSION ? Version::Tls_1_3 : Version::Tls_1_2,
            .cipher = cipher ? SSL_CIPHER_standard_name(cipher) : "",
            .group = curve ? SSL_get_curve_name(curve) : "",
            .alpn = std::nullopt,
            .server_name = server_name ? server_name : "",
            .is_resumed = SSL_session_reused(ssl) == 1,
            .peer = std::nullopt};
  if (protocol_size > 0) info.alpn.emplace(reinterpret_cast<const char*>(protocol), protocol_size);
  if (const Certificate peer{SSL_get_peer_certificate(ssl)}) info.peer = described(*peer);
  return info;
}

}  // namespace async::Tls::internal
