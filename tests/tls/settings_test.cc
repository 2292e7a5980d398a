// Settings of clients and servers that are of no use.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "tcp/tls/tls.h"
#include "tests/tls/certificates.h"

namespace async {
namespace {

using ::testing::HasSubstr;
using Kind = Tls::Error::Kind;
using Tls::Client_certificates;
using Tls::Version;

TEST(Tls_server, refuses_settings_that_are_of_no_use) {
  const auto& files = Certificates::get();
  std::vector<std::pair<Tls::Server_options, std::string>> wrong;
  const auto add = [&](Tls::Server_options options, std::string why) {
    wrong.emplace_back(std::move(options), std::move(why));
  };
  add({.certificate_chain = "/nowhere.pem", .private_key = files.key("server")}, "/nowhere.pem");
  add({.certificate_chain = files.chain("server"), .private_key = "/nowhere.key"}, "/nowhere.key");
  add({.certificate_chain = files.key("server"), .private_key = files.key("server")},
      "certificate");
  add({.certificate_chain = files.chain("server"), .private_key = files.chain("server")}, "key");
  add({.certificate_chain = files.chain("server"), .private_key = files.key("rsa")},
      "is not that of");
  add({.certificate_chain = Tls::Pem{""}, .private_key = files.key("rsa")}, "certificate");
  add({.certificate_chain =
           Tls::Pem{"-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n"},
       .private_key = files.key("rsa")},
      "certificate");
  {
    Tls::Server_options options = server_options();
    options.groups = "X25519:nonsense";
    add(options, "nonsense");
    options = server_options();
    options.alpn = {"h2", ""};
    add(options, "ALPN");
    options.alpn = {std::string(256, 'x')};
    add(options, "ALPN");
    options = server_options();
    options.min_version = Version::Tls_1_3;
    options.max_version = Version::Tls_1_2;
    add(options, "min_version");
    options = server_options();
    options.key_log = "/nowhere/secrets";
    add(options, "/nowhere/secrets");
    options = server_options();
    options.client_certificates = Client_certificates::Require;
    options.trust = Tls::Trust::folder("/nowhere");
    add(options, "/nowhere");
    options.trust = Tls::Trust::roots("/nowhere.pem");
    add(options, "/nowhere.pem");
    options.trust = Tls::Trust::system().with_revocations("/nowhere.crl");
    add(options, "/nowhere.crl");
  }
  for (const auto& [options, why] : wrong) {
    try {
      Tls::server(options);
      ADD_FAILURE() << why;
    } catch (const Tls::Error& error) {
      EXPECT_EQ(error.kind(), Kind::Configuration);
      EXPECT_THAT(error.what(), HasSubstr(why));
    }
  }
}

TEST(Tls_client, refuses_settings_that_are_of_no_use) {
  const auto& files = Certificates::get();
  const std::vector<std::pair<Tls::Client_options, std::string>> wrong{
      {{.trust = Tls::Trust::roots("/nowhere.pem")}, "/nowhere.pem"},
      {{.trust = Tls::Trust::roots(Tls::Pem{"nonsense"})}, "certificate"},
      {{.trust = Tls::Trust::folder("/nowhere")}, "/nowhere"},
      {{.alpn = {""}}, "ALPN"},
      {{.identity = Tls::Identity{.certificate_chain = files.chain("client"),
                                  .private_key = files.key("server")}},
       "is not that of"},
      {{.groups = "nonsense"}, "nonsense"},
      {{.key_log = "/nowhere/secrets"}, "/nowhere/secrets"}};
  for (const auto& [options, why] : wrong) {
    try {
      Tls::client(options);
      ADD_FAILURE() << why;
    } catch (const Tls::Error& error) {
      EXPECT_EQ(error.kind(), Kind::Configuration);
      EXPECT_THAT(error.what(), HasSubstr(why));
    }
  }
}

}  // namespace
}  // namespace async
