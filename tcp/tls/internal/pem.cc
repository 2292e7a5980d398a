#include "tcp/tls/internal/pem.h"

#include <openssl/pem.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <utility>

#include "tcp/tls/error.h"

namespace async::Tls::internal {

void fail_configuration(const std::string& what) {
  const Ssl_error error = take_ssl_error();
  throw Error(Error::Kind::Configuration,
              "TLS: " + what + (error.text.empty() ? "" : ": " + error.text));
}

std::string name_of(const Pem_source& source) {
  const auto* path = std::get_if<std::filesystem::path>(&source);
  return path ? path->string() : "the PEM text";
}

namespace {

std::string text_of(const Pem_source& source) {
  if (const auto* pem = std::get_if<Pem>(&source)) return pem->text;
  const auto& path = std::get<std::filesystem::path>(source);
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (!file || !(text << file.rdbuf())) fail_configuration("cannot read " + path.string());
  return text.str();
}

template <class Object, class Read>
std::vector<Object> read_all(const Pem_source& source, Read read, const std::string& what) {
  const std::string text = text_of(source);
  const Bio bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  std::vector<Object> objects;
  ERR_clear_error();
  while (Object object{read(bio.get(), nullptr, nullptr, nullptr)}) {
    objects.push_back(std::move(object));
  }
  const std::uint32_t last = ERR_peek_last_error();
  const bool is_end =
      ERR_GET_LIB(last) == ERR_LIB_PEM && ERR_GET_REASON(last) == PEM_R_NO_START_LINE;
  if (!is_end) fail_configuration("what is in " + name_of(source) + " is no " + what);
  ERR_clear_error();
  if (objects.empty()) fail_configuration("there is no " + what + " in " + name_of(source));
  return objects;
}

}  // namespace

std::vector<Certificate> read_certificates(const Pem_source& source) {
  return read_all<Certificate>(source, PEM_read_bio_X509, "certificate");
}

std::vector<Revocations> read_revocations(const Pem_source& source) {
  return read_all<Revocations>(source, PEM_read_bio_X509_CRL, "list of revocations");
}

Private_key read_private_key(const Pem_source& source) {
  const std::string text = text_of(source);
  const Bio bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  ERR_clear_error();
  // One that is encrypted has no password here: nobody is asked at a terminal.
  Private_key key(PEM_read_bio_PrivateKey(
      bio.get(), nullptr, [](char*, int, int, void*) { return -1; }, nullptr));
  if (!key) fail_configuration("there is no private key that can be read in " + name_of(source));
  return key;
}

}  // namespace async::Tls::internal
