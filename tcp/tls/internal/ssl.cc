#include "tcp/tls/internal/ssl.h"

#include <cctype>
#include <cstdint>

namespace async::Tls::internal {

Ssl_error take_ssl_error() {
  Ssl_error error;
  if (const std::uint32_t code = ERR_get_error(); code != 0) {
    error.library = ERR_GET_LIB(code);
    error.reason = ERR_GET_REASON(code);
    const char* text = ERR_reason_error_string(code);
    error.text = text ? text : "unknown error";
    for (char& c : error.text) c = c == '_' ? ' ' : static_cast<char>(std::tolower(c));
  }
  ERR_clear_error();
  return error;
}

std::string contents(BIO& bio) {
  const std::uint8_t* bytes = nullptr;
  std::size_t size = 0;
  BIO_mem_contents(&bio, &bytes, &size);
  return {reinterpret_cast<const char*>(bytes), size};
}

std::string to_string(X509_NAME* name) {
  const Bio bio(BIO_new(BIO_s_mem()));
  X509_NAME_print_ex(bio.get(), name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB);
  return contents(*bio);
}

}  // namespace async::Tls::internal
