#include "tcp/tls/internal/signing.h"

#include <openssl/digest.h>
#include <openssl/ec.h>
#include <openssl/ec_key.h>
#include <openssl/nid.h>
#include <openssl/rsa.h>

namespace async::Tls::internal {

void Signature::make() noexcept {
  if (!try_to_make()) bytes_.clear();
  ERR_clear_error();  // it is this thread's
}

bool Signature::try_to_make() noexcept {
  bssl::ScopedEVP_MD_CTX context;
  EVP_PKEY_CTX* padding = nullptr;
  if (EVP_DigestSignInit(context.get(), &padding, SSL_get_signature_algorithm_digest(algorithm_),
                         nullptr, key_.get()) != 1) {
    return false;
  }
  if (SSL_is_signature_algorithm_rsa_pss(algorithm_) == 1 &&
      (EVP_PKEY_CTX_set_rsa_padding(padding, RSA_PKCS1_PSS_PADDING) != 1 ||
       EVP_PKEY_CTX_set_rsa_pss_saltlen(padding, -1) != 1)) {  // as long as the digest
    return false;
  }
  const auto* input = reinterpret_cast<const std::uint8_t*>(input_.data());
  std::size_t size = 0;
  if (EVP_DigestSign(context.get(), nullptr, &size, input, input_.size()) != 1) return false;
  bytes_.resize(size);
  if (EVP_DigestSign(context.get(), reinterpret_cast<std::uint8_t*>(bytes_.data()), &size, input,
                     input_.size()) != 1) {
    return false;
  }
  bytes_.resize(size);
  return true;
}

bool takes_long(const EVP_PKEY& key) {
  switch (EVP_PKEY_id(&key)) {
    case EVP_PKEY_ED25519:
      return false;
    case EVP_PKEY_EC:
      return EC_GROUP_get_curve_name(EC_KEY_get0_group(EVP_PKEY_get0_EC_KEY(&key))) !=
             NID_X9_62_prime256v1;
    default:
      return true;
  }
}

Private_key share(EVP_PKEY& key) {
  EVP_PKEY_up_ref(&key);
  return Private_key(&key);
}

}  // namespace async::Tls::internal
