#include "tcp/tls/internal/context.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "async/clock.h"
#include "async/scheduler.h"
#include "tcp/tls/internal/pem.h"

namespace async::Tls::internal {

namespace {

int version_number(Version version) {
  return version == Version::Tls_1_2 ? TLS1_2_VERSION : TLS1_3_VERSION;
}

Error::Kind kind_of_verify_result(int result) {
  switch (result) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return Error::Kind::Expired;
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return Error::Kind::Not_yet_valid;
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return Error::Kind::Wrong_host;
    case X509_V_ERR_CERT_REVOKED:
      return Error::Kind::Revoked;
    default:
      return Error::Kind::Untrusted;
  }
}

int when_verified(int is_good, X509_STORE_CTX* store) {
  if (is_good == 1) return 1;
  const auto* ssl =
      static_cast<SSL*>(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
  Engine& engine = Engine::of(*ssl);
  const int result = X509_STORE_CTX_get_error(store);
  X509* certificate = X509_STORE_CTX_get_current_cert(store);
  const std::string whose = certificate ? to_string(X509_get_subject_name(certificate)) : "(none)";
  engine.verification_failed(
      kind_of_verify_result(result),
      std::string(X509_verify_cert_error_string(result)) + " (" + whose + ")");
  return 0;
}

// By which sessions and the keys of tickets grow old.
timeval time_now() {
  const Time_ns now = Scheduler::is_running() ? Clock::now() : std::chrono::system_clock::now();
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch());
  return {.tv_sec = seconds.count(), .tv_usec = 0};
}

void choose_groups(SSL_CTX& context, const std::string& groups) {
  if (!groups.empty()) {
    if (SSL_CTX_set1_curves_list(&context, groups.c_str()) != 1)
      fail_configuration("there is no such group in \"" + groups + "\"");
    return;
  }
  // What is said today is to stay secret when there are quantum computers.  Without that group in
  // this BoringSSL, its own choice stays.
  static_cast<void>(SSL_CTX_set1_curves_list(&context, "X25519MLKEM768:X25519:P-256:P-384"));
  ERR_clear_error();
}

// The secrets of all sessions, for whoever has asked for them.
class Key_log {
 public:
  explicit Key_log(const std::filesystem::path& path)
      : fd_(open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR)) {
    if (fd_ < 0) fail_configuration("cannot write " + path.string());
  }
  Key_log(const Key_log&) = delete;
  Key_log& operator=(const Key_log&) = delete;
  ~Key_log() { close(fd_); }

  // In one call, so that the lines of all threads, and processes, stay whole.
  void write(const char* line) { dprintf(fd_, "%s\n", line); }

 private:
  const int fd_;
};

}  // namespace

void refuse_beside_openssl() {
  // A copy of BoringSSL that nobody else sees is in nobody's way.
  if (dlsym(RTLD_DEFAULT, "SSL_CTX_new") != reinterpret_cast<void*>(&SSL_CTX_new)) return;
  // OpenSSL 1.1 and later have these, and BoringSSL has not.
  if (dlsym(RTLD_DEFAULT, "OPENSSL_init_ssl") && dlsym(RTLD_DEFAULT, "SSL_CTX_set_ciphersuites")) {
    throw Error(
        Error::Kind::Configuration,
        "TLS: this program has loaded OpenSSL as well, whose functions have the same names as "
        "BoringSSL's; build async_uv with ASYNC_UV_BUILD_BORINGSSL, which has one of its own");
  }
}

std::string alpn_of(const std::vector<std::string>& protocols) {
  std::string list;
  for (const std::string& protocol : protocols) {
    if (protocol.empty() || protocol.size() > 255)
      fail_configuration("\"" + protocol + "\" is no protocol for ALPN");
    list.append(1, static_cast<char>(protocol.size())).append(protocol);
  }
  return list;
}

Ssl_ctx make_context(const Common_settings& settings) {
  refuse_beside_openssl();
  Ssl_ctx made(SSL_CTX_new(TLS_method()));
  SSL_CTX& context = *made;
  if (settings.min_version > settings.max_version)
    fail_configuration("min_version is above max_version");
  SSL_CTX_set_min_proto_version(&context, version_number(settings.min_version));
  SSL_CTX_set_max_proto_version(&context, version_number(settings.max_version));
  // Those of TLS 1.2 that keep past sessions secret and authenticate what they encrypt.  Of the
  // first two, what the client has hardware for is the faster one.
  if (SSL_CTX_set_strict_cipher_list(
          &context,
          "[ECDHE-ECDSA-AES128-GCM-SHA256|ECDHE-ECDSA-CHACHA20-POLY1305]:"
          "ECDHE-ECDSA-AES256-GCM-SHA384:"
          "[ECDHE-RSA-AES128-GCM-SHA256|ECDHE-RSA-CHACHA20-POLY1305]:"
          "ECDHE-RSA-AES256-GCM-SHA384") != 1) {
    fail_configuration("this BoringSSL lacks cipher suites");
  }
  SSL_CTX_set_current_time_cb(&context, [](const SSL*, timeval* now) { *now = time_now(); });
  SSL_CTX_set_mode(&context, SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  choose_groups(context, settings.groups);
  if (settings.key_log) {
    Owned_by_context<Key_log>::add(context, std::make_unique<Key_log>(*settings.key_log));
    SSL_CTX_set_keylog_callback(&context, [](const SSL* ssl, const char* line) {
      Owned_by_context<Key_log>::of(*ssl).write(line);
    });
  }
  return made;
}

Ssl_ctx share(SSL_CTX& context) {
  SSL_CTX_up_ref(&context);
  return Ssl_ctx(&context);
}

void use_trust(SSL_CTX& context, const Trust& trust) {
  X509_STORE* store = SSL_CTX_get_cert_store(&context);
  if (std::holds_alternative<Trust::System>(trust.source())) {
    const char* chosen = secure_getenv("SSL_CERT_FILE");
    const std::string bundle = chosen ? chosen : "/etc/ssl/certs/ca-certificates.crt";
    if (chosen || std::filesystem::exists(bundle)) {
      if (SSL_CTX_load_verify_locations(&context, bundle.c_str(), nullptr) != 1)
        fail_configuration("cannot read the roots of this machine in " + bundle);
    } else {
      SSL_CTX_set_default_verify_paths(&context);
    }
  } else if (const auto* folder = std::get_if<Trust::Folder>(&trust.source())) {
    if (!std::filesystem::is_directory(folder->path))
      fail_configuration(folder->path.string() + " is no folder");
    if (SSL_CTX_load_verify_locations(&context, nullptr, folder->path.c_str()) != 1) {
      fail_configuration("cannot use the roots in " + folder->path.string());
    }
  } else {
    for (const Certificate& root : read_certificates(std::get<Pem_source>(trust.source()))) {
      if (X509_STORE_add_cert(store, root.get()) != 1) fail_configuration("a root is of no use");
    }
  }
  for (const Pem_source& source : trust.revocations()) {
    for (const Revocations& list : read_revocations(source)) {
      if (X509_STORE_add_crl(store, list.get()) != 1) {
        fail_configuration("a list in " + name_of(source) + " is of no use");
      }
    }
    X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
  }
}

void verify_peer(SSL_CTX& context, int mode) { SSL_CTX_set_verify(&context, mode, when_verified); }

}  // namespace async::Tls::internal
