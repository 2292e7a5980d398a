// What a TLS server can be told, in a simulation.

#include "tcp/tls/server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <map>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "async/testing/simulation.h"
#include "tcp/tcp.h"
#include "tcp/tls/tls.h"
#include "tests/support/echo_server.h"
#include "tests/support/temporary_folder.h"
#include "tests/tls/certificates.h"

namespace async {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::Host;
using testing::Simulation;
using Kind = Tls::Error::Kind;
using Tls::Client_certificates;
using Tls::Version;

Tcp::Where_to_connect<Address::Inet> there() { return Tcp::to_host_and_port("server", 443); }

struct Refusals final : Tcp::Observer {
  std::vector<Kind> kinds;
  void refused(const Address::Any&, const Error& why) override {
    const auto* error = why.as<Tls::Error>();
    EXPECT_TRUE(error) << why.what();
    if (error) kinds.push_back(error->kind());
  }
};

/// A server whose handler says what the handshake has come to, and then echoes.
struct World {
  Simulation simulation;
  Host host = simulation.host("server");
  std::shared_ptr<Refusals> refusals = std::make_shared<Refusals>();
  std::optional<Tls::Info> seen;  // by the server, last

  Deferred<Tcp::Server::Inet> serve(std::shared_ptr<const Tcp::Upgrade> tls) {
    return host.within([this, tls = std::move(tls)] {
      return Tcp::Server::create(Tcp::on_port(443), {.tls = tls, .observer = refusals},
                                 [this](Address::Inet, Reader reader, Writer writer) -> Deferred<> {
                                   seen = Tls::info(writer);
                                   co_await echo(reader, writer);
                                 });
    });
  }
  Deferred<Tcp::Server::Inet> serve(Tls::Server_options options) {
    return serve(Tls::server(std::move(options)));
  }
};

/// `info_of(options)` is what a client sees of a connection that it makes, uses and closes.
Deferred<Tls::Info> info_of(Tls::Client_options options) {
  co_return co_await Tcp::with_connection(
      there(), {.tls = tls_client(std::move(options))},
      [](auto, Reader reader, Writer writer) -> Deferred<Tls::Info> {
        writer.write_line("hello");
        EXPECT_EQ(co_await reader.read_line(), "hello");
        co_return *Tls::info(writer);
      });
}

/// `failure_of(options)` is why such a connection fails, when it is made or at the first read.
Deferred<std::optional<Kind>> failure_of(Tls::Client_options options) {
  const auto info = co_await or_error(info_of(std::move(options)));
  if (info) co_return std::nullopt;
  const auto* connecting = info.error().as<Tcp::Connect_error>();
  const Error& error = connecting && connecting->cause() ? *connecting->cause() : info.error();
  const auto* tls = error.as<Tls::Error>();
  EXPECT_TRUE(tls) << error.what();
  co_return tls ? std::optional(tls->kind()) : std::nullopt;
}

std::string name_of(const Tls::Info& info) { return info.peer->subject; }

TEST(Tls_server, chooses_its_certificate_by_the_name_that_it_is_asked_for) {
  World world;
  world.simulation.run([&]() -> Deferred<> {
    Tls::Server_options options = server_options("rsa");
    options.more_identities = {identity("other_server"), identity("wildcard")};
    const auto server = co_await world.serve(options);
    const std::map<std::string, std::string> wanted{{"server", "CN=rsa"},
                                                    {"other", "CN=other_server"},
                                                    {"OTHER.", "CN=other_server"},
                                                    {"a.wild.example", "CN=wildcard"},
                                                    {"B.Wild.Example", "CN=wildcard"}};
    for (const auto& [name, subject] : wanted) {
      const auto info = co_await info_of({.verified_name = name, .server_name = name});
      EXPECT_EQ(name_of(info), subject) << name;
    }
    // Others, among them none, get the first.
    for (const char* name : {"", "unknown", "wild.example", "a.b.wild.example"}) {
      const auto info = co_await info_of({.server_name = name});
      EXPECT_EQ(name_of(info), "CN=rsa") << name;
      EXPECT_EQ(world.seen->server_name, name);
    }
  });
}

TEST(Tls_server, is_never_told_an_address) {
  World world;
  world.simulation.run([&]() -> Deferred<> {
    const auto server = co_await world.serve(server_options("address"));
    for (const char* name : {"127.0.0.1", "::1"}) {
      co_await info_of({.verified_name = name, .server_name = name});
      EXPECT_EQ(world.seen->server_name, "");
    }
  });
}

TEST(Tls_server, takes_other_certificates_while_connections_go_on) {
  World world;
  world.simulation.run([&]() -> Deferred<> {
    const auto tls = Tls::server(server_options());
    const auto server = co_await world.serve(tls);
    const auto old = co_await Tcp::connect(there(), {.tls = tls_client()});
    EXPECT_EQ(name_of(*Tls::info(old.writer)), "CN=server");

    tls->set_identities(identity("rsa"), {});
    EXPECT_EQ(name_of(co_await info_of({})), "CN=rsa");
    old.writer.write_line("still here");
    EXPECT_EQ(co_await old.reader.read_line(), "still here");
    co_await old.writer.close();

    // What is of no use changes nothing.
    const Tls::Identity wrong{.certificate_chain = Certificates::get().chain("server"),
                              .private_key = Certificates::get().key("rsa")};
    EXPECT_THROW(tls->set_identities(wrong, {}), Tls::Error);
    EXPECT_EQ(name_of(co_await info_of({})), "CN=rsa");
  });
}

TEST(Tls_server, asks_clients_who_they_are) {
  World world;
  world.simulation.run([&]() -> Deferred<> {
    for (const auto version : {Version::Tls_1_2, Version::Tls_1_3}) {
      Tls::Server_options options = server_options();
      options.trust = Tls::Trust::roots(Certificates::get().chain("root"));
      options.max_version = version;
      for (const auto ask : {Client_certificates::Request, Client_certificates::Require}) {
        options.client_certificates = ask;
        const auto server = co_await world.serve(options);

        EXPECT_EQ(co_await failure_of({.identity = identity("client")}), std::nullopt);
        EXPECT_EQ(name_of(*world.seen), "CN=client");
        EXPECT_EQ(world.seen->peer->issuer, "CN=root");
        EXPECT_EQ(world.seen->peer->sha256.size(), 64U);
        EXPECT_THAT(world.seen->peer->pem, HasSubstr("BEGIN CERTIFICATE"));

        EXPECT_EQ(co_await failure_of({.identity = identity("stranger_client")}),
                  Kind::Client_certificate_refused);
        const auto without = co_await failure_of({});
        if (ask == Client_certificates::Request) {
          EXPECT_EQ(without, std::nullopt);
          EXPECT_FALSE(world.seen->peer);
          EXPECT_THAT(world.refusals->kinds, ElementsAre(Kind::Untrusted));
        } else {
          // TLS 1.2 has no alert of its own for that.
          EXPECT_EQ(without,
                    version == Version::Tls_1_2 ? Kind::Refused : Kind::Client_certificate_missing);
          EXPECT_THAT(world.refusals->kinds,
                      ElementsAre(Kind::Untrusted, Kind::Client_certificate_missing));
        }
        world.refusals->kinds.clear();
        co_await server.close();
        co_await server.close_finished_and_handlers_determined();
      }
    }
  });
}

TEST(Tls_server, agrees_upon_a_protocol) {
  World world;
  world.simulation.run([&]() -> Deferred<> {
    Tls::Server_options options = server_options();
    options.alpn = {"h2", "http/1.1"};
    const auto server = co_await world.serve(options);
    EXPECT_EQ((co_await info_of({.alpn = {"http/1.1", "h2"}})).alpn, "h2");  // the server chooses
    EXPECT_EQ(world.seen->alpn, "h2");
    EXPECT_EQ((co_await info_of({.alpn = {"smtp", "http/1.1"}})).alpn, "http/1.1");
    EXPECT_EQ((co_await info_of({})).alpn, std::nullopt);
    EXPECT_EQ(co_await failure_of({.alpn = {"smtp"}}), Kind::No_common_protocol);
    EXPECT_THAT(world.refusals->kinds, ElementsAre(Kind::No_common_protocol));
  });
}

TEST(Tls_server, that_knows_of_no_protocols_is_talked_to_without) {
  World world;
  world.simulation.run([&]() -> Deferred<> {
    const auto server = co_await world.serve(server_options());
    EXPECT_EQ((co_await info_of({.alpn = {"h2"}})).alpn, std::nullopt);
  });
}

TEST(Tls_server, has_versions_and_groups_that_can_be_chosen) {
  World world;
  world.simulation.run([&]() -> Deferred<> {
    Tls::Server_options options = server_options();
    options.min_version = Version::Tls_1_3;
    options.groups = "P-384:P-256";
    const auto server = co_await world.serve(options);
    const auto info = co_await info_of({});
    EXPECT_EQ(info.version, Version::Tls_1_3);
    EXPECT_EQ(info.group, "P-384");
    EXPECT_EQ(info.cipher, "TLS_AES_128_GCM_SHA256");
    EXPECT_EQ((co_await info_of({.groups = "X25519:P-256"})).group, "P-256");
    EXPECT_EQ(co_await failure_of({.max_version = Version::Tls_1_2}), Kind::No_common_version);
    EXPECT_EQ(co_await failure_of({.groups = "X25519"}), Kind::Refused);
    EXPECT_THAT(world.refusals->kinds, ElementsAre(Kind::No_common_version, Kind::Protocol));
  });
}

TEST(Tls_server, agrees_upon_a_group_for_after_quantum_computers_where_there_is_one) {
  const auto found = [](const char* name) {
    try {
      Tls::client({.groups = name});
      return true;
    } catch (const Tls::Error&) {
      return false;
    }
  };
  std::string hybrid;
  for (const char* name : {"X25519MLKEM768", "X25519Kyber768Draft00", "CECPQ2"}) {
    if (hybrid.empty() && found(name)) hybrid = name;
  }
  if (hybrid.empty()) GTEST_SKIP() << "this BoringSSL has none";
  World world;
  world.simulation.run([&]() -> Deferred<> {
    Tls::Server_options options = server_options();
    options.groups = hybrid + ":X25519";
    const auto server = co_await world.serve(options);
    EXPECT_EQ((co_await info_of({.groups = hybrid + ":X25519"})).group, hybrid);
    EXPECT_EQ((co_await info_of({.groups = "X25519"})).group, "X25519");
  });
}

TEST(Tls_server, resumes_sessions_of_both_versions) {
  World world;
  world.simulation.run([&]() -> Deferred<> {
    const auto server = co_await world.serve(server_options());
    for (const auto version : {Version::Tls_1_2, Version::Tls_1_3}) {
      const auto client = tls_client({.max_version = version});
      const auto is_resumed = [client]() -> Deferred<bool> {
        co_return co_await Tcp::with_connection(
            there(), {.tls = client}, [](auto, Reader reader, Writer writer) -> Deferred<bool> {
              writer.write_line("hello");
              co_await reader.read_line();
              co_return Tls::info(writer)->is_resumed;
            });
      };
      EXPECT_FALSE(co_await is_resumed());
      EXPECT_TRUE(co_await is_resumed());
      EXPECT_TRUE(world.seen->is_resumed);
      // Whom the client has verified once is known when the session is resumed.
      EXPECT_TRUE(co_await is_resumed());

      // After days neither the session nor the key of its ticket is good any more, and all is well.
      co_await Clock::after(120h);
      EXPECT_FALSE(co_await is_resumed());
      EXPECT_TRUE(co_await is_resumed());
    }
    EXPECT_THAT(world.refusals->kinds, ElementsAre());
  });
}

TEST(Tls_server, resumes_no_session_where_that_is_not_wanted) {
  World world;
  world.simulation.run([&]() -> Deferred<> {
    Tls::Server_options options = server_options();
    options.resume_sessions = false;
    const auto server = co_await world.serve(options);
    for (const auto version : {Version::Tls_1_2, Version::Tls_1_3}) {
      const auto client = tls_client({.max_version = version});
      for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(co_await ask(there(), "hello", {.tls = client}), "hello");
        EXPECT_FALSE(world.seen->is_resumed);
      }
    }
  });
}

