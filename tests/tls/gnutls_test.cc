// Our server and GnuTLS's client, and the other way round.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "tests/tls/peers.h"

namespace async {
namespace {

using ::testing::ElementsAre;
using Tls::Client_certificates;
using Tls::Version;

const std::string only_1_2 = "NORMAL:-VERS-ALL:+VERS-TLS1.2";
const std::string only_1_3 = "NORMAL:-VERS-ALL:+VERS-TLS1.3";

/// GnuTLS's client on a port of this machine.
Program gnutls_cli(int port, std::vector<std::string> more = {}) {
  std::vector<std::string> command{
      "gnutls-cli",     "--x509cafile", Certificates::get().chain("root"),
      "--sni-hostname", "server",       "--verify-hostname",
      "server",         "--port",       std::to_string(port)};
  command.insert(command.end(), more.begin(), more.end());
  command.emplace_back("127.0.0.1");
  return Program(std::move(command));
}

/// With the certificate of `name`.
std::vector<std::string> as(const std::string& name, std::vector<std::string> more = {}) {
  more.insert(more.end(), {"--x509certfile", Certificates::get().chain(name), "--x509keyfile",
                           Certificates::get().key(name)});
  return more;
}

/// Says a line, gets it back, and leaves in order.
Deferred<> say_hello(Program client) {
  client.say("hello\n");
  co_await client.says("hello\n");
  client.end_input();
  EXPECT_EQ(co_await client.ended(), 0);
}

/// Why a server with `options` refuses the client that has `arguments`.
Deferred<std::string> refusal(Tls::Server_options options, std::vector<std::string> arguments) {
  const auto server = co_await serve_echo(std::move(options));
  const Program client = gnutls_cli(server.port(), std::move(arguments));
  std::string why = co_await server.seen->refusal();
  co_await server.end();
  EXPECT_EQ(server.server.counts().upgrade_errors, 1U);
  co_return why;
}

TEST(Gnutls_client, speaks_tls_1_2_and_1_3_and_ends_in_order) {
  run_in_time([]() -> Deferred<> {
    for (const char* const certificate : {"server", "rsa", "chain"}) {
      const auto server = co_await serve_echo(server_options(certificate));
      co_await say_hello(gnutls_cli(server.port(), {"--priority", only_1_2}));
      EXPECT_EQ(server.last().version, Version::Tls_1_2);
      EXPECT_EQ(server.last().server_name, "server");
      co_await say_hello(gnutls_cli(server.port(), {"--priority", only_1_3}));
      EXPECT_EQ(server.last().version, Version::Tls_1_3);
      co_await server.end();
      EXPECT_THAT(*server.ends, ElementsAre(Eof::Reason::Clean, Eof::Reason::Clean));
    }
  });
}

TEST(Gnutls_client, is_refused_without_a_common_version_or_protocol) {
  run_in_time([]() -> Deferred<> {
    Tls::Server_options newer = server_options();
    newer.min_version = Version::Tls_1_3;
    EXPECT_EQ(co_await refusal(newer, {"--priority", only_1_2}), "no common version");
    EXPECT_EQ(co_await refusal(server_options(), {"--priority", "LEGACY:-VERS-ALL:+VERS-TLS1.1"}),
              "no common version");
    Tls::Server_options with_alpn = server_options();
    with_alpn.alpn = {"h2"};
    EXPECT_EQ(co_await refusal(with_alpn, {"--alpn", "other"}), "no common protocol");
    const auto server = co_await serve_echo(with_alpn);
    co_await say_hello(gnutls_cli(server.port(), {"--alpn", "other", "--alpn", "h2"}));
    EXPECT_EQ(server.last().alpn, "h2");
    co_await server.end();
  });
}

TEST(Gnutls_client, shows_a_certificate_where_one_is_required) {
  run_in_time([]() -> Deferred<> {
    Tls::Server_options options = server_options();
    options.client_certificates = Client_certificates::Require;
    options.trust = Tls::Trust::roots(Certificates::get().chain("root"));
    const auto server = co_await serve_echo(options);
    for (const std::string& version : {only_1_2, only_1_3}) {
      co_await say_hello(gnutls_cli(server.port(), as("client", {"--priority", version})));
      EXPECT_TRUE(server.last().peer);
      if (server.last().peer) EXPECT_EQ(server.last().peer->subject, "CN=client");
      EXPECT_EQ(co_await refusal(options, {"--priority", version}), "client certificate missing");
    }
    co_await server.end();
  });
}

TEST(Gnutls_client, resumes_a_session) {
  run_in_time([]() -> Deferred<> {
    for (const std::string& version : {only_1_2, only_1_3}) {
      // With TLS 1.3, tickets leave with the first thing that the server says.
      const auto server =
          co_await serve(server_options(), [](Reader reader, Writer writer) -> Deferred<> {
            writer.write_line("welcome");
            while (const auto chunk = co_await reader.read_chunk()) writer.write(*chunk);
          });
      // It connects twice.
      Program client = gnutls_cli(server.port(), {"--resume", "--priority", version});
      co_await client.says("Connecting again");
      co_await say_hello(std::move(client));
      co_await server.end();
      EXPECT_EQ(server.seen->served.size(), 2U);
      EXPECT_TRUE(server.last().is_resumed);
    }
  });
}

TEST(Gnutls_client, does_not_resume_where_there_are_no_sessions) {
  run_in_time([]() -> Deferred<> {
    Tls::Server_options options = server_options();
    options.resume_sessions = false;
    const auto server = co_await serve_echo(options);
    Program client = gnutls_cli(server.port(), {"--resume", "--priority", only_1_2});
    co_await client.says("Connecting again");
    co_await say_hello(std::move(client));
    co_await server.end();
    EXPECT_FALSE(server.last().is_resumed);
  });
}

TEST(Gnutls_client, that_is_killed_has_not_ended_in_order) {
  run_in_time([]() -> Deferred<> {
    for (const std::string& version : {only_1_2, only_1_3}) {
      const auto server = co_await serve_echo();
      Program client = gnutls_cli(server.port(), {"--priority", version});
      client.say("hello\n");
      co_await client.says("hello\n");
      client.kill();
      EXPECT_EQ(co_await server.seen->error(), "truncated");
      co_await server.end();
    }
  });
}

TEST(Gnutls_client, that_asks_for_a_renegotiation_is_refused) {
  run_in_time([]() -> Deferred<> {
    const auto server = co_await serve_echo();
    const Program client = gnutls_cli(server.port(), {"--priority", only_1_2, "--rehandshake"});
    EXPECT_EQ(co_await server.seen->error(), "protocol");
    co_await server.end();
  });
}

TEST(Gnutls_client, starts_tls_within_smtp) {
  run_in_time([]() -> Deferred<> {
    const auto server = co_await Tcp::Server::create(on_loopback(), smtp);
    Program client = gnutls_cli(server.listening_on(), {"--starttls-proto=smtp"});
    co_await client.says("Handshake was completed");
    co_await say_hello(std::move(client));
    co_await end(server);
  });
}

/// GnuTLS's server, which gives lines back.
Deferred<Listening> gnutls_serv(std::vector<std::string> more, std::string certificate = "server") {
  std::vector<std::string> command{"gnutls-serv",    "--echo",
                                   "--port",         "0",
                                   "--x509certfile", Certificates::get().chain(certificate),
                                   "--x509keyfile",  Certificates::get().key(certificate),
                                   "--x509cafile",   Certificates::get().chain("root")};
  command.insert(command.end(), more.begin(), more.end());
  // Its first socket is that for IPv4.
  return listening(Program(std::move(command)), "...done");
}

Deferred<Tls::Info> ask_hello(Listening const* peer, std::shared_ptr<const Tcp::Upgrade> tls) {
  return Tcp::with_connection(peer->at(), {.tls = std::move(tls)},
                              [](auto, Reader reader, Writer writer) -> Deferred<Tls::Info> {
                                writer.write_line("hello");
                                EXPECT_EQ(co_await reader.read_line(), "hello");
                                co_return *Tls::info(writer);
                              });
}

TEST(Gnutls_server, speaks_tls_1_2_and_1_3) {
  run_in_time([]() -> Deferred<> {
    for (const std::string certificate : {"server", "rsa"}) {
      const auto old = co_await gnutls_serv({"--priority", only_1_2}, certificate);
      EXPECT_EQ((co_await ask_hello(&old, tls_client())).version, Version::Tls_1_2);
      const auto peer = co_await gnutls_serv({"--alpn", "h2"}, certificate);
      const Tls::Info info = co_await ask_hello(&peer, tls_client({.alpn = {"h2", "other"}}));
      EXPECT_EQ(info.version, Version::Tls_1_3);
      EXPECT_EQ(info.alpn, "h2");
      EXPECT_EQ(info.peer->subject, "CN=" + certificate);
    }
  });
}

TEST(Gnutls_server, resumes_sessions) {
  run_in_time([]() -> Deferred<> {
    for (const std::string& version : {only_1_2, only_1_3}) {
      const auto peer = co_await gnutls_serv({"--priority", version});
      const auto tls = tls_client();
      EXPECT_FALSE((co_await ask_hello(&peer, tls)).is_resumed);
      for (int i = 0; i < 3; ++i) EXPECT_TRUE((co_await ask_hello(&peer, tls)).is_resumed);
      EXPECT_FALSE((co_await ask_hello(&peer, tls_client())).is_resumed);
    }
  });
}

TEST(Gnutls_server, gets_the_certificate_that_it_requires) {
  run_in_time([]() -> Deferred<> {
    const auto& all = Certificates::get();
    for (const std::string& version : {only_1_2, only_1_3}) {
      const auto peer = co_await gnutls_serv(
          {"--priority", version, "--require-client-cert", "--verify-client-cert"});
      const auto as_client =
          tls_client({.identity = Tls::Identity{.certificate_chain = all.chain("client"),
                                                .private_key = all.key("client")}});
      EXPECT_TRUE((co_await ask_hello(&peer, as_client)).peer);
      // With TLS 1.3 the client learns of it when it reads.
      EXPECT_FALSE(co_await or_error(ask_hello(&peer, tls_client())));
      EXPECT_TRUE((co_await ask_hello(&peer, as_client)).peer);
    }
  });
}

TEST(Gnutls_server, that_is_killed_has_not_ended_in_order) {
  run_in_time([]() -> Deferred<> {
    for (const std::string& version : {only_1_2, only_1_3}) {
      const auto peer = co_await gnutls_serv({"--priority", version});
      const auto failure = co_await or_error(
          talk_to(peer.at(), tls_client(), [&](Reader reader, Writer writer) -> Deferred<> {
            writer.write_line("hello");
            EXPECT_EQ(co_await reader.read_line(), "hello");
            peer.program.kill();
            static_cast<void>(co_await reader.contents());
          }));
      EXPECT_EQ(failure ? "no failure" : kind_of(failure.error()), "truncated");
    }
  });
}

TEST(Gnutls_server, gives_many_lines_back_and_ends_in_order) {
  run_in_time([]() -> Deferred<> {
    for (const std::string& version : {only_1_2, only_1_3}) {
      const auto peer = co_await gnutls_serv({"--priority", version});
      co_await talk_to(peer.at(), tls_client(), [](Reader reader, Writer writer) -> Deferred<> {
        for (int i = 0; i < 200; ++i) {
          const std::string line = std::string(static_cast<std::size_t>(i) * 7, 'x') + "!";
          writer.write_line(line);
          EXPECT_EQ(co_await reader.read_line(), line);
        }
        writer.shutdown_send();
        EXPECT_EQ(co_await reader.contents(), "");
      });
    }
  });
}

}  // namespace
}  // namespace async
