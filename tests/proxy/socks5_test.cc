// SOCKS5: what a proxy is sent, and what is made of each of its answers.

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
using ::testing::HasSubstr;
using testing::Host;
using ::testing::Not;
using testing::Simulation;
using Kind = Tcp::Connect_error::Kind;

const std::string no_authentication = "\x05\x00"s;
const std::string connected = "\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00"s;
constexpr std::size_t size_of_request = 4 + 1 + 8 + 2;  // for far.away

std::shared_ptr<const Tcp::Route> by_proxy(Tcp::Proxy::Socks5_options options = {}) {
  return Tcp::Proxy::socks5(Tcp::to_host_and_port("proxy", 1080), std::move(options));
}

/// A simulation with a proxy that answers a request by `reply`.
struct Replying {
  Simulation simulation;
  const Host proxy = simulation.host("proxy");

  std::string error_after(std::string reply, Answering_options options = {}) {
    return error_with({{3, no_authentication}, {size_of_request, std::move(reply)}}, options);
  }
  std::string error_with(std::vector<Exchange> exchanges, Answering_options answering_options = {},
                         Tcp::Proxy::Socks5_options options = {}) {
    std::string what;
    simulation.run([&]() -> Deferred<> {
      const auto server = co_await scripted(proxy, 1080, answering(exchanges, answering_options));
      const Tcp::Connect_error error = co_await error_by(by_proxy(options), {.timeout = 10s});
      EXPECT_EQ(error.kind(), Kind::Proxy) << error.what();
      what = error.what();
      co_await Clock::after(20s);
      EXPECT_EQ(server.num_connections(), 0) << what;  // it is closed, whatever went wrong
      co_await server.close();
    });
    return what;
  }
};

TEST(Socks5, connects_by_the_proxy_which_looks_up_the_name) {
  Simulation simulation;
  const Host proxy = simulation.host("proxy");
  const Host far = simulation.host("far.away");
  simulation.run([&]() -> Deferred<> {
    const auto asked = no_requests();
    co_await echo_server(far, 7);
    co_await scripted(proxy, 1080, socks5_proxy(asked));
    const auto route = by_proxy();
    EXPECT_EQ(co_await ask(Tcp::to_host_and_port("far.away", 7), "hello", {.via = route}), "hello");
    const auto v4 = Tcp::to_inet_address(Address::Inet(far.addrs()[0], 7));
    const auto v6 = Tcp::to_inet_address(Address::Inet(far.addrs()[1], 7));
    EXPECT_EQ(co_await ask(v4, "by IPv4", {.via = route}), "by IPv4");
    EXPECT_EQ(co_await ask(v6, "by IPv6", {.via = route}), "by IPv6");
    EXPECT_THAT(*asked, ElementsAre("far.away 7", to_string(far.addrs()[0]) + " 7",
                                    to_string(far.addrs()[1]) + " 7"));
  });
}

TEST(Socks5, a_name_that_only_the_proxy_knows_is_never_looked_up_here) {
  Simulation simulation;
  const Host proxy = simulation.host("proxy");
  simulation.set_name("far.away", {}, {.error = Name_error::No_name});
  simulation.run([&]() -> Deferred<> {
    const auto heard = std::make_shared<std::string>();
    co_await scripted(proxy, 1080,
                      answering({{3, no_authentication}, {size_of_request, connected + "hi\n"}},
                                {.hangs_up = false, .heard = heard}));
    EXPECT_EQ(co_await ask(Tcp::to_host_and_port("far.away", 258), "?", {.via = by_proxy()}), "hi");
    EXPECT_EQ(*heard,
              "\x05\x01\x00\x05\x01\x00\x03\x08"
              "far.away\x01\x02?\n"s);
  });
}

TEST(Socks5, with_names_looked_up_here_tries_each_address_in_turn) {
  Simulation simulation;
  const Host proxy = simulation.host("proxy");
  const Host far = simulation.host("far");
  simulation.set_name("far.away", {Inet_addr::of_string("192.0.2.1"), far.addrs()[0]});
  simulation.run([&]() -> Deferred<> {
    const auto asked = no_requests();
    co_await echo_server(far, 7);
    co_await scripted(proxy, 1080, [&](Reader reader, Writer writer) -> Deferred<> {
      if (!asked->empty()) co_return co_await socks5_proxy(asked)(reader, writer);
      asked->push_back("the first");
      co_await answering({{3, no_authentication}, {10, "\x05\x04\x00\x01"s}})(reader, writer);
    });
    const auto route = by_proxy({.resolve = Tcp::Proxy::Resolve::Here});
    EXPECT_EQ(co_await ask(Tcp::to_host_and_port("far.away", 7), "hello", {.via = route}), "hello");
    EXPECT_THAT(*asked, ElementsAre("the first", to_string(far.addrs()[0]) + " 7"));
  });
}

