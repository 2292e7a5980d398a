#include "tcp/tls/internal/engine.h"

#include <openssl/pem.h>
#include <openssl/sha.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "async/io/inet_addr.h"
#include "tcp/tls/internal/copy_in_pieces.h"
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
    if (engine.input_.empty()) {
      BIO_clear_retry_flags(bio);
      if (engine.input_has_ended_) return 0;
      BIO_set_retry_read(bio);
      return -1;
    }
    const std::size_t n = std::min(engine.input_.size(), static_cast<std::size_t>(size));
    copy_in_pieces(into, engine.input_.substr(0, n));
    engine.input_.remove_prefix(n);
    return static_cast<int>(n);
  }
  static int write(BIO* bio, const char* bytes, int size) {
    auto& engine = *static_cast<Engine*>(BIO_get_data(bio));
    engine.output_->put({bytes, static_cast<std::size_t>(size)});
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

/// How BoringSSL has something signed by a key that takes long.
struct Engine::Key_functions {
  static ssl_private_key_result_t sign(SSL* ssl, std::uint8_t*, std::size_t*, std::size_t,
                                       std::uint16_t algorithm, const std::uint8_t* input,
                                       std::size_t size) {
    Engine& engine = of(*ssl);
    engine.signature_ = std::make_shared<Signature>(
        share(*(engine.identity_ ? *engine.identity_ : identities_of(*ssl).first()).key), algorithm,
        std::string_view(reinterpret_cast<const char*>(input), size));
    return ssl_private_key_retry;
  }
  static ssl_private_key_result_t complete(SSL* ssl, std::uint8_t* into, std::size_t* size,
                                           std::size_t room) {
    const auto signature = std::exchange(of(*ssl).signature_, nullptr);
    const std::string& bytes = signature->bytes();
    if (bytes.empty() || bytes.size() > room) return ssl_private_key_failure;
    *size = bytes.copy(reinterpret_cast<char*>(into), bytes.size());
    return ssl_private_key_success;
  }
  // Only asked for by suites that have no forward secrecy, which no context here has.
  static ssl_private_key_result_t decrypt(SSL*, std::uint8_t*, std::size_t*, std::size_t,
                                          const std::uint8_t*, std::size_t) {
    return ssl_private_key_failure;
  }

  static constexpr SSL_PRIVATE_KEY_METHOD method{
      .sign = sign, .decrypt = decrypt, .complete = complete};
};

Engine::Engine(Ssl ssl, std::string peer) : ssl_(std::move(ssl)), peer_(std::move(peer)) {
  SSL_set_ex_data(ssl_.get(), engine_index(), this);
  BIO* bio = BIO_new(Bio_functions::method());
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl_.get(), bio, bio);
  SSL_set_shed_handshake_config(ssl_.get(), 1);
}

std::unique_ptr<Engine> Engine::accept(SSL_CTX& context, std::string peer) {
  Ssl ssl(SSL_new(&context));
  SSL_set_accept_state(ssl.get());
  return std::make_unique<Engine>(std::move(ssl), std::move(peer));
}

Engine::~Engine() = default;

Engine& Engine::of(const SSL& ssl) {
  return *static_cast<Engine*>(SSL_get_ex_data(&ssl, engine_index()));
}

namespace {

std::vector<CRYPTO_BUFFER*> pointers_to(const std::vector<Buffer>& buffers) {
  std::vector<CRYPTO_BUFFER*> pointers;
  pointers.reserve(buffers.size());
  for (const Buffer& buffer : buffers) pointers.push_back(buffer.get());
  return pointers;
}

}  // namespace

bool Engine::have_identities(SSL_CTX& context, std::unique_ptr<const Identities> identities) {
  const Loaded_identity& first = identities->first();
  Owned_by_context<const Identities>::add(context, std::move(identities));
  const auto chain = pointers_to(first.chain);
  return SSL_CTX_set_chain_and_key(&context, chain.data(), chain.size(),
                                   first.key_takes_long ? nullptr : first.key.get(),
                                   first.key_takes_long ? &Key_functions::method : nullptr) == 1;
}

const Identities& Engine::identities_of(const SSL& ssl) {
  return Owned_by_context<const Identities>::of(ssl);
}

bool Engine::use(const Loaded_identity& identity) noexcept {
  identity_ = &identity;
  const auto chain = pointers_to(identity.chain);
  return SSL_set_chain_and_key(ssl_.get(), chain.data(), chain.size(),
                               identity.key_takes_long ? nullptr : identity.key.get(),
                               identity.key_takes_long ? &Key_functions::method : nullptr) == 1;
}

Engine::Progress Engine::handshake(Output& output) noexcept {
  output_ = &output;
  const int result = SSL_do_handshake(ssl_.get());
  if (result == 1) return Progress::Done;
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ:
      return Progress::Wants_input;
    case SSL_ERROR_WANT_PRIVATE_KEY_OPERATION:
      return Progress::Wants_signature;
    case SSL_ERROR_ZERO_RETURN:
      fail(Error(Error::Kind::Closed, peer_ + " has ended the connection during the handshake"));
      return Progress::Failed;
    default:
      fail(error_of_ssl("handshake"));
      return Progress::Failed;
  }
}

Engine::Read Engine::read(std::span<char> into, Output& output) noexcept {
  output_ = &output;
  std::size_t total = 0;
  // A record at a time, as long as there is room and the next one is here.
  while (total < into.size()) {
    const std::size_t room =
        std::min<std::size_t>(into.size() - total, std::numeric_limits<int>::max());
    const int n = SSL_read(ssl_.get(), into.data() + total, static_cast<int>(room));
    has_pending_ = n > 0 && SSL_pending(ssl_.get()) > 0;
    if (n > 0) {
      total += static_cast<std::size_t>(n);
      // BoringSSL takes no more of the input than one record, so nothing is left in it either.
      if (input_.empty() && !has_pending_) break;
      continue;
    }
    const Status status = status_of(n, "read");
    has_reached_end_ = status != Status::Wants_input;
    // What was decrypted before comes first; an end will be said again.
    if (total == 0) return {status, 0};
    break;
  }
  return {Status::Done, total};
}

Engine::Status Engine::write(std::string_view bytes, Output& output) noexcept {
  output_ = &output;
  const int result = SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size()));
  return result > 0 ? Status::Done : status_of(result, "write");
}

void Engine::end(Output& output) noexcept {
  output_ = &output;
  if (!error_ && SSL_is_init_finished(ssl_.get())) SSL_shutdown(ssl_.get());
}

Engine::Status Engine::status_of(int result, std::string_view doing) noexcept {
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ:
      return Status::Wants_input;
    case SSL_ERROR_ZERO_RETURN:
      return Status::Ended;
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

bool Engine::verify_name(std::string name) {
  X509_VERIFY_PARAM* param = SSL_get0_param(ssl_.get());
  X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  const bool is_set = Inet_addr::parse(name)
                          ? X509_VERIFY_PARAM_set1_ip_asc(param, name.c_str()) == 1
                          : !name.empty() && !name.contains('*') &&
                                X509_VERIFY_PARAM_set1_host(param, name.c_str(), name.size()) == 1;
  verified_name_ = std::move(name);
  return is_set;
}

void Engine::verification_failed(Error::Kind kind, const std::string& why) {
  if (verification_error_) return;
  std::string text = "the certificate of " + peer_ + " was not accepted";
  if (kind == Error::Kind::Wrong_host) text += " for \"" + verified_name_ + "\"";
  verification_error_.emplace(kind, text + ": " + why);
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