TEST(Tls_server, that_has_begun_anew_serves_clients_with_sessions_of_before) {
  World world;
  world.simulation.run([&]() -> Deferred<> {
    const auto client = tls_client();
    for (int i = 0; i < 3; ++i) {
      const auto server = co_await world.serve(server_options());  // with keys of its own
      EXPECT_EQ(co_await ask(there(), "hello", {.tls = client}), "hello");
      EXPECT_FALSE(world.seen->is_resumed);
      co_await server.close();
      co_await server.close_finished_and_handlers_determined();
    }
  });
}

TEST(Tls_server, resumes_sessions_of_clients_with_certificates_and_knows_them_again) {
  World world;
  world.simulation.run([&]() -> Deferred<> {
    Tls::Server_options options = server_options();
    options.trust = Tls::Trust::roots(Certificates::get().chain("root"));
    options.client_certificates = Client_certificates::Require;
    const auto server = co_await world.serve(options);
    for (const auto version : {Version::Tls_1_2, Version::Tls_1_3}) {
      const auto client = tls_client({.identity = identity("client"), .max_version = version});
      for (int i = 0; i < 2; ++i) {
        EXPECT_EQ(co_await ask(there(), "hello", {.tls = client}), "hello");
        EXPECT_EQ(name_of(*world.seen), "CN=client");
        EXPECT_EQ(world.seen->is_resumed, i == 1);
      }
    }
  });
}