TEST(Socks5, a_name_that_is_not_found_here_is_an_error_of_name_resolution) {
  Simulation simulation;
  simulation.host("proxy");
  simulation.set_name("far.away", {}, {.delay = 1s, .error = Name_error::No_name});
  simulation.run([&]() -> Deferred<> {
    const auto route = by_proxy({.resolve = Tcp::Proxy::Resolve::Here});
    const auto error = co_await error_by(route);
    EXPECT_EQ(error.kind(), Kind::Name_resolution);
    EXPECT_THAT(error.what(), HasSubstr("cannot connect to far.away:7: "));
    EXPECT_EQ((co_await error_by(route, {.timeout = 500ms})).kind(), Kind::Timed_out);
    EXPECT_EQ((co_await error_by(route, {.interrupt = Clock::after(500ms)})).kind(),
              Kind::Interrupted);
  });
}

TEST(Socks5, sends_username_and_password_if_the_proxy_asks_for_them) {
  Simulation simulation;
  const Host proxy = simulation.host("proxy");
  simulation.run([&]() -> Deferred<> {
    const auto heard = std::make_shared<std::string>();
    co_await scripted(
        proxy, 1080,
        answering(
            {{4, "\x05\x02"s}, {3 + 2 + 6, "\x01\x00"s}, {size_of_request, connected + "hi\n"}},
            {.heard = heard}));
    const auto route = by_proxy({.username = "me", .password = "secret"});
    EXPECT_EQ(co_await ask(Tcp::to_host_and_port("far.away", 7), "?", {.via = route}), "hi");
    EXPECT_THAT(*heard, HasSubstr("\x05\x02\x00\x02\x01\x02me\x06secret\x05\x01"s));
  });
}

TEST(Socks5, keeps_them_to_itself_if_the_proxy_does_not_ask) {
  Simulation simulation;
  const Host proxy = simulation.host("proxy");
  simulation.run([&]() -> Deferred<> {
    const auto heard = std::make_shared<std::string>();
    co_await scripted(proxy, 1080,
                      answering({{4, no_authentication}, {size_of_request, connected + "hi\n"}},
                                {.heard = heard}));
    const auto route = by_proxy({.username = "me", .password = "secret"});
    EXPECT_EQ(co_await ask(Tcp::to_host_and_port("far.away", 7), "?", {.via = route}), "hi");
    EXPECT_THAT(*heard, Not(HasSubstr("secret")));
  });
}

TEST(Socks5, username_and_password_have_1_to_255_bytes) {
  const std::string long_one(256, 'x');
  EXPECT_THROW(by_proxy({.username = "me"}), std::invalid_argument);
  EXPECT_THROW(by_proxy({.password = "secret"}), std::invalid_argument);
  EXPECT_THROW(by_proxy({.username = long_one, .password = "secret"}), std::invalid_argument);
  EXPECT_THROW(by_proxy({.username = "me", .password = long_one}), std::invalid_argument);
  by_proxy({.username = std::string(255, 'x'), .password = std::string(255, '\0')});
}

TEST(Socks5, each_refusal_has_a_clear_error) {
  Replying proxy;
  const std::vector<std::string> reasons = {"the proxy has failed",
                                            "its rules do not allow that",
                                            "the network is unreachable",
                                            "the host is unreachable",
                                            "the connection was refused",
                                            "the time to live has expired",
                                            "it does not know that command",
                                            "it does not know that type of address",
                                            "unknown reply 9"};
  for (std::size_t i = 0; i < reasons.size(); ++i) {
    const std::string reply = {5, static_cast<char>(i + 1)};
    EXPECT_EQ(proxy.error_after(reply + "\x00\x01\x00\x00\x00\x00\x00\x00"s),
              "cannot connect to far.away:7: the SOCKS5 proxy proxy:1080 cannot connect to "
              "far.away:7: " +
                  reasons[i]);
  }
  EXPECT_THAT(proxy.error_after("\x05\xff"), HasSubstr("unknown reply 255"));
}

