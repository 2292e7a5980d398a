// Our client, and OpenSSL's server.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/tls/openssl_server.h"
#include "tests/tls/peers.h"

namespace async {
namespace {

using Tls::Client_options;
using Tls::Version;

TEST(Openssl_server, speaks_tls_1_2_and_1_3) {
  run_in_time([]() -> Deferred<> {
    for (const std::string& version : both_versions) {
      const auto peer = co_await s_server({version, "-rev"});
      const Tls::Info info = co_await say_hello(peer.at(), tls_client());
      EXPECT_EQ(info.version, version == "-tls1_2" ? Version::Tls_1_2 : Version::Tls_1_3);
      EXPECT_TRUE(info.peer);
      if (info.peer) EXPECT_EQ(info.peer->subject, "CN=server");
      EXPECT_FALSE(info.is_resumed);
    }
  });
}

TEST(Openssl_server, speaks_the_version_that_the_client_has_chosen) {
  run_in_time([]() -> Deferred<> {
    const auto peer = co_await s_server({"-rev"});
    const auto only_1_2 = tls_client({.max_version = Version::Tls_1_2});
    EXPECT_EQ((co_await say_hello(peer.at(), only_1_2)).version, Version::Tls_1_2);
    const auto only_1_3 = tls_client({.min_version = Version::Tls_1_3});
    EXPECT_EQ((co_await say_hello(peer.at(), only_1_3)).version, Version::Tls_1_3);
  });
}

TEST(Openssl_server, is_refused_without_a_common_version) {
  run_in_time([]() -> Deferred<> {
    for (const char* const version : {"-tls1", "-tls1_1"}) {
      const auto old = co_await s_server({version, "-rev", "-cipher", "DEFAULT@SECLEVEL=0"});
      EXPECT_EQ(co_await refusal(old.at(), tls_client()), "no common version");
    }
    const auto peer = co_await s_server({"-tls1_2", "-rev"});
    EXPECT_EQ(co_await refusal(peer.at(), tls_client({.min_version = Version::Tls_1_3})),
              "no common version");
    // It goes on for others.
    co_await say_hello(peer.at(), tls_client());
  });
}

TEST(Openssl_server, agrees_on_a_protocol_by_alpn_or_refuses) {
  run_in_time([]() -> Deferred<> {
    for (const std::string& version : both_versions) {
      const auto peer = co_await s_server({version, "-rev", "-alpn", "h2,http/1.1"});
      EXPECT_EQ((co_await say_hello(peer.at(), tls_client({.alpn = {"http/1.1", "h2"}}))).alpn,
                "h2");
      EXPECT_EQ((co_await say_hello(peer.at(), tls_client({.alpn = {"http/1.1"}}))).alpn,
                "http/1.1");
      EXPECT_EQ((co_await say_hello(peer.at(), tls_client())).alpn, std::nullopt);
      EXPECT_EQ(co_await refusal(peer.at(), tls_client({.alpn = {"other"}})), "no common protocol");
      // One that knows of none does not mind.
      const auto without = co_await s_server({version, "-rev"});
      EXPECT_EQ((co_await say_hello(without.at(), tls_client({.alpn = {"other"}}))).alpn,
                std::nullopt);
    }
  });
}

TEST(Openssl_server, has_groups_and_ciphers_of_its_choice) {
  run_in_time([]() -> Deferred<> {
    // Another group than what our client guesses first, so that it is asked again.
    const auto peer = co_await s_server(
        {"-tls1_3", "-rev", "-groups", "P-384", "-ciphersuites", "TLS_CHACHA20_POLY1305_SHA256"});
    const Tls::Info info = co_await say_hello(peer.at(), tls_client());
    EXPECT_EQ(info.group, "P-384");
    EXPECT_EQ(info.cipher, "TLS_CHACHA20_POLY1305_SHA256");
    EXPECT_EQ(co_await refusal(peer.at(), tls_client({.groups = "X25519"})), "refused");
    const auto chosen = co_await s_server({"-tls1_2", "-rev"});
    EXPECT_EQ((co_await say_hello(chosen.at(), tls_client({.groups = "P-256"}))).group, "P-256");
  });
}

TEST(Openssl_server, may_have_a_key_of_rsa) {
  run_in_time([]() -> Deferred<> {
    for (const std::string& version : both_versions) {
      const auto peer = co_await s_server({version, "-rev"}, {.certificate = "rsa"});
      co_await say_hello(peer.at(), tls_client());
    }
  });
}

TEST(Openssl_server, is_refused_with_a_certificate_that_is_not_right) {
  run_in_time([]() -> Deferred<> {
    struct Wrong {
      std::string certificate;
      std::string why;
    };
    const std::vector<Wrong> all{{"other_server", "wrong host"}, {"stranger", "untrusted"},
                                 {"below_middle", "untrusted"},  {"self_signed", "untrusted"},
                                 {"expired", "expired"},         {"not_yet", "not yet valid"}};
    for (const Wrong& wrong : all) {
      const auto peer = co_await s_server({"-rev"}, {.certificate = wrong.certificate});
      const auto tls =
          wrong.certificate == "expired" ? tls_client({.verified_name = "server"}) : tls_client();
      EXPECT_EQ(co_await refusal(peer.at(), tls), wrong.why);
      const auto anybody = Tls::client({.accept_any_certificate_of_anybody = true});
      co_await say_hello(peer.at(), anybody);
    }
    const auto peer = co_await s_server({"-rev"});
    EXPECT_EQ(co_await refusal(peer.at(), tls_client({.verified_name = "somebody.else"})),
              "wrong host");
    EXPECT_EQ(co_await refusal(peer.at(), tls_client({.verified_name = "127.0.0.2"})),
              "wrong host");
    EXPECT_EQ(co_await refusal(peer.at(), tls_client({.verified_name = "a.b.wild.example"})),
              "wrong host");
    co_await say_hello(peer.at(), tls_client({.verified_name = "a.wild.example"}));
  });
}

TEST(Openssl_server, is_refused_with_a_certificate_that_was_revoked) {
  run_in_time([]() -> Deferred<> {
    const auto& all = Certificates::get();
    const auto careful = Tls::client(
        {.trust = Tls::Trust::roots(all.chain("root")).with_revocations(all.file("root.crl"))});
    const auto revoked = co_await s_server({"-rev"}, {.certificate = "revoked"});
    EXPECT_EQ(co_await refusal(revoked.at(), careful), "revoked");
    co_await say_hello(revoked.at(), tls_client());  // which does not know
    const auto good = co_await s_server({"-rev"});
    co_await say_hello(good.at(), careful);
  });
}

TEST(Openssl_server, sends_what_is_between_its_certificate_and_the_root) {
  run_in_time([]() -> Deferred<> {
    for (const std::string& version : both_versions) {
      const auto peer = co_await s_server({version, "-rev"}, {.certificate = "chain"});
      co_await say_hello(peer.at(), tls_client({.verified_name = "server"}));
    }
  });
}

TEST(Openssl_server, is_told_the_name_that_was_asked_for_but_no_address) {
  run_in_time([]() -> Deferred<> {
    const auto& all = Certificates::get();
    const auto peer = co_await s_server({"-rev", "-servername", "localhost", "-cert2",
                                         all.chain("server"), "-key2", all.key("server")},
                                        {.certificate = "rsa"});
    const auto subject = [&](const Tls::Info& info) { return info.peer ? info.peer->subject : ""; };
    const auto by_name = Tcp::to_host_and_port("localhost", peer.port);
    EXPECT_EQ(subject(co_await say_hello(by_name, tls_client())), "CN=server");
    EXPECT_EQ(subject(co_await say_hello(peer.at(), tls_client())), "CN=rsa");
    EXPECT_EQ(subject(co_await say_hello(peer.at(), tls_client({.server_name = "localhost"}))),
              "CN=server");
    EXPECT_EQ(subject(co_await say_hello(by_name, tls_client({.server_name = ""}))), "CN=rsa");
  });
}

TEST(Openssl_server, is_verified_by_its_ipv6_address) {
  run_in_time([]() -> Deferred<> {
    const auto peer = co_await s_server({"-rev"}, {.where = "[::1]:0"});
    co_await say_hello(Tcp::to_host_and_port("::1", peer.port), tls_client());
    const auto wrong = co_await s_server({"-rev"}, {.certificate = "not_yet", .where = "[::1]:0"});
    EXPECT_EQ(co_await refusal(Tcp::to_host_and_port("::1", wrong.port), tls_client()),
              "wrong host");
  });
}

TEST(Openssl_server, resumes_sessions) {
  run_in_time([]() -> Deferred<> {
    const std::vector<std::vector<std::string>> kinds{
        {"-tls1_2"}, {"-tls1_3"}, {"-tls1_2", "-no_ticket"}, {"-tls1_3", "-no_ticket"}};
    for (std::vector<std::string> kind : kinds) {
      kind.emplace_back("-rev");
      const auto peer = co_await s_server(kind);
      const auto tls = tls_client();
      EXPECT_FALSE((co_await say_hello(peer.at(), tls)).is_resumed);
      for (int i = 0; i < 3; ++i) {
        const Tls::Info info = co_await say_hello(peer.at(), tls);
        EXPECT_TRUE(info.is_resumed) << kind[0] << kind[1];
        EXPECT_TRUE(info.peer);
      }
      // Another client has sessions of its own.
      EXPECT_FALSE((co_await say_hello(peer.at(), tls_client())).is_resumed);
      const auto without = tls_client({.resume_sessions = false});
      for (int i = 0; i < 2; ++i) {
        EXPECT_FALSE((co_await say_hello(peer.at(), without)).is_resumed);
      }
    }
  });
}

TEST(Openssl_server, that_has_forgotten_a_session_makes_a_new_one) {
  run_in_time([]() -> Deferred<> {
    for (const std::string& version : both_versions) {
      // Something in between has the port, so that two servers can have it one after the other.
      const auto tls = tls_client();
      const auto first = co_await s_server({version, "-rev"});
      const auto second = co_await s_server({version, "-rev"});
      int port = first.port;
      const auto between = co_await Tcp::Server::create(
          on_loopback(), [&](Address::Inet, Reader reader, Writer writer) -> Deferred<> {
            co_await Tcp::with_connection(Tcp::to_host_and_port("127.0.0.1", port),
                                          [&](auto, Reader far, Writer far_writer) -> Deferred<> {
                                            const auto there = far_writer.splice(reader);
                                            co_await writer.splice(far);
                                          });
          });
      EXPECT_FALSE((co_await say_hello(at(between), tls)).is_resumed);
      EXPECT_TRUE((co_await say_hello(at(between), tls)).is_resumed);
      port = second.port;
      EXPECT_FALSE((co_await say_hello(at(between), tls)).is_resumed);
      EXPECT_TRUE((co_await say_hello(at(between), tls)).is_resumed);
      co_await end(between);
    }
  });
}

Client_options as(const std::string& name) {
  return {.identity = Tls::Identity{.certificate_chain = Certificates::get().chain(name),
                                    .private_key = Certificates::get().key(name)}};
}

std::vector<std::string> requiring(const std::string& version) {
  return {version, "-rev", "-Verify", "1", "-verify_return_error"};
}

TEST(Openssl_server, gets_the_certificate_that_it_requires) {
  run_in_time([]() -> Deferred<> {
    for (const std::string& version : both_versions) {
      auto peer = co_await s_server(requiring(version));
      co_await say_hello(peer.at(), tls_client(as("client")));
      co_await peer.program.says("CN = client");
      const auto asks_only = co_await s_server({version, "-rev", "-verify", "1"});
      co_await say_hello(asks_only.at(), tls_client());
      co_await say_hello(asks_only.at(), tls_client(as("client")));
    }
  });
}

TEST(Openssl_server, refuses_clients_without_a_certificate_of_use) {
  run_in_time([]() -> Deferred<> {
    const auto tls_1_2 = co_await s_server(requiring("-tls1_2"));
    EXPECT_EQ(co_await refusal(tls_1_2.at(), tls_client()), "refused");
    EXPECT_EQ(co_await refusal(tls_1_2.at(), tls_client(as("stranger"))),
              "client certificate refused");
    EXPECT_EQ(co_await refusal(tls_1_2.at(), tls_client(as("expired"))),
              "client certificate refused");
    // With TLS 1.3 the client is done before the server has seen its certificate.
    const auto peer = co_await s_server(requiring("-tls1_3"));
    const auto first_read = [](Reader reader, Writer) -> Deferred<> {
      EXPECT_FALSE(co_await reader.read_chunk());
    };
    EXPECT_EQ(co_await failure_of(&peer, tls_client(), first_read), "client certificate missing");
    EXPECT_EQ(co_await failure_of(&peer, tls_client(as("stranger")), first_read),
              "client certificate refused");
    EXPECT_EQ(co_await failure_of(&peer, tls_client(as("expired")), first_read),
              "client certificate refused");
  });
}

}  // namespace
}  // namespace async
