// tests/tls/certificates.h: certificates for tests.

#pragma once

#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>

#include "tcp/tls/tls.h"
#include "tests/support/temporary_folder.h"

namespace async {

/// Those that make_certificates.sh makes, once a process.
class Certificates {
 public:
  static const Certificates& get() {
    static const Certificates certificates;
    return certificates;
  }

  std::filesystem::path chain(const std::string& name) const { return folder_.file(name + ".pem"); }
  std::filesystem::path key(const std::string& name) const { return folder_.file(name + ".key"); }

 private:
  Certificates() {
    const std::string command =
        std::string(ASYNC_UV_SOURCE_DIR) + "/tests/tls/make_certificates.sh " + folder_.file("");
    if (std::system(command.c_str()) != 0) throw std::runtime_error("no certificates were made");
  }

  Temporary_folder folder_;
};

/// `server_of(name)` is a TLS server with that certificate, and `client_of(options)` a client that
/// trusts the root.
inline Tls::Server_options server_options(const std::string& name = "server") {
  return {.certificate_chain = Certificates::get().chain(name),
          .private_key = Certificates::get().key(name)};
}
inline std::shared_ptr<const Tcp::Upgrade> tls_client(Tls::Client_options options = {}) {
  options.trust = Tls::Trust::roots(Certificates::get().chain("root"));
  return Tls::client(std::move(options));
}

}  // namespace async
