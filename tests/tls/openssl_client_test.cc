// Our server, and OpenSSL's client.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/temporary_folder.h"
#include "tests/tls/openssl_client.h"
#include "tests/tls/peers.h"

namespace async {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Tls::Client_certificates;
using Tls::Version;

TEST(Openssl_client, speaks_tls_1_2_and_1_3_and_ends_in_order) {
  run_in_time([]() -> Deferred<> {
    const auto server = co_await serve_echo();
    co_await say_hello(s_client(server.port(), {"-tls1_2", "-verify_hostname", "server"}));
    EXPECT_EQ(server.last().version, Version::Tls_1_2);
    EXPECT_EQ(server.last().server_name, "server");
    EXPECT_FALSE(server.last().is_resumed);
    co_await say_hello(s_client(server.port(), {"-tls1_3", "-verify_hostname", "server"}));
    EXPECT_EQ(server.last().version, Version::Tls_1_3);
    EXPECT_THAT(server.last().cipher, HasSubstr("TLS_"));
    co_await server.end();
    EXPECT_THAT(*server.ends, ElementsAre(Eof::Reason::Clean, Eof::Reason::Clean));
    EXPECT_EQ(server.server.counts().peer_errors, 0U);
  });
}

TEST(Openssl_client, has_ciphers_and_groups_of_its_choice) {
  run_in_time([]() -> Deferred<> {
    const auto server = co_await serve_echo();
    co_await say_hello(
        s_client(server.port(), {"-tls1_2", "-cipher", "ECDHE-ECDSA-CHACHA20-POLY1305"}));
    EXPECT_EQ(server.last().cipher, "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256");
    co_await say_hello(s_client(server.port(), {"-ciphersuites", "TLS_AES_256_GCM_SHA384"}));
    EXPECT_EQ(server.last().cipher, "TLS_AES_256_GCM_SHA384");
    // Its first guess, X448, is nothing to the server, which asks for another one.
    co_await say_hello(s_client(server.port(), {"-groups", "X448:P-256"}));
    EXPECT_EQ(server.last().group, "P-256");
    co_await server.end();

    const auto only_384 = co_await serve_echo([] {
      Tls::Server_options options = server_options();
      options.groups = "P-384";
      return options;
    }());
    co_await say_hello(s_client(only_384.port(), {"-groups", "X25519:P-384"}));
    EXPECT_EQ(only_384.last().group, "P-384");
    co_await only_384.end();
  });
}

TEST(Openssl_client, is_served_by_a_key_of_rsa) {
  run_in_time([]() -> Deferred<> {
    const auto server = co_await serve_echo(server_options("rsa"));
    for (const std::string& version : both_versions) {
      co_await say_hello(s_client(server.port(), {version, "-verify_hostname", "server"}));
    }
    EXPECT_EQ(server.seen->served.size(), 2U);
    co_await server.end();
  });
}

TEST(Openssl_client, is_refused_without_a_common_version) {
  run_in_time([]() -> Deferred<> {
    Tls::Server_options only_1_3 = server_options();
    only_1_3.min_version = Version::Tls_1_3;
    EXPECT_EQ(co_await refusal(only_1_3, {"-tls1_2"}), "no common version");
    Tls::Server_options only_1_2 = server_options();
    only_1_2.max_version = Version::Tls_1_2;
    EXPECT_EQ(co_await refusal(only_1_2, {"-tls1_3"}), "no common version");
    // Old ones, with what OpenSSL needs to try them at all.
    for (const char* const version : {"-tls1", "-tls1_1"}) {
      EXPECT_EQ(co_await refusal(server_options(), {version, "-cipher", "DEFAULT@SECLEVEL=0"}),
                "no common version");
    }
  });
}

TEST(Openssl_client, is_told_why_it_is_refused) {
  run_in_time([]() -> Deferred<> {
    Tls::Server_options options = server_options();
    options.min_version = Version::Tls_1_3;
    const auto server = co_await serve_echo(options);
    Program client = s_client(server.port(), {"-tls1_2"});
    co_await client.says("alert protocol version");
    EXPECT_EQ(co_await client.ended(), 1);
    co_await server.end();
  });
}

TEST(Openssl_client, is_refused_without_a_common_cipher) {
  run_in_time([]() -> Deferred<> {
    EXPECT_EQ(co_await refusal(server_options(), {"-tls1_2", "-cipher", "ECDHE-RSA-AES128-SHA"}),
              "protocol");
  });
}

TEST(Openssl_client, agrees_on_a_protocol_by_alpn_or_is_refused) {
  run_in_time([]() -> Deferred<> {
    Tls::Server_options options = server_options();
    options.alpn = {"h2", "http/1.1"};
    const auto server = co_await serve_echo(options);
    for (const std::string& version : both_versions) {
      co_await say_hello(s_client(server.port(), {version, "-alpn", "http/1.1,h2"}));
      EXPECT_EQ(server.last().alpn, "h2");
      co_await say_hello(s_client(server.port(), {version, "-alpn", "other,http/1.1"}));
      EXPECT_EQ(server.last().alpn, "http/1.1");
      co_await say_hello(s_client(server.port(), {version}));
      EXPECT_EQ(server.last().alpn, std::nullopt);
      EXPECT_EQ(co_await refusal(options, {version, "-alpn", "other"}), "no common protocol");
    }
    co_await server.end();
    // A server that knows of none does not mind.
    const auto without = co_await serve_echo();
    co_await say_hello(s_client(without.port(), {"-alpn", "other"}));
    EXPECT_EQ(without.last().alpn, std::nullopt);
    co_await without.end();
  });
}

Tls::Server_options asking(Client_certificates whether) {
  Tls::Server_options options = server_options();
  options.client_certificates = whether;
  options.trust = Tls::Trust::roots(Certificates::get().chain("root"));
  return options;
}

TEST(Openssl_client, may_show_a_certificate_where_one_is_requested) {
  run_in_time([]() -> Deferred<> {
    const auto server = co_await serve_echo(asking(Client_certificates::Request));
    for (const std::string& version : both_versions) {
      co_await say_hello(s_client(server.port(), {version}));
      EXPECT_FALSE(server.last().peer);
      co_await say_hello(s_client(server.port(), as("client", {version})));
      EXPECT_TRUE(server.last().peer);
      if (server.last().peer) EXPECT_EQ(server.last().peer->subject, "CN=client");
      EXPECT_EQ(co_await refusal(asking(Client_certificates::Request), as("stranger", {version})),
                "untrusted");
    }
    co_await server.end();
  });
}

TEST(Openssl_client, must_show_a_certificate_where_one_is_required) {
  run_in_time([]() -> Deferred<> {
    const auto server = co_await serve_echo(asking(Client_certificates::Require));
    for (const std::string& version : both_versions) {
      co_await say_hello(s_client(server.port(), as("client", {version})));
      EXPECT_TRUE(server.last().peer);
      if (server.last().peer) EXPECT_EQ(server.last().peer->issuer, "CN=root");
      const auto why = [&version](std::vector<std::string> arguments) {
        arguments.push_back(version);
        return refusal(asking(Client_certificates::Require), std::move(arguments));
      };
      EXPECT_EQ(co_await why({}), "client certificate missing");
      EXPECT_EQ(co_await why(as("stranger")), "untrusted");
      EXPECT_EQ(co_await why(as("expired")), "expired");
      EXPECT_EQ(co_await why(as("not_yet")), "not yet valid");
    }
    co_await server.end();
  });
}

TEST(Openssl_client, is_refused_with_a_certificate_that_was_revoked) {
  run_in_time([]() -> Deferred<> {
    Tls::Server_options options = asking(Client_certificates::Require);
    options.trust = options.trust.with_revocations(Certificates::get().file("root.crl"));
    const auto server = co_await serve_echo(options);
    co_await say_hello(s_client(server.port(), as("client")));
    co_await server.end();
    EXPECT_EQ(co_await refusal(options, as("revoked")), "revoked");
  });
}

TEST(Openssl_client, gets_the_certificate_of_the_name_that_it_asks_for) {
  run_in_time([]() -> Deferred<> {
    const auto& all = Certificates::get();
    Tls::Server_options options = server_options("other_server");
    options.more_identities = {
        {.certificate_chain = all.chain("server"), .private_key = all.key("server")},
        {.certificate_chain = all.chain("chain"), .private_key = all.key("chain")}};
    const auto server = co_await serve_echo(options);
    const auto shown = [&](std::vector<std::string> arguments) -> Deferred<std::string> {
      Program client = s_client(server.port(), std::move(arguments));
      client.say("hello\n");
      co_await client.says("hello\n");
      client.end_input();
      co_await client.ended();
      const std::size_t begin = client.output().find("subject=");
      co_return client.output().substr(begin, client.output().find('\n', begin) - begin);
    };
    const std::vector<std::pair<std::string, std::string>> names{
        {"server", "server"},
        {"SERVER", "server"},
        {"a.wild.example", "server"},
        {"a.b.wild.example", "other_server"},
        {"wild.example", "other_server"},
        {"unknown", "other_server"}};
    for (const auto& [asked, got] : names) {
      EXPECT_EQ(co_await shown({"-servername", asked}), "subject=CN = " + got) << asked;
      EXPECT_EQ(server.last().server_name, asked);
    }
    EXPECT_EQ(co_await shown({"-noservername"}), "subject=CN = other_server");
    EXPECT_EQ(server.last().server_name, "");
    co_await server.end();
  });
}

TEST(Openssl_client, gets_the_new_certificate_after_a_change) {
  run_in_time([]() -> Deferred<> {
    const auto& all = Certificates::get();
    const auto tls = Tls::server(server_options("other_server"));
    const auto server =
        co_await Tcp::Server::create(on_loopback(), {.tls = tls}, echo<Address::Inet>);
    Program first = s_client(server.listening_on());
    co_await first.says("subject=CN = other_server");
    tls->set_identities(
        {.certificate_chain = all.chain("server"), .private_key = all.key("server")}, {});
    Program second = s_client(server.listening_on());
    co_await second.says("subject=CN = server");
    // Whoever was there before goes on.
    co_await say_hello(std::move(first));
    co_await say_hello(std::move(second));
    co_await end(server);
  });
}

TEST(Openssl_client, resumes_a_session) {
  run_in_time([]() -> Deferred<> {
    const Temporary_folder folder;
    const auto server = co_await serve_echo(asking(Client_certificates::Require));
    for (const std::string& version : both_versions) {
      const std::string session = folder.file(version);
      co_await say_hello(s_client(server.port(), as("client", {version, "-sess_out", session})));
      EXPECT_FALSE(server.last().is_resumed);
      Program again = s_client(server.port(), as("client", {version, "-sess_in", session}));
      co_await again.says("Reused, TLSv1." + version.substr(6));
      co_await say_hello(std::move(again));
      EXPECT_TRUE(server.last().is_resumed);
      // Who the client is, is in the session.
      EXPECT_TRUE(server.last().peer);
      if (server.last().peer) EXPECT_EQ(server.last().peer->subject, "CN=client");
    }
    co_await server.end();
  });
}

TEST(Openssl_client, does_not_resume_sessions_of_other_servers_or_where_there_are_none) {
  run_in_time([]() -> Deferred<> {
    const Temporary_folder folder;
    Tls::Server_options options = server_options();
    const auto server = co_await serve_echo(options);
    const auto other = co_await serve_echo(options);
    options.resume_sessions = false;
    const auto without = co_await serve_echo(options);
    for (const std::string& version : both_versions) {
      const std::string session = folder.file(version);
      co_await say_hello(s_client(server.port(), {version, "-sess_out", session}));
      for (const Our_server* one : {&other, &without}) {
        co_await say_hello(s_client(one->port(), {version, "-sess_in", session}));
        EXPECT_FALSE(one->last().is_resumed);
      }
      // What it may have kept is of no use either.
      const std::string nothing = folder.file("nothing" + version);
      co_await say_hello(s_client(without.port(), {version, "-sess_out", nothing}));
      if (std::filesystem::exists(nothing)) {
        co_await say_hello(s_client(without.port(), {version, "-sess_in", nothing}));
        EXPECT_FALSE(without.last().is_resumed);
      }
    }
    co_await server.end();
    co_await other.end();
    co_await without.end();
  });
}

}  // namespace
}  // namespace async
