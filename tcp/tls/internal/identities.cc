#include "tcp/tls/internal/identities.h"

#include <openssl/x509v3.h>

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <utility>

#include "tcp/tls/internal/pem.h"
#include "tcp/tls/internal/signing.h"

namespace async::Tls::internal {

namespace {

std::string in_small_letters(std::string_view name) {
  std::string result(name);
  std::transform(result.begin(), result.end(), result.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (result.ends_with('.')) result.pop_back();
  return result;
}

Buffer encoded(X509& certificate) {
  std::uint8_t* bytes = nullptr;
  const int size = i2d_X509(&certificate, &bytes);
  Buffer buffer(CRYPTO_BUFFER_new(bytes, static_cast<std::size_t>(size), nullptr));
  OPENSSL_free(bytes);
  return buffer;
}

}  // namespace

std::vector<std::string> dns_names_of(X509& certificate) {
  std::vector<std::string> names;
  auto* found = static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(&certificate, NID_subject_alt_name, nullptr, nullptr));
  for (std::size_t i = 0; found && i < sk_GENERAL_NAME_num(found); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(found, i);
    if (name->type != GEN_DNS) continue;
    names.emplace_back(reinterpret_cast<const char*>(ASN1_STRING_get0_data(name->d.dNSName)),
                       static_cast<std::size_t>(ASN1_STRING_length(name->d.dNSName)));
  }
  GENERAL_NAMES_free(found);
  return names;
}

Loaded_identity load(const Identity& identity) {
  const auto& [chain, key] = identity;
  Loaded_identity loaded{
      .chain = {}, .key = read_private_key(key), .key_takes_long = false, .names = {}};
  loaded.key_takes_long = takes_long(*loaded.key);
  const std::vector<Certificate> certificates = read_certificates(chain);
  X509& own = *certificates.front();
  if (X509_check_private_key(&own, loaded.key.get()) != 1) {
    fail_configuration("the private key in " + name_of(key) +
                       " is not that of the certificate in " + name_of(chain));
  }
  for (const Certificate& one : certificates) loaded.chain.push_back(encoded(*one));
  for (const std::string& name : dns_names_of(own)) loaded.names.push_back(in_small_letters(name));
  return loaded;
}

Identities::Identities(const Identity& first, const std::vector<Identity>& more) {
  all_.push_back(load(first));
  for (const Identity& one : more) all_.push_back(load(one));
  for (std::size_t i = 0; i < all_.size(); ++i) {
    for (const std::string& name : all_[i].names) by_name_.emplace(name, i);
  }
}

const Loaded_identity& Identities::of(std::string_view asked) const {
  const std::string name = in_small_letters(asked);
  auto found = by_name_.find(name);
  if (found == by_name_.end()) {
    if (const std::size_t dot = name.find('.'); dot != std::string::npos) {
      found = by_name_.find("*" + name.substr(dot));
    }
  }
  return all_[found == by_name_.end() ? 0 : found->second];
}

}  // namespace async::Tls::internal
