// Whom a TLS client believes, in a simulation.

#include "tcp/tls/client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
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
#include "tests/tls/certificates.h"

namespace async {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::Host;
using testing::Simulation;
using Kind = Tls::Error::Kind;

Tcp::Where_to_connect<Address::Inet> there() { return Tcp::to_host_and_port("server", 443); }

struct World {
  Simulation simulation;
  Host host = simulation.host("server");

  Deferred<Tcp::Server::Inet> serve(const std::string& name) {
    return host.within([name] {
      return Tcp::Server::create(Tcp::on_port(443), {.tls = Tls::server(server_options(name))},
                                 echo_handler);
    });
  }
};

/// `failure_of(client)` is why connecting fails.
Deferred<std::optional<Tls::Error>> failure_of(std::shared_ptr<const Tcp::Upgrade> client) {
  const auto error =
      co_await error_of<Tcp::Connect_error>(Tcp::connect(there(), {.tls = std::move(client)}));
  if (!error) co_return std::nullopt;
  EXPECT_EQ(error->kind(), Tcp::Connect_error::Kind::Tls);
  const auto* tls = error->cause() ? error->cause()->as<Tls::Error>() : nullptr;
  EXPECT_TRUE(tls) << error->what();
  co_return tls ? std::optional(*tls) : std::nullopt;
}

std::string text_of(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

TEST(Tls_client, says_which_check_failed_for_which_name_and_certificate) {
  World world;
  world.simulation.run([&]() -> Deferred<> {
    struct Wrong {
      std::string certificate;
      Kind kind;
      std::string subject;
    };
    const std::vector<Wrong> wrong{
        {.certificate = "stranger", .kind = Kind::Untrusted, .subject = "CN=stranger"},
        {.certificate = "below_middle", .kind = Kind::Untrusted, .subject = "CN=below_middle"},
        {.certificate = "client",
         .kind = Kind::Untrusted,
         .subject = "CN=client"},  // for clients only
        {.certificate = "expired", .kind = Kind::Expired, .subject = "CN=expired"},
        {.certificate = "not_yet", .kind = Kind::Not_yet_valid, .subject = "CN=not_yet"},
        {.certificate = "other_server", .kind = Kind::Wrong_host, .subject = "CN=other_server"},
        {.certificate = "revoked", .kind = Kind::Revoked, .subject = "CN=revoked"}};
    const auto trust = Tls::Trust::roots(Certificates::get().chain("root"))
                           .with_revocations(Certificates::get().file("root.crl"));
    const auto client = Tls::client({.trust = trust});
    for (const Wrong& one : wrong) {
      const auto server = co_await world.serve(one.certificate);
      const auto error = co_await failure_of(client);
      EXPECT_TRUE(error) << one.certificate;
      if (error) {
        EXPECT_EQ(to_string(error->kind()), to_string(one.kind)) << one.certificate;
        EXPECT_THAT(error->what(), AllOf(HasSubstr("server:443"), HasSubstr(one.subject)));
      }
      co_await server.close();
      co_await server.close_finished_and_handlers_determined();
    }
    // The same client believes one that is right.
    const auto server = co_await world.serve("server");
    EXPECT_EQ(co_await ask(there(), "hello", {.tls = client}), "hello");
  });
}

TEST(Tls_client, names_the_name_that_a_certificate_is_not_for) {
  World world;
  world.simulation.run([&]() -> Deferred<> {
    const auto server = co_await world.serve("server");
    const auto error = co_await failure_of(tls_client({.verified_name = "www.example.com"}));
    EXPECT_TRUE(error && error->kind() == Kind::Wrong_host);
    if (error) EXPECT_THAT(error->what(), HasSubstr("www.example.com"));
  });
}

TEST(Tls_client, verifies_names_and_addresses_and_patterns_exactly) {
  World world;
  world.simulation.run([&]() -> Deferred<> {
    const auto server = co_await world.serve("server");
    for (const char* good : {"server", "SERVER", "server.", "localhost", "a.wild.example",
                             "127.0.0.1", "::1", "0:0:0:0:0:0:0:1"}) {
      EXPECT_FALSE(co_await failure_of(tls_client({.verified_name = good}))) << good;
    }
    for (const char* bad :
         {"serve", "server2", "wild.example", "a.b.wild.example", "127.0.0.2", "::2", "server\n"}) {
      const auto error = co_await failure_of(tls_client({.verified_name = bad}));
      EXPECT_TRUE(error) << bad;
      if (error) EXPECT_EQ(error->kind(), Kind::Wrong_host) << bad;
    }
    for (const char* no_name : {"", "*.wild.example"}) {
      const auto error = co_await failure_of(tls_client({.verified_name = no_name}));
      EXPECT_TRUE(error && error->kind() == Kind::Configuration) << no_name;
    }
  });
}

TEST(Tls_client, trusts_whom_it_is_told_to) {
  World world;
  world.simulation.run([&]() -> Deferred<> {
    const auto& files = Certificates::get();
    const auto server = co_await world.serve("server");
    const std::string text = text_of(files.chain("root"));
    for (const auto& trust :
         {Tls::Trust::roots(files.chain("root")), Tls::Trust::roots(Tls::Pem{text}),
          Tls::Trust::roots(Tls::Pem{text_of(files.chain("other_root")) + text}),
          Tls::Trust::folder(files.file("roots"))}) {
      EXPECT_EQ(co_await ask(there(), "hello", {.tls = Tls::client({.trust = trust})}), "hello");
    }
    for (const auto& trust : {Tls::Trust::system(), Tls::Trust::roots(files.chain("other_root")),
                              Tls::Trust::folder("/tmp")}) {
      const auto error = co_await failure_of(Tls::client({.trust = trust}));
      EXPECT_TRUE(error && error->kind() == Kind::Untrusted);
    }
  });
}

TEST(Tls_client, takes_the_roots_of_the_system_from_where_the_environment_says) {
  World world;
  world.simulation.run([&]() -> Deferred<> {
    const auto server = co_await world.serve("server");
    setenv("SSL_CERT_FILE", Certificates::get().chain("root").c_str(), 1);
    EXPECT_EQ(co_await ask(there(), "hello", {.tls = Tls::client()}), "hello");
    setenv("SSL_CERT_FILE", "/nowhere.pem", 1);
    EXPECT_THROW(Tls::client(), Tls::Error);
    unsetenv("SSL_CERT_FILE");
  });
}

TEST(Tls_client, that_cares_about_revocations_needs_a_list_of_each_issuer) {
  World world;
  world.simulation.run([&]() -> Deferred<> {
    const auto server = co_await world.serve("chain");  // there is none of the one in the middle
    const auto trust = Tls::Trust::roots(Certificates::get().chain("root"))
                           .with_revocations(Certificates::get().file("root.crl"));
    const auto error = co_await failure_of(Tls::client({.trust = trust}));
    EXPECT_TRUE(error && error->kind() == Kind::Untrusted);
    if (error) EXPECT_THAT(error->what(), HasSubstr("CRL"));
  });
}

TEST(Tls_client, remembers_sessions_for_each_server_apart) {
  World world;
  const Host other = world.simulation.host("other");
  world.simulation.run([&]() -> Deferred<> {
    const auto first = co_await world.serve("server");
    const auto second = co_await other.within([] {
      return Tcp::Server::create(
          Tcp::on_port(443), {.tls = Tls::server(server_options("other_server"))}, echo_handler);
    });
    const auto client = tls_client();
    const auto is_resumed = [client](std::string name) -> Deferred<bool> {
      co_return co_await Tcp::with_connection(
          Tcp::to_host_and_port(name, 443), {.tls = client},
          [](auto, Reader reader, Writer writer) -> Deferred<bool> {
            writer.write_line("hello");
            co_await reader.read_line();
            co_return Tls::info(writer)->is_resumed;
          });
    };
    EXPECT_FALSE(co_await is_resumed("server"));
    EXPECT_FALSE(co_await is_resumed("other"));
    EXPECT_TRUE(co_await is_resumed("server"));
    EXPECT_TRUE(co_await is_resumed("other"));
  });
}

TEST(Tls_client, resumes_nothing_where_that_is_not_wanted) {
  World world;
  world.simulation.run([&]() -> Deferred<> {
    const auto server = co_await world.serve("server");
    const auto client = tls_client({.resume_sessions = false});
    for (int i = 0; i < 2; ++i) {
      const bool is_resumed = co_await Tcp::with_connection(
          there(), {.tls = client}, [](auto, Reader reader, Writer writer) -> Deferred<bool> {
            writer.write_line("hello");
            co_await reader.read_line();
            co_return Tls::info(writer)->is_resumed;
          });
      EXPECT_FALSE(is_resumed);
    }
  });
}

}  // namespace
}  // namespace async