std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

TEST(Tls_server, writes_down_secrets_only_when_it_is_asked_to) {
  World world;
  const Temporary_folder folder;
  const std::string path = folder.file("secrets");
  setenv("SSLKEYLOGFILE", path.c_str(), 1);
  world.simulation.run([&]() -> Deferred<> {
    {
      const auto server = co_await world.serve(server_options());
      EXPECT_EQ(co_await ask(there(), "hello", {.tls = tls_client()}), "hello");
      EXPECT_FALSE(std::filesystem::exists(path));
      co_await server.close();
      co_await server.close_finished_and_handlers_determined();
    }
    Tls::Server_options options = server_options();
    options.key_log = path;
    const auto server = co_await world.serve(options);
    const std::string clients = folder.file("clients");
    co_await info_of({.key_log = clients});
    co_await info_of({.max_version = Version::Tls_1_2, .key_log = clients});
    EXPECT_EQ(read_file(path), read_file(clients));
    EXPECT_THAT(read_file(path), HasSubstr("CLIENT_HANDSHAKE_TRAFFIC_SECRET "));
    EXPECT_THAT(read_file(path), HasSubstr("CLIENT_RANDOM "));
    EXPECT_EQ(std::filesystem::status(path).permissions() & std::filesystem::perms::mask,
              std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  });
  unsetenv("SSLKEYLOGFILE");
}

}  // namespace
}  // namespace async
