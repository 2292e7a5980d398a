// HTTP CONNECT: what a proxy is sent, and what is made of each of its answers.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "tests/proxy/proxies.h"

namespace async {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using testing::Host;
using ::testing::Not;
using testing::Simulation;
using Kind = Tcp::Connect_error::Kind;

const std::string request = "CONNECT far.away:7 HTTP/1.1\r\nHost: far.away:7\r\n\r\n";
const std::string connected = "HTTP/1.1 200 OK\r\n\r\n";

std::shared_ptr<const Tcp::Route> by_proxy(Tcp::Proxy::Http_connect_options options = {}) {
  return Tcp::Proxy::http_connect(Tcp::to_host_and_port("proxy", 3128), std::move(options));
}

/// `line_after(answer)` is the first line that comes from far.away; or how that failed.
std::string line_after(std::string answer, Answering_options answering_options = {}) {
  Simulation simulation;
  const Host proxy = simulation.host("proxy");
  return simulation.run([&]() -> Deferred<std::string> {
    const auto server =
        co_await scripted(proxy, 3128, answering({{request.size(), answer}}, answering_options));
    const auto line = co_await or_error(
        ask(Tcp::to_host_and_port("far.away", 7), "?", {.timeout = 10h, .via = by_proxy()}));
    if (line) co_return *line;
    const auto* error = line.error().as<Tcp::Connect_error>();
    EXPECT_TRUE(error && error->kind() == Kind::Proxy) << line.error().what();
    co_await Clock::after(20s);
    EXPECT_EQ(server.num_connections(), 0);  // it is closed, whatever went wrong
    co_return line.error().what();
  });
}

/// `asked_with(options)` is what the proxy hears.
std::string asked_with(Tcp::Proxy::Http_connect_options options,
                       Tcp::Where_to_connect<Address::Inet> where) {
  Simulation simulation;
  const Host proxy = simulation.host("proxy");
  return simulation.run([&]() -> Deferred<std::string> {
    const auto heard = std::make_shared<std::string>();
    co_await scripted(proxy, 3128, answering({{0, ""}}, {.hangs_up = false, .heard = heard}));
    co_await or_error(Tcp::connect(where, {.timeout = 1s, .via = by_proxy(options)}));
    co_return *heard;
  });
}

TEST(Http_connect, connects_by_the_proxy_which_looks_up_the_name) {
  Simulation simulation;
  const Host proxy = simulation.host("proxy");
  const Host far = simulation.host(
      "far.away", {Inet_addr::of_string("192.0.2.1"), Inet_addr::of_string("2001:db8::1")});
  simulation.run([&]() -> Deferred<> {
    const auto asked = no_requests();
    co_await echo_server(far, 7);
    co_await scripted(proxy, 3128, http_proxy(asked));
    const auto route = by_proxy();
    EXPECT_EQ(co_await ask(Tcp::to_host_and_port("far.away", 7), "hello", {.via = route}), "hello");
    for (const Inet_addr& addr : far.addrs()) {
      const auto where = Tcp::to_inet_address(Address::Inet(addr, 7));
      EXPECT_EQ(co_await ask(where, "hello", {.via = route}), "hello");
    }
    EXPECT_THAT(*asked, ElementsAre("CONNECT far.away:7 HTTP/1.1", "CONNECT 192.0.2.1:7 HTTP/1.1",
                                    "CONNECT [2001:db8::1]:7 HTTP/1.1"));
  });
}

TEST(Http_connect, asks_as_it_should) {
  const auto name = Tcp::to_host_and_port("far.away", 7);
  EXPECT_EQ(asked_with({}, name), request);
  EXPECT_EQ(asked_with({}, Tcp::to_host_and_port("2001:db8::1", 443)),
            "CONNECT [2001:db8::1]:443 HTTP/1.1\r\nHost: [2001:db8::1]:443\r\n\r\n");
  EXPECT_THAT(asked_with({.username = "Aladdin", .password = "open sesame"}, name),
              EndsWith("\r\nProxy-Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n\r\n"));
  EXPECT_THAT(asked_with({.username = "a", .password = "b:\xff"}, name),
              HasSubstr(" YTpiOv8=\r\n"));
  EXPECT_THAT(asked_with({.username = "a"}, name), HasSubstr(" Basic YTo=\r\n"));
  EXPECT_THAT(asked_with({.headers = {{"User-Agent", "me"}, {"X-Empty", ""}}}, name),
              EndsWith("\r\nUser-Agent: me\r\nX-Empty: \r\n\r\n"));
}

TEST(Http_connect, nothing_can_be_smuggled_into_a_request) {
  using Options = Tcp::Proxy::Http_connect_options;
  for (const Options& options :
       {Options{.headers = {{"X", "a\r\nY: b"}}}, Options{.headers = {{"X\r\nY", "a"}}},
        Options{.headers = {{"X", "a\nb"}}}, Options{.headers = {{"", "a"}}},
        Options{.headers = {{"X Y", "a"}}}, Options{.headers = {{"X:", "a"}}},
        Options{.headers = {{"X", "a\0b"s}}}, Options{.username = "a:b", .password = "c"},
        Options{.username = "a\n", .password = "c"}, Options{.username = "a", .password = "\r"}}) {
    EXPECT_THROW(by_proxy(options), std::invalid_argument);
  }
  for (const std::string& name : {"a HTTP/1.1\r\nX: y"s, "a\nb"s, "a b"s, "a@b"s}) {
    EXPECT_EQ(asked_with({}, Tcp::to_host_and_port(name, 7)), "");
  }
}

TEST(Http_connect, any_status_of_2xx_is_a_connection) {
  for (const std::string& line : {"HTTP/1.1 200 Connection established"s, "HTTP/1.0 200 "s,
                                  "HTTP/1.1 200"s, "HTTP/1.1 299 \xff"s}) {
    EXPECT_EQ(line_after(line + "\r\nContent-Length: 5\r\n\r\nhello\n"), "hello") << line;
  }
}

TEST(Http_connect, passes_over_provisional_answers) {
  EXPECT_EQ(line_after("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nA: b\r\n\r\n" +
                       connected + "hello\n"),
            "hello");
  EXPECT_THAT(line_after("HTTP/1.1 101 Switching Protocols\r\n\r\nhello\n"), HasSubstr("101"));
}

TEST(Http_connect, what_follows_the_header_is_the_targets) {
  EXPECT_EQ(line_after(connected + "\r\nhello\n"), "");
  std::string much(100'000, 'x');
  EXPECT_EQ(line_after(connected + much + "\n"), much);
}

TEST(Http_connect, takes_an_answer_in_whatever_pieces) {
  EXPECT_EQ(line_after("HTTP/1.1 200 OK\r\nA: b\r\n\r\nhello\n", {.between_bytes = 10ms}), "hello");
}

TEST(Http_connect, that_a_password_is_wanted_is_said_clearly) {
  const std::string answer =
      "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\n\r\n";
  EXPECT_EQ(line_after(answer),
            "cannot connect to far.away:7: the HTTP proxy proxy:3128 wants a username and a "
            "password: HTTP/1.1 407 Proxy Authentication Required");
  Simulation simulation;
  const Host proxy = simulation.host("proxy");
  simulation.run([&]() -> Deferred<> {
    co_await scripted(proxy, 3128, answering({{request.size(), answer}}));
    const auto error = co_await error_by(by_proxy({.username = "me", .password = "secret"}));
    EXPECT_THAT(error.what(), AllOf(HasSubstr("does not accept the username and password"),
                                    Not(HasSubstr("secret"))));
  });
}

TEST(Http_connect, a_refusal_is_told_with_its_status_line) {
  for (const std::string& line : {"HTTP/1.1 403 Forbidden"s, "HTTP/1.1 502 Bad Gateway"s,
                                  "HTTP/1.0 503 "s, "HTTP/1.1 302 Found"s, "HTTP/1.1 199"s}) {
    const std::string body = line.ends_with("199") ? "\r\n\r\nHTTP/1.1 500 No" : "";
    EXPECT_THAT(line_after(line + body + "\r\n\r\n<html>why</html>"),
                HasSubstr("the HTTP proxy proxy:3128 does not connect to far.away:7: HTTP/1."));
  }
  EXPECT_EQ(line_after("HTTP/1.1 403 No\x1b[31m\r\n\r\n"),
            "cannot connect to far.away:7: the HTTP proxy proxy:3128 does not connect to "
            "far.away:7: HTTP/1.1 403 No?[31m");
  EXPECT_LT(line_after("HTTP/1.1 403 " + std::string(1000, 'x') + "\r\n\r\n").size(), 400U);
}

TEST(Http_connect, malformed_status_lines_are_errors) {
  for (const std::string& line :
       {"SSH-2.0-OpenSSH_9.2"s, "HTTP/2 200 OK"s, "HTTP/1.1 20 OK"s, "HTTP/1.1 2000 OK"s,
        "HTTP/1.1  200 OK"s, "HTTP/1.1 2x0 OK"s, "HTTP/x.1 200 OK"s, "HTTP/1.1 000 OK"s, ""s,
        "http/1.1 200 OK"s, " HTTP/1.1 200 OK"s, "\x05\xff"s}) {
    EXPECT_THAT(line_after(line + "\r\n\r\n"), HasSubstr("does not answer in HTTP/1")) << line;
  }
}

TEST(Http_connect, lines_end_in_carriage_return_and_newline) {
  EXPECT_THAT(line_after("HTTP/1.1 200 OK\n\n"), HasSubstr("does not end in CR LF"));
  EXPECT_THAT(line_after("HTTP/1.1 200 OK\r\nA: b\n\r\n"), HasSubstr("does not end in CR LF"));
}

TEST(Http_connect, an_answer_that_is_cut_off_anywhere_is_an_error) {
  const std::string answer = "HTTP/1.1 200 OK\r\nA: b\r\n\r\n";
  for (std::size_t i = 0; i < answer.size(); ++i) {
    EXPECT_THAT(line_after(answer.substr(0, i)),
                HasSubstr("the HTTP proxy proxy:3128 closed the connection in the middle"))
        << i;
  }
}

TEST(Http_connect, an_answer_without_end_is_an_error) {
  const std::string begin = "HTTP/1.1 200 OK\r\n";
  EXPECT_THAT(line_after(begin + "A: " + std::string(20'000, 'x')),
              HasSubstr("answers with more than 16 KiB"));
  EXPECT_THAT(line_after(std::string(20'000, 'x')), HasSubstr("answers with more than 16 KiB"));
  std::string many = begin;
  while (many.size() < 20'000) many += "A: bcdef\r\n";
  EXPECT_THAT(line_after(many), HasSubstr("answers with more than 16 KiB"));
  std::string provisional;
  while (provisional.size() < 16 * 1024) provisional += "HTTP/1.1 100 Continue Continue\r\n\r\n";
  EXPECT_THAT(line_after(provisional), HasSubstr("answers with more than 16 KiB"));
  // The longest that there may be.
  const std::string end = "\r\n\r\n";
  std::string longest = begin + "A: ";
  longest.resize(16 * 1024 - end.size(), 'x');
  EXPECT_EQ(line_after(longest + end + "hello\n"), "hello");
  longest.push_back('x');
  EXPECT_THAT(line_after(longest + end), HasSubstr("answers with more than 16 KiB"));
}

}  // namespace
}  // namespace async
