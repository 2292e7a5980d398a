// Servers behind a proxy, and programs that are one: the PROXY protocol on connections.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/proxy/proxies.h"

namespace async {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;
using Tcp::Proxy_protocol::Accept_options;
using Tcp::Proxy_protocol::Ends;
using Tcp::Proxy_protocol::Version;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::Host;
using testing::Simulation;

const std::string v1 = "PROXY TCP4 192.0.2.1 198.51.100.2 1234 80\r\n";
const std::string v2_signature = "\r\n\r\n\0\r\nQUIT\n"s;
const std::string v2 =
    v2_signature + "\x21\x11\x00\x0c\xc0\x00\x02\x01\xc6\x33\x64\x02\x04\xd2\x00\x50"s;
const std::string told = "192.0.2.1:1234 198.51.100.2:80\n";  // by a server, of either
const std::vector<Cidr> everybody = {Cidr::of_string("0.0.0.0/0"), Cidr::of_string("::/0")};

/// Tells each client its two ends, and then gives it its own bytes back.
Deferred<Tcp::Server::Inet> telling_server(Accept_options options, Span timeout = 30s) {
  return Tcp::Server::create_sock(
      Tcp::on_port(7),
      {.proxy_protocol = Tcp::Proxy_protocol::accept(std::move(options)), .tls_timeout = timeout},
      [](const Address::Inet& from, auto socket) -> Deferred<> {
        EXPECT_EQ(socket.getpeername(), from);
        socket.writer().write(to_string(from) + " " + to_string(socket.getsockname()) + "\n");
        co_await echo(socket.reader(), socket.writer());
      });
}

struct Saying_options {
  Accept_options accept = {.trusted = everybody};
  Span between_bytes = {};
  bool shuts_down = true;
};

/// What comes back from a server to a client that says `bytes` and no more; and how often an
/// upgrade has failed there.
std::pair<std::string, std::uint64_t> saying(std::string bytes, Saying_options options = {}) {
  return Simulation().run([&]() -> Deferred<std::pair<std::string, std::uint64_t>> {
    const auto server = co_await telling_server(options.accept);
    const auto connected =
        co_await Tcp::connect(Tcp::to_inet_address(Address::Inet(Inet_addr::localhost(), 7)));
    const Writer& writer = connected.writer;
    writer.set_raise_when_consumer_leaves(false);
    for (const char byte : bytes) {
      writer.write(std::string_view(&byte, 1));
      if (options.between_bytes == Span()) continue;
      co_await writer.flushed();
      co_await Clock::after(options.between_bytes);
    }
    if (options.shuts_down) writer.shutdown_send();
    std::string heard;
    while (const auto more = co_await connected.reader.read()) heard += *more;
    co_await Clock::after(10s);
    EXPECT_EQ(server.num_connections(), 0);
    EXPECT_EQ(server.counts().handler_errors, 0U);
    EXPECT_FALSE(server.is_closed());
    server.invariant();
    co_return std::pair(heard, server.counts().upgrade_errors);
  });
}

/// Why a server has refused a client that says `bytes`, as it logs it.
std::string refusal(const std::string& bytes, Saying_options options = {}) {
  std::string why;
  Log::set_level(Log::Level::Debug);
  Log::set_sink([&why](Log::Level level, std::string_view message) {
    if (level == Log::Level::Debug) why += message;
  });
  EXPECT_EQ(saying(bytes, std::move(options)), std::pair(""s, std::uint64_t{1})) << bytes;
  Log::set_sink(nullptr);
  Log::set_level(Log::Level::Info);
  return why;
}

std::pair<std::string, std::uint64_t> served(std::string text) { return {std::move(text), 0}; }

TEST(Proxy_protocol, gives_the_handler_the_address_that_the_proxy_has_seen) {
  for (const std::string& header : {v1, v2}) {
    EXPECT_EQ(saying(header), served(told));
    EXPECT_EQ(saying(header + "hello\r\n"), served(told + "hello\r\n"));
    EXPECT_EQ(saying(header + header), served(told + header));
    EXPECT_EQ(saying(header + "hello", {.between_bytes = 100ms}), served(told + "hello"));
  }
  const std::string much(1'000'000, 'x');
  EXPECT_EQ(saying(v1 + much), served(told + much));
}

TEST(Proxy_protocol, gives_it_the_real_one_if_the_header_names_none) {
  for (const std::string& header :
       {"PROXY UNKNOWN\r\n"s, v2_signature + "\x20\x00\x00\x00"s,
        v2_signature + "\x21\x00\x00\x00"s, v2_signature + "\x20\x11\x00\x03"s + "abc"s}) {
    const auto [text, errors] = saying(header + "hello");
    EXPECT_EQ(errors, 0U);
    EXPECT_THAT(text, ::testing::MatchesRegex("127\\.0\\.0\\.1:[0-9]+ 127\\.0\\.0\\.1:7\nhello"));
  }
  // An address of another type than the server's.
  const std::string unix_socket = v2_signature + "\x21\x31\x00\xd8"s + std::string(216, 'x');
  const auto refused = Simulation().run([&]() -> Deferred<std::string> {
    co_await Tcp::Server::create(
        Tcp::on_port(7), {.proxy_protocol = Tcp::Proxy_protocol::accept({.trusted = everybody})},
        [](const Address::Inet& from, Reader, Writer writer) {
          writer.write_line(to_string(from.addr()));
          return determined();
        });
    const auto connected =
        co_await Tcp::connect(Tcp::to_inet_address(Address::Inet(Inet_addr::localhost(), 7)));
    connected.writer.write(unix_socket);
    co_return co_await connected.reader.contents();
  });
  EXPECT_EQ(refused, "127.0.0.1\n");
}

TEST(Proxy_protocol, takes_headers_of_every_length) {
  std::string longest = v2_signature + "\x21\x11\xff\xff"s + v2.substr(16) + "\xee\xff\xf0"s;
  longest.resize(16 + 0xffff, 'x');
  EXPECT_EQ(saying(longest + "hello"), served(told + "hello"));
  std::string longest_v1 = "PROXY UNKNOWN ";
  longest_v1.resize(105, 'x');
  EXPECT_THAT(saying(longest_v1 + "\r\nhello").first, ::testing::EndsWith("\nhello"));
  EXPECT_THAT(refusal(longest_v1 + "x\r\nhello"), HasSubstr("no CR LF within 107 bytes"));
  EXPECT_THAT(refusal(longest_v1 + std::string(10'000, 'x')), HasSubstr("no CR LF"));
}

TEST(Proxy_protocol, refuses_what_is_no_header) {
  EXPECT_THAT(refusal("GET / HTTP/1.1\r\n\r\n"), HasSubstr("did not begin with a PROXY header"));
  EXPECT_THAT(refusal("hi"), HasSubstr("did not begin with a PROXY header"));
  EXPECT_THAT(refusal(""), HasSubstr("did not begin with a PROXY header"));
  EXPECT_THAT(refusal("PROXY"), HasSubstr("did not begin with a PROXY header"));
  EXPECT_THAT(refusal("\r\n\r\n"), HasSubstr("did not begin with a PROXY header"));
  EXPECT_THAT(refusal("PROXY TCP5 \r\n"), HasSubstr("an unknown protocol"));
  EXPECT_THAT(refusal("PROXY UNKNOWN\n"), HasSubstr("no CR LF"));
  EXPECT_THAT(refusal(v2_signature + "\x31\x11\x00\x00"s), HasSubstr("an unknown version"));
  EXPECT_THAT(refusal(v2_signature + "\x21\x11\x00\x00"s), HasSubstr("cut off"));
}

TEST(Proxy_protocol, refuses_a_header_that_is_cut_off_anywhere) {
  for (const std::string& header : {v1, v2}) {
    for (std::size_t i = 0; i < header.size(); ++i) {
      EXPECT_THAT(refusal(header.substr(0, i)), HasSubstr(" failed: the client ")) << i;
    }
  }
}

TEST(Proxy_protocol, gives_up_a_header_that_does_not_come) {
  for (const std::string& header : {v1, v2}) {
    for (const std::size_t i : {std::size_t{0}, std::size_t{3}, header.size() - 1}) {
      EXPECT_THAT(refusal(header.substr(0, i), {.shuts_down = false}),
                  HasSubstr("the client took too long"));
    }
    // A byte now and then does not gain it any time.
    EXPECT_THAT(refusal(header, {.between_bytes = 2s}), HasSubstr("the client took too long"));
  }
}

TEST(Proxy_protocol, believes_only_those_that_are_trusted) {
  const Accept_options others = {.trusted = {Cidr::of_string("10.0.0.0/8")}};
  for (const Accept_options& options : {others, Accept_options()}) {
    EXPECT_THAT(refusal(v1, {.accept = options}),
                HasSubstr("is not trusted to send a PROXY header"));
    EXPECT_THAT(refusal("hello", {.accept = options}), HasSubstr("is not trusted"));
  }
  EXPECT_EQ(saying(v1, {.accept = {.trusted = {Cidr::of_string("127.0.0.0/8")}}}), served(told));
}

TEST(Proxy_protocol, where_it_is_optional_loses_no_byte_of_others) {
  const Accept_options options = {.required = false, .trusted = everybody};
  EXPECT_EQ(saying(v1 + "hello", {.accept = options}), served(told + "hello"));
  EXPECT_EQ(saying(v2 + "hello", {.accept = options}), served(told + "hello"));
  for (const std::string& bytes :
       {""s, "x"s, "hello"s, "PROXY"s, "PROXYING the rest"s, "PROXY-TCP4"s, "\r\n"s, "\r\n\r\n"s,
        "\r\n\r\n\0\r\nQUIT\r"s, "\r\n\r\n\0\r\nQUI"s, std::string(1'000'000, 'P')}) {
    for (const Span between : {Span(), Span(1ms)}) {
      if (bytes.size() > 1000 && between != Span()) continue;
      const auto [text, errors] = saying(bytes, {.accept = options, .between_bytes = between});
      EXPECT_EQ(errors, 0U);
      EXPECT_EQ(text.substr(text.find('\n') + 1), bytes);
    }
  }
  EXPECT_THAT(refusal("PROXY TCP5 \r\n", {.accept = options}), HasSubstr("an unknown protocol"));
  EXPECT_THAT(refusal("PRO", {.accept = options, .shuts_down = false}), HasSubstr("too long"));
}

TEST(Proxy_protocol, where_it_is_optional_still_is_not_for_those_that_are_not_trusted) {
  const Accept_options options = {.required = false};
  EXPECT_THAT(refusal(v1, {.accept = options}),
              HasSubstr("sent a PROXY header, but is not trusted to"));
  EXPECT_THAT(refusal(v2_signature, {.accept = options}),
              HasSubstr("sent a PROXY header, but is not trusted to"));
  EXPECT_THAT(saying("hello", {.accept = options}).first, ::testing::EndsWith("\nhello"));
}

TEST(Proxy_protocol, one_silent_client_keeps_nobody_else_waiting) {
  Simulation().run([]() -> Deferred<> {
    const auto server = co_await telling_server({.trusted = everybody}, 5s);
    const auto where = Tcp::to_host_and_port("127.0.0.1", 7);
    const auto silent = co_await Tcp::connect(where);
    const auto spoken = co_await Tcp::connect(where);
    spoken.writer.write(v1);
    EXPECT_EQ(co_await spoken.reader.read_line(), told.substr(0, told.size() - 1));
    EXPECT_EQ(server.num_connections(), 2);
    EXPECT_FALSE(co_await silent.reader.read());
    EXPECT_EQ(server.counts().upgrade_errors, 1U);
  });
}

TEST(Proxy_protocol, waiting_for_it_ends_with_the_server_and_with_the_scheduler) {
  Simulation().run([]() -> Deferred<> {
    const auto server = co_await telling_server({.trusted = everybody});
    const auto where = Tcp::to_host_and_port("127.0.0.1", 7);
    const auto silent = co_await Tcp::connect(where);
    co_await Clock::after(1s);
    co_await server.close();
    EXPECT_FALSE(co_await silent.reader.read());
    co_await server.close_finished_and_handlers_determined();
    const auto another = co_await telling_server({.trusted = everybody});
    const auto left = co_await Tcp::connect(where);
    left.writer.write("PRO");
    co_await Clock::after(1s);
    EXPECT_EQ(another.num_connections(), 1);
  });
}

TEST(Proxy_protocol, is_sent_with_the_ends_that_one_wants) {
  Simulation().run([]() -> Deferred<> {
    co_await telling_server({.trusted = everybody});
    const auto where = Tcp::to_host_and_port("127.0.0.1", 7);
    const Ends ends = {.source = Address::Inet::of_string("192.0.2.1:1234"),
                       .destination = Address::Inet::of_string("198.51.100.2:80")};
    const Ends v6 = {.source = Address::Inet::of_string("[2001:db8::1]:1234"),
                     .destination = Address::Inet::of_string("[2001:db8::2]:80")};
    for (const Version version : {Version::V1, Version::V2}) {
      const auto by = [&](std::optional<Ends> client) {
        return Tcp::Proxy_protocol::send({.version = version, .client = std::move(client)});
      };
      EXPECT_EQ(co_await ask(where, "?", {.via = by(ends)}), told.substr(0, told.size() - 1));
      EXPECT_EQ(co_await ask(where, "?", {.via = by(v6)}), "[2001:db8::1]:1234 [2001:db8::2]:80");
      const std::string own = co_await ask(where, "?", {.via = by(std::nullopt)});
      EXPECT_THAT(own, ::testing::MatchesRegex("127\\.0\\.0\\.1:[0-9]+ 127\\.0\\.0\\.1:7"));
    }
  });
}

TEST(Proxy_protocol, is_sent_through_other_proxies) {
  Simulation simulation;
  const Host proxy = simulation.host("proxy");
  const Host far = simulation.host("far.away");
  simulation.run([&]() -> Deferred<> {
    const auto asked = no_requests();
    co_await far.within([] { return telling_server({.trusted = everybody}); });
    co_await scripted(proxy, 1080, socks5_proxy(asked));
    const auto route = Tcp::Proxy_protocol::send(
        {.client = Ends{.source = Address::Inet::of_string("192.0.2.1:1234"),
                        .destination = Address::Inet::of_string("198.51.100.2:80")},
         .via = Tcp::Proxy::socks5(Tcp::to_host_and_port("proxy", 1080))});
    EXPECT_EQ(co_await ask(Tcp::to_host_and_port("far.away", 7), "?", {.via = route}),
              told.substr(0, told.size() - 1));
    EXPECT_THAT(*asked, ElementsAre("far.away 7"));
  });
}

TEST(Proxy_protocol, to_somebody_who_is_not_there_fails_as_without_it) {
  Simulation().run([]() -> Deferred<> {
    const auto error = co_await error_of<Tcp::Connect_error>(
        Tcp::connect(Tcp::to_host_and_port("127.0.0.1", 7), {.via = Tcp::Proxy_protocol::send()}));
    EXPECT_EQ(error->kind(), Tcp::Connect_error::Kind::Refused);
  });
}

}  // namespace
}  // namespace async
