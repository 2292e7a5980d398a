// tcp/tls/internal/ssl.h: BoringSSL's objects, owned, and their memory.
//
// Layer: tcp/tls.
//
// BoringSSL asks for memory by way of hooks (`OPENSSL_memory_alloc` and two more), which ssl.cc
// defines: it comes from the pool of the thread, as the library's own does, so that at steady state
// a handshake allocates next to nothing.  It is cleansed when it is given back.  The hooks are
// weak, and those of all of the process's BoringSSL: a program that has its own keeps them.  The
// buffers of records are `malloc`'s all the same; so BoringSSL has decided.

#pragma once

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pool.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <memory>
#include <string>
#include <type_traits>

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
using Buffer = std::unique_ptr<CRYPTO_BUFFER, Free<CRYPTO_BUFFER_free>>;
using Bio = std::unique_ptr<BIO, Free<BIO_free>>;

/// What a context owns besides its own: a `T` that lives as long as the context and all its
/// connections.
template <class T>
class Owned_by_context {
 public:
  static T& add(SSL_CTX& context, std::unique_ptr<T> object) {
    T& added = *object;
    SSL_CTX_set_ex_data(&context, index(), const_cast<std::remove_const_t<T>*>(object.release()));
    return added;
  }
  static T& of(const SSL& ssl) {
    return *static_cast<T*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(&ssl), index()));
  }

 private:
  static int index() {
    static const int made = SSL_CTX_get_ex_new_index(
        0, nullptr, nullptr, nullptr, [](void*, void* object, CRYPTO_EX_DATA*, int, long, void*) {
          delete static_cast<T*>(object);
        });
    return made;
  }
};

/// `take_ssl_error()` is what BoringSSL's queue of this thread has as its first error, and empties
/// it.
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
