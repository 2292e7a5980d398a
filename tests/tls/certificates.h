// tests/tls/certificates.h: certificates for tests.

#pragma once

#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>

#include "tcp/tls/tls.h"

namespace async {

/// Those that make_certificates.sh makes.
class Certificates {
 public:
  static const Certificates& get() {
    static const Certificates certificates;
    return certificates;
  }

  /// `chain(name)`, `key(name)` and `file(name)` are where they are.
  std::filesystem::path chain(const std::string& name) const { return file(name + ".pem"); }
  std::filesystem::path key(const std::string& name) const { return file(name + ".key"); }
  std::filesystem::path file(const std::string& name) const { return folder_ / name; }

 private:
  Certificates() : folder_(std::filesystem::path(ASYNC_UV_BINARY_DIR) / "tests" / "certificates") {
    const std::string command = std::string(ASYNC_UV_SOURCE_DIR) +
                                "/tests/tls/make_certificates.sh '" + folder_.string() + "'";
    if (std::system(command.c_str()) != 0) throw std::runtime_error("no certificates were made");
  }

  const std::filesystem::path folder_;
};

/// `server_options(name)` are those of a TLS server with that certificate, `identity(name)` is it,
/// and `tls_client(options)` a client that trusts the root.
inline Tls::Server_options server_options(const std::string& name = "server") {
  return {.certificate_chain = Certificates::get().chain(name),
          .private_key = Certificates::get().key(name)};
}
inline Tls::Identity identity(const std::string& name) {
  return {.certificate_chain = Certificates::get().chain(name),
          .private_key = Certificates::get().key(name)};
}
inline std::shared_ptr<const Tcp::Upgrade> tls_client(Tls::Client_options options = {}) {
  options.trust = Tls::Trust::roots(Certificates::get().chain("root"));
  return Tls::client(std::move(options));
}

}  // namespace async
