// Megabytes between us and socat, both ways at the same time, each way ending by itself.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "tests/tls/peers.h"

namespace async {
namespace {

using ::testing::ElementsAre;

const std::vector<std::string> both_versions{"TLS1.2", "TLS1.3"};

/// Bytes of all values.
std::string large_binary(std::size_t n) {
  std::string bytes(n, '\0');
  unsigned state = 1;
  for (char& byte : bytes) {
    state = state * 1'664'525 + 1'013'904'223;
    byte = static_cast<char>(state >> 24);
  }
  return bytes;
}

std::string to_us(int port, const std::string& version) {
  return "OPENSSL:127.0.0.1:" + std::to_string(port) +
         ",cafile=" + Certificates::get().chain("root").string() +
         ",commonname=server,snihost=server,openssl-min-proto-version=" + version +
         ",openssl-max-proto-version=" + version;
}

TEST(Socat, as_a_client_gets_megabytes_back) {
  run_in_time([]() -> Deferred<> {
    const std::string sent = large_binary(4'000'000);
    for (const std::string& version : both_versions) {
      const auto server = co_await serve_echo();
      Program client({"socat", "-t", "30", "-", to_us(server.port(), version)});
      client.say(sent);
      client.end_input();
      EXPECT_EQ(co_await client.ended(), 0);
      EXPECT_TRUE(client.output() == sent);
      co_await server.end();
      EXPECT_THAT(*server.ends, ElementsAre(Eof::Reason::Clean));
      EXPECT_EQ(server.server.counts().peer_errors, 0U);
    }
  });
}

TEST(Socat, as_a_client_gets_an_answer_after_its_end) {
  run_in_time([]() -> Deferred<> {
    for (const std::string& version : both_versions) {
      const auto server =
          co_await serve(server_options(), [](Reader reader, Writer writer) -> Deferred<> {
            const std::string all = co_await reader.contents();
            writer.write_line(std::to_string(all.size()) + " bytes");
            writer.write(large_text(1'000'000));
          });
      Program client({"socat", "-t", "30", "-", to_us(server.port(), version)});
      client.say("a question");
      client.end_input();
      EXPECT_EQ(co_await client.ended(), 0);
      EXPECT_TRUE(client.output() == "10 bytes\n" + large_text(1'000'000));
      co_await server.end();
    }
  });
}

/// socat, with TLS on one side and `other` on the other.
Deferred<Listening> socat_server(std::string version, std::string other) {
  const auto& all = Certificates::get();
  const std::string listens =
      "OPENSSL-LISTEN:0,bind=127.0.0.1,cert=" + all.chain("server").string() +
      ",key=" + all.key("server").string() + ",verify=0,openssl-min-proto-version=" + version +
      ",openssl-max-proto-version=" + version;
  return listening(Program({"socat", "-d", "-d", "-t", "30", listens, std::move(other)}),
                   "listening on");
}

/// What comes back when `sent` is all that is said.
Deferred<std::string> echoed(const Listening* peer, std::string sent) {
  return Tcp::with_connection(
      peer->at(), {.tls = tls_client()},
      [sent = std::move(sent)](auto, Reader reader, Writer writer) -> Deferred<std::string> {
        writer.write(sent);
        writer.shutdown_send();
        co_return co_await reader.contents();
      });
}

TEST(Socat, as_a_server_gives_megabytes_back) {
  run_in_time([]() -> Deferred<> {
    const std::string sent = large_binary(4'000'000);
    for (const std::string& version : both_versions) {
      auto peer = co_await socat_server(version, "EXEC:cat");
      EXPECT_TRUE(co_await echoed(&peer, sent) == sent);
      EXPECT_EQ(co_await peer.program.ended(), 0);
    }
  });
}

TEST(Socat, joins_a_client_of_ours_with_a_server_of_ours) {
  run_in_time([]() -> Deferred<> {
    const std::string sent = large_binary(4'000'000);
    for (const std::string& version : both_versions) {
      const auto server = co_await serve_echo();
      auto peer = co_await socat_server(version, to_us(server.port(), version));
      EXPECT_TRUE(co_await echoed(&peer, sent) == sent);
      EXPECT_EQ(co_await peer.program.ended(), 0);
      co_await server.end();
      EXPECT_THAT(*server.ends, ElementsAre(Eof::Reason::Clean));
    }
  });
}

}  // namespace
}  // namespace async