TEST(Socks5, malformed_answers_are_errors) {
  Replying proxy;
  EXPECT_THAT(proxy.error_with({{3, "\x04\x00"s}}), HasSubstr("answers in another protocol"));
  EXPECT_THAT(proxy.error_with({{3, "HTTP/1.1 400 Bad Request\r\n"}}),
              HasSubstr("answers in another protocol"));
  EXPECT_THAT(proxy.error_with({{3, "\x05\xff"}}), HasSubstr("without authentication"));
  EXPECT_THAT(proxy.error_with({{3, "\x05\x02"}}), HasSubstr("was not offered"));
  EXPECT_THAT(proxy.error_with({{3, "\x05\x01"}}), HasSubstr("was not offered"));
  EXPECT_THAT(proxy.error_after("\x04\x00\x00\x01"s), HasSubstr("answers in another protocol"));
  EXPECT_THAT(proxy.error_after("\x05\x00\x00\x00"s), HasSubstr("unknown type of address"));
  EXPECT_THAT(proxy.error_after("\x05\x00\x00\x02"s), HasSubstr("unknown type of address"));
  EXPECT_THAT(proxy.error_after("\x05\x00\x00\x05"s), HasSubstr("unknown type of address"));
}

TEST(Socks5, malformed_answers_to_username_and_password_are_errors) {
  Replying proxy;
  const Tcp::Proxy::Socks5_options mine = {.username = "me", .password = "secret"};
  const auto error = [&](std::string greeting, std::string verdict) {
    return proxy.error_with({{4, std::move(greeting)}, {11, std::move(verdict)}}, {}, mine);
  };
  EXPECT_THAT(
      error("\x05\x02", "\x01\x01"),
      AllOf(HasSubstr("does not accept the username and password"), Not(HasSubstr("secret"))));
  EXPECT_THAT(error("\x05\x02", "\x05\x00"s), HasSubstr("answers in another protocol"));
  EXPECT_THAT(error("\x05\x02", "\x01"), HasSubstr("closed the connection in the middle"));
  EXPECT_THAT(error("\x05\xff", ""), HasSubstr("takes neither"));
  EXPECT_THAT(error("\x05\x03", ""), HasSubstr("was not offered"));
}

TEST(Socks5, an_answer_that_is_cut_off_anywhere_is_an_error) {
  Replying proxy;
  for (const std::string& reply : {connected, "\x05\x00\x00\x03\x02hi\x00\x07"s,
                                   "\x05\x00\x00\x04"s + std::string(18, '\0')}) {
    for (std::size_t i = 0; i < reply.size(); ++i) {
      EXPECT_THAT(proxy.error_after(reply.substr(0, i)),
                  HasSubstr("the SOCKS5 proxy proxy:1080 closed the connection in the middle"))
          << i;
    }
  }
  EXPECT_THAT(proxy.error_with({}), HasSubstr("proxy:1080"));
  EXPECT_THAT(proxy.error_with({{3, "\x05"}}), HasSubstr("closed the connection in the middle"));
}

TEST(Socks5, takes_whatever_address_the_proxy_says_and_nothing_of_what_comes_then) {
  Simulation simulation;
  const Host proxy = simulation.host("proxy");
  simulation.run([&]() -> Deferred<> {
    int port = 1080;
    for (const std::string& reply : {connected, "\x05\x00\x00\x03\x00\x00\x07"s,
                                     "\x05\x00\x00\x03\xff"s + std::string(257, 'x'),
                                     "\x05\x00\x00\x04"s + std::string(18, '\0')}) {
      for (const Span between : {Span(), Span(10ms)}) {
        co_await scripted(proxy, ++port,
                          answering({{3, no_authentication}, {size_of_request, reply + "hello\n"}},
                                    {.between_bytes = between}));
        const auto route = Tcp::Proxy::socks5(Tcp::to_host_and_port("proxy", port));
        EXPECT_EQ(co_await ask(Tcp::to_host_and_port("far.away", 7), "?", {.via = route}), "hello");
      }
    }
  });
}

TEST(Socks5, what_no_proxy_can_be_asked_for_is_an_error) {
  Simulation simulation;
  const Host proxy = simulation.host("proxy");
  simulation.run([&]() -> Deferred<> {
    const auto error = [](auto where) -> Deferred<std::string> {
      const auto e =
          co_await error_of<Tcp::Connect_error>(Tcp::connect(where, {.via = by_proxy()}));
      EXPECT_EQ(e->kind(), Kind::Proxy);
      co_return e->what();
    };
    EXPECT_THAT(co_await error(Tcp::to_file("/tmp/socket")), HasSubstr("unix socket"));
    EXPECT_THAT(co_await error(Tcp::to_host_and_port("fe80::1%7", 7)),
                HasSubstr("of a network of this machine"));
    for (const std::string& name :
         {"a b"s, "a\r\nb"s, "a\x7f"s, "a/b"s, "a:b"s, std::string(256, 'a')}) {
      EXPECT_THAT(co_await error(Tcp::to_host_and_port(name, 7)), HasSubstr("no name of a host"));
    }
    EXPECT_EQ(co_await error(Tcp::to_host_and_port("a\0b"s, 7)), "cannot connect to a");
    EXPECT_EQ(simulation.trace(), "");  // nobody was asked
  });
}

}  // namespace
}  // namespace async
