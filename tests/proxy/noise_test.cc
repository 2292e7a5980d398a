// Whatever the other side says: answers and headers that are wrong in ways that nobody thought of.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "tcp/proxy/internal/proxy_header.h"
#include "tests/proxy/proxies.h"

namespace async {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;
using testing::Host;
using testing::Simulation;
using Kind = Tcp::Connect_error::Kind;
namespace Header = Tcp::Proxy_protocol::internal;

/// Makes noise, the same each time.
class Noise {
 public:
  std::size_t below(std::size_t n) {
    return std::uniform_int_distribution<std::size_t>(0, n - 1)(generator_);
  }
  char byte() { return static_cast<char>(below(256)); }

  /// `spoilt(bytes)` has some of them changed, left out, doubled or added.
  std::string spoilt(std::string bytes) {
    for (std::size_t left = 1 + below(4); left > 0 && !bytes.empty(); --left) {
      const std::size_t at = below(bytes.size());
      switch (below(5)) {
        case 0:
          bytes[at] = byte();
          break;
        case 1:
          bytes[at] = static_cast<char>(bytes[at] ^ 1 << below(8));
          break;
        case 2:
          bytes.insert(at, 1, byte());
          break;
        case 3:
          bytes.erase(at, 1 + below(3));
          break;
        default:
          bytes.resize(at);
      }
    }
    return bytes;
  }

 private:
  std::mt19937_64 generator_{1};
};

/// Connects again and again by a proxy that gives answers like one of `good`, but spoilt.
void connect_by_noise(const std::shared_ptr<const Tcp::Route>& route,
                      const std::vector<std::string>& good) {
  Simulation simulation({.seed = 1});
  const Host proxy = simulation.host("proxy");
  simulation.run([&]() -> Deferred<> {
    Noise noise;
    const auto server =
        co_await scripted(proxy, 1080, [&](Reader reader, Writer writer) -> Deferred<> {
          const std::string answer = noise.spoilt(good[noise.below(good.size())]);
          const std::size_t first = answer.empty() ? 0 : noise.below(answer.size());
          static_cast<void>(co_await reader.read());
          writer.write(answer.substr(0, first));
          co_await Clock::after(10ms);
          writer.write(answer.substr(first));
          if (noise.below(2) == 0) co_return;
          while (co_await reader.read()) {
          }
        });
    int num_connected = 0;
    for (int i = 0; i < 1000; ++i) {
      const auto result = co_await or_error(
          Tcp::connect(Tcp::to_host_and_port("far.away", 7), {.timeout = 1s, .via = route}));
      if (result) {
        ++num_connected;
        co_await result->socket.abort();
        continue;
      }
      const auto* error = result.error().as<Tcp::Connect_error>();
      EXPECT_TRUE(error && (error->kind() == Kind::Proxy || error->kind() == Kind::Timed_out))
          << result.error().what();
    }
    EXPECT_GT(num_connected, 10);
    EXPECT_LT(num_connected, 990);
    co_await Clock::after(1min);
    EXPECT_EQ(server.counts().accepted, 1000U);
    EXPECT_EQ(server.num_connections(), 0);
  });
}

TEST(Noise, from_a_socks5_proxy_ends_connecting_one_way_or_the_other) {
  connect_by_noise(Tcp::Proxy::socks5(Tcp::to_host_and_port("proxy", 1080),
                                      {.username = "me", .password = "secret"}),
                   {"\x05\x00\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00"s,
                    "\x05\x02\x01\x00\x05\x00\x00\x03\x04host\x00\x00"s,
                    "\x05\x00\x05\x00\x00\x04"s + std::string(18, 'x')});
}

TEST(Noise, from_an_http_proxy_ends_connecting_one_way_or_the_other) {
  connect_by_noise(Tcp::Proxy::http_connect(Tcp::to_host_and_port("proxy", 1080)),
                   {"HTTP/1.1 200 OK\r\nVia: proxy\r\nContent-Length: 0\r\n\r\nhello"s,
                    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.0 200 Established\r\n\r\n"s});
}

TEST(Noise, in_place_of_a_header_fails_no_server_and_leaves_nothing_behind) {
  Simulation simulation({.seed = 1});
  const std::vector<std::string> good = {
      "PROXY TCP4 192.0.2.1 198.51.100.2 1234 80\r\nhello"s, "PROXY UNKNOWN\r\nhello"s,
      std::string(Header::v2_signature) +
          "\x21\x11\x00\x0f\xc0\x00\x02\x01\xc6\x33\x64\x02\x04\xd2\x00\x50\x04\x00\x00hello"s};
  simulation.run([&]() -> Deferred<> {
    Noise noise;
    const auto server = co_await Tcp::Server::create(
        Tcp::on_port(7),
        {.proxy_protocol = Tcp::Proxy_protocol::accept({.trusted = {Cidr::of_string("0.0.0.0/0")}}),
         .tls_timeout = 1s},
        echo_handler);
    for (int i = 0; i < 1000; ++i) {
      const auto client = co_await Tcp::connect(Tcp::to_host_and_port("127.0.0.1", 7));
      client.writer.set_raise_when_consumer_leaves(false);
      client.writer.write(noise.spoilt(good[noise.below(good.size())]));
      if (noise.below(2) == 0) client.writer.shutdown_send();
      static_cast<void>(co_await Clock::with_timeout(2s, client.reader.read()));
      co_await client.socket.abort();
    }
    co_await Clock::after(1min);
    EXPECT_EQ(server.counts().accepted, 1000U);
    EXPECT_GT(server.counts().upgrade_errors, 100U);
    EXPECT_LT(server.counts().upgrade_errors, 990U);
    EXPECT_EQ(server.counts().handler_errors, 0U);
    EXPECT_EQ(server.num_connections(), 0);
    server.invariant();
  });
}

TEST(Noise, in_a_header_is_read_as_something_that_can_be_written_or_is_refused) {
  Noise noise;
  const std::string v4 = "\xc0\x00\x02\x01\xc6\x33\x64\x02\x04\xd2\x00\x50\x04\x00\x01x"s;
  const std::vector<std::string> lines = {"TCP4 192.0.2.1 198.51.100.2 1234 80",
                                          "TCP6 2001:db8::1 ::1 1 65535", "UNKNOWN more"};
  std::uint64_t num_read = 0;
  const auto check = [&](auto parse, auto format, const std::string& header) {
    try {
      const Header::Said said = parse(header);
      ++num_read;
      if (said) EXPECT_EQ(parse(format(said)), said);
    } catch (const Header::Malformed&) {
    }
  };
  for (int i = 0; i < 20'000; ++i) {
    check(Header::parse_v1, Header::format_v1,
          std::string(Header::v1_signature) + noise.spoilt(lines[noise.below(3)]) + "\r\n");
    std::string rest = noise.spoilt(v4);
    if (noise.below(2) == 0) rest.resize(noise.below(300), noise.byte());
    const std::string fixed = {static_cast<char>(0x20 + noise.below(3)),
                               static_cast<char>(noise.below(5) << 4 | noise.below(4)),
                               static_cast<char>(rest.size() >> 8),
                               static_cast<char>(rest.size() & 0xff)};
    check(Header::parse_v2, Header::format_v2, std::string(Header::v2_signature) + fixed + rest);
  }
  EXPECT_GT(num_read, 1000U);
}

}  // namespace
}  // namespace async
