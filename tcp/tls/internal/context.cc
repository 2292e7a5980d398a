#include "tcp/tls/internal/context.h"

#include <dlfcn.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <fstream>
#include <mutex>
#include <sstream>
#include <utility>

#include "async/log.h"

namespace async::Tls::internal {

namespace {

[[noreturn]] void fail(const std::string& what) {
  const Ssl_error error = take_ssl_error();
  throw Error(Error::Kind::Configuration,
              "TLS: " + what + (error.text.empty() ? "" : ": " + error.text));
}

std::string name_of(const Pem_source& source) {
  const auto* path = std::get_if<std::filesystem::path>(&source);
  return path ? path->string() : "the PEM text";
}

std::string text_of(const Pem_source& source) {
  if (const auto* pem = std::get_if<Pem>(&source)) return pem->text;
  const auto& path = std::get<std::filesystem::path>(source);
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (!file || !(text << file.rdbuf())) fail("cannot read " + path.string());
  return text.str();
}

// Calls `read` for one object after another, until there is none, and `use` with each.
template <class Object, class Read, class Use>
int each_in(const Pem_source& source, Read read, Use use) {
  const std::string text = text_of(source);
  const Bio bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  int count = 0;
  ERR_clear_error();
  while (Object object{read(bio.get(), nullptr, nullptr, nullptr)}) {
    use(std::move(object));
    ++count;
  }
  const std::uint32_t last = ERR_peek_last_error();
  const bool is_end =
      ERR_GET_LIB(last) == ERR_LIB_PEM && ERR_GET_REASON(last) == PEM_R_NO_START_LINE;
  if (!is_end) fail("what is in " + name_of(source) + " is no PEM");
  ERR_clear_error();
  return count;
}

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
  engine.verification_failed(kind_of_verify_result(result),
                             "the certificate of " + engine.peer() + " was not accepted: " +
                                 X509_verify_cert_error_string(result) + " (" + whose + ")");
  return 0;
}

// The secrets of all sessions, for whoever has asked for them.
class Key_log {
 public:
  explicit Key_log(const std::filesystem::path& path)
      : file_(std::fopen(path.c_str(), "ae"), std::fclose) {
    if (!file_) fail("cannot write " + path.string());
  }
  void write(const char* line) {
    const std::scoped_lock lock(mutex_);
    std::fprintf(file_.get(), "%s\n", line);
    std::fflush(file_.get());
  }

 private:
  std::mutex mutex_;
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> file_;
};

}  // namespace

void refuse_beside_openssl() {
  // OpenSSL 1.1 and later have this, and BoringSSL has not.
  if (dlsym(RTLD_DEFAULT, "OPENSSL_init_ssl") && dlsym(RTLD_DEFAULT, "SSL_CTX_set_ciphersuites")) {
    throw Error(
        Error::Kind::Configuration,
        "TLS: this program has loaded OpenSSL as well, whose functions have the same names as "
        "BoringSSL's; build async_uv with a BoringSSL of its own (static and hidden)");
  }
}

std::string alpn_of(const std::vector<std::string>& protocols) {
  std::string list;
  for (const std::string& protocol : protocols) {
    if (protocol.empty() || protocol.size() > 255)
      fail("\"" + protocol + "\" is no protocol for ALPN");
    list.append(1, static_cast<char>(protocol.size())).append(protocol);
  }
  return list;
}

Ssl_ctx make_context(const Common_settings& settings) {
  refuse_beside_openssl();
  Ssl_ctx made(SSL_CTX_new(TLS_method()));
  SSL_CTX& context = *made;
  if (settings.min_version > settings.max_version) fail("min_version is above max_version");
  SSL_CTX_set_min_proto_version(&context, version_number(settings.min_version));
  SSL_CTX_set_max_proto_version(&context, version_number(settings.max_version));
  SSL_CTX_set_mode(&context, SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  if (!settings.groups.empty() &&
      SSL_CTX_set1_curves_list(&context, settings.groups.c_str()) != 1) {
    fail("there is no such group in \"" + settings.groups + "\"");
  }
  if (settings.key_log) {
    Owned_by_context<Key_log>::add(context, std::make_unique<Key_log>(*settings.key_log));
    SSL_CTX_set_keylog_callback(&context, [](const SSL* ssl, const char* line) {
      Owned_by_context<Key_log>::of(*ssl).write(line);
    });
  }
  return made;
}

void use_identity(SSL_CTX& context, const Pem_source& chain, const Pem_source& key) {
  int count = 0;
  each_in<Certificate>(chain, PEM_read_bio_X509, [&](Certificate certificate) {
    const bool is_good = count++ == 0 ? SSL_CTX_use_certificate(&context, certificate.get()) == 1
                                      : SSL_CTX_add1_chain_cert(&context, certificate.get()) == 1;
    if (!is_good) fail("a certificate in " + name_of(chain) + " is of no use");
  });
  if (count == 0) fail("there is no certificate in " + name_of(chain));
  const std::string text = text_of(key);
  const Bio bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  const Private_key read(PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr));
  if (!read) fail("there is no private key in " + name_of(key));
  if (SSL_CTX_use_PrivateKey(&context, read.get()) != 1) {
    fail("the private key in " + name_of(key) + " is not that of the certificate in " +
         name_of(chain));
  }
}

void use_trust(SSL_CTX& context, const Trust& trust) {
  X509_STORE* store = SSL_CTX_get_cert_store(&context);
  if (std::holds_alternative<Trust::System>(trust.source())) {
    static constexpr const char* bundle = "/etc/ssl/certs/ca-certificates.crt";
    if (std::filesystem::exists(bundle)) {
      if (SSL_CTX_load_verify_locations(&context, bundle, nullptr) != 1)
        fail("cannot read the roots of this machine");
    } else {
      SSL_CTX_set_default_verify_paths(&context);
    }
  } else if (const auto* folder = std::get_if<Trust::Folder>(&trust.source())) {
    if (!std::filesystem::is_directory(folder->path)) fail(folder->path.string() + " is no folder");
    if (SSL_CTX_load_verify_locations(&context, nullptr, folder->path.c_str()) != 1) {
      fail("cannot use the roots in " + folder->path.string());
    }
  } else {
    const auto& source = std::get<Pem_source>(trust.source());
    const int count = each_in<Certificate>(source, PEM_read_bio_X509, [&](Certificate root) {
      if (X509_STORE_add_cert(store, root.get()) != 1)
        fail("a root in " + name_of(source) + " is of no use");
    });
    if (count == 0) fail("there is no root in " + name_of(source));
  }
  for (const Pem_source& source : trust.revocations()) {
    const int count = each_in<Revocations>(source, PEM_read_bio_X509_CRL, [&](Revocations list) {
      if (X509_STORE_add_crl(store, list.get()) != 1)
        fail("a list in " + name_of(source) + " is of no use");
    });
    if (count == 0) fail("there is no list of revocations in " + name_of(source));
    X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
  }
}

void verify_peer(SSL_CTX& context, int mode) { SSL_CTX_set_verify(&context, mode, when_verified); }

}  // namespace async::Tls::internal
