// OpenSSL's client and others that end early, say something else, or more, to our server.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "tests/tls/openssl_client.h"
#include "tests/tls/peers.h"

namespace async {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(Openssl_client, that_is_killed_has_not_ended_in_order) {
  run_in_time([]() -> Deferred<> {
    for (const std::string& version : both_versions) {
      const auto server = co_await serve_echo();
      Program client = s_client(server.port(), {version});
      client.say("hello\n");
      co_await client.says("hello\n");
      client.kill();
      EXPECT_EQ(co_await server.seen->error(), "truncated");
      co_await server.end();
      EXPECT_EQ(server.server.counts().peer_errors, 1U);
      EXPECT_EQ(server.server.counts().handler_errors, 0U);
    }
  });
}

TEST(Openssl_client, that_is_killed_within_the_handshake_never_reaches_the_handler) {
  run_in_time([]() -> Deferred<> {
    for (const std::string& version : both_versions) {
      const auto server = co_await serve_echo();
      // In between, so that it is killed when it has said hello, and has no answer yet.
      Ivar<> is_time;
      const auto between = co_await Tcp::Server::create(
          on_loopback(), [&](Address::Inet, Reader reader, Writer) -> Deferred<> {
            co_await Tcp::with_connection(at(server.server),
                                          [&](auto, Reader far, Writer far_writer) -> Deferred<> {
                                            far_writer.write((co_await reader.read()).value());
                                            EXPECT_TRUE(co_await far.read());
                                            is_time.fill();
                                            co_await reader.drain();
                                          });
          });
      {
        const Program client = s_client(between.listening_on(), {version});
        co_await is_time.read();
      }
      EXPECT_EQ(co_await server.seen->refusal(), "closed");
      co_await server.end();
      co_await end(between);
      EXPECT_EQ(server.server.counts().upgrade_errors, 1U);
      EXPECT_TRUE(server.seen->served.empty());
    }
  });
}

TEST(Openssl_client, that_asks_for_a_renegotiation_is_refused) {
  run_in_time([]() -> Deferred<> {
    const auto server = co_await serve_echo();
    Program client = s_client(server.port(), {"-tls1_2"});
    client.say("hello\n");
    co_await client.says("hello\n");
    client.say("R\n");
    EXPECT_EQ(co_await server.seen->error(), "protocol");
    co_await client.says("alert no renegotiation");
    EXPECT_EQ(co_await client.ended(), 1);
    co_await server.end();
  });
}

TEST(Openssl_client, changes_its_keys) {
  run_in_time([]() -> Deferred<> {
    const auto server = co_await serve_echo();
    Program client = s_client(server.port(), {"-tls1_3"});
    for (const std::string command : {"k", "K", "K"}) {
      client.say("hello\n");
      co_await client.says("hello\n");
      client.say(command + "\n");
      co_await client.says("KEYUPDATE");
    }
    co_await say_hello(std::move(client));
    co_await server.end();
    EXPECT_THAT(*server.ends, ElementsAre(Eof::Reason::Clean));
  });
}

TEST(Openssl_client, sends_megabytes_in_small_records) {
  run_in_time([]() -> Deferred<> {
    const std::string sent = large_text(2'000'000);
    for (const std::string& version : both_versions) {
      std::string got;
      const auto server =
          co_await serve(server_options(), [&](Reader reader, Writer writer) -> Deferred<> {
            got = (co_await reader.really_read(sent.size())).value();
            writer.write(got);
            writer.write_line("that was all");
            co_await reader.drain();
          });
      Program client = s_client(server.port(), {version, "-max_send_frag", "512"});
      client.say(sent);
      co_await client.says("that was all\n");
      EXPECT_TRUE(got == sent);
      EXPECT_THAT(client.output(), HasSubstr(sent));
      client.end_input();
      co_await client.ended();
      co_await server.end();
    }
  });
}

TEST(Openssl_client, starts_tls_within_smtp) {
  run_in_time([]() -> Deferred<> {
    for (const std::string& version : both_versions) {
      const auto server = co_await Tcp::Server::create(on_loopback(), smtp);
      Program client = s_client(server.listening_on(),
                                {version, "-starttls", "smtp", "-verify_hostname", "server"});
      co_await client.says("Verify return code: 0 (ok)");
      co_await say_hello(std::move(client));
      co_await end(server);
    }
  });
}

TEST(Openssl_client, is_refused_where_nobody_speaks_tls) {
  run_in_time([]() -> Deferred<> {
    const auto server = co_await Tcp::Server::create(
        on_loopback(), [](Address::Inet, Reader reader, Writer writer) -> Deferred<> {
          EXPECT_TRUE(co_await reader.read());
          writer.write_line("what?");
        });
    Program client = s_client(server.listening_on());
    co_await client.says("wrong version number");
    EXPECT_EQ(co_await client.ended(), 1);
    co_await end(server);
  });
}

TEST(A_client_without_tls, is_refused) {
  run_in_time([]() -> Deferred<> {
    const std::vector<std::string> to_say{"what is this?\n", std::string(5, '\0'),
                                          std::string("\x16\x03\x01\xff\xff", 5) + "more",
                                          std::string("\x15\x03\x01\x00\x02\x02\x28", 7)};
    for (const std::string& bytes : to_say) {
      const auto server = co_await serve_echo();
      const Program client(
          {"socat", "-t", "5", "-", "TCP:127.0.0.1:" + std::to_string(server.port())});
      client.say(bytes);
      EXPECT_THAT(co_await server.seen->refusal(), ::testing::AnyOf("protocol", "refused"));
      co_await server.end();
    }
  });
}

TEST(Curl, without_tls_is_refused) {
  run_in_time([]() -> Deferred<> {
    const auto server = co_await serve_echo();
    Program client({"curl", "-sS", "http://127.0.0.1:" + std::to_string(server.port()) + "/"});
    EXPECT_EQ(co_await server.seen->refusal(), "protocol");
    EXPECT_NE(co_await client.ended(), 0);
    co_await server.end();
    EXPECT_EQ(server.server.counts().upgrade_errors, 1U);
  });
}

TEST(Curl, gets_a_page) {
  run_in_time([]() -> Deferred<> {
    Tls::Server_options options = server_options();
    options.alpn = {"http/1.1"};
    const std::string page = large_text(1'000'000);
    const auto server =
        co_await serve(options, [&page](Reader reader, Writer writer) -> Deferred<> {
          while (const auto line = co_await reader.read_line()) {
            if (line->empty()) break;
          }
          writer.write("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
          writer.write(page);
        });
    const std::string url = "https://localhost:" + std::to_string(server.port()) + "/";
    for (const std::string version : {"1.2", "1.3"}) {
      Program client({"curl", "-sS", "-4", "--cacert", Certificates::get().chain("root"),
                      "--tlsv" + version, "--tls-max", version, url});
      EXPECT_EQ(co_await client.ended(), 0);
      EXPECT_TRUE(client.output() == page);
      EXPECT_EQ(server.last().alpn, "http/1.1");
      EXPECT_EQ(server.last().server_name, "localhost");
    }
    co_await server.end();
  });
}

}  // namespace
}  // namespace async
