// Ends with 0 if this is BoringSSL, and works.
#include <openssl/rand.h>
#include <openssl/ssl.h>

#ifndef OPENSSL_IS_BORINGSSL
#error "this is another library"
#endif

int main() {
  unsigned char byte = 0;
  const bssl::UniquePtr<SSL_CTX> context(SSL_CTX_new(TLS_method()));
  return context && RAND_bytes(&byte, 1) == 1 ? 0 : 1;
}
