// tcp/tls/internal/ssl.h: BoringSSL's objects, owned.
//
// Layer: tcp/tls.

#pragma once

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <memory>
#include <string>

namespace async::Tls::internal {

template <auto free_it>
struct Free {
  template <class T>
  void operator()(T* p) const noexcept {
    free_it(p);
  }
};

using Ssl_ctx = std::unique_ptr<SSL_CTX, Free<SSL_CTX_free>>;
using Ssl = std::unique_ptr<SSL, Free<SSL_free>>;
using Ssl_session = std::unique_ptr<SSL_SESSION, Free<SSL_SESSION_free>>;
using Certificate = std::unique_ptr<X509, Free<X509_free>>;
using Revocations = std::unique_ptr<X509_CRL, Free<X509_CRL_free>>;
using Private_key = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;
using Bio = std::unique_ptr<BIO, Free<BIO_free>>;

/// `take_ssl_error()` is what BoringSSL's queue of this thread has as its first error, and empties it.
struct Ssl_error {
  int library = 0;
  int reason = 0;
  std::string text;  // empty if there was none
};
Ssl_error take_ssl_error();

/// `to_string(name)` is it in one line, such as "CN=example.com,O=Example".
std::string to_string(X509_NAME* name);

/// `contents(bio)` is what was written to a BIO in memory.
std::string contents(BIO& bio);

}  // namespace async::Tls::internal
