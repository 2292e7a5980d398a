// Proxies by URL, and those that the environment names.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "tests/proxy/proxies.h"

namespace async {
namespace {

using namespace std::string_literals;
using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::Host;
using ::testing::Not;
using testing::Simulation;

using Variables = std::map<std::string, std::string>;

std::shared_ptr<const Tcp::Route> from(const Variables& variables) {
  return Tcp::Proxy::from_environment([&](const std::string& name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  });
}

/// Where the connection goes that a route makes first, for `target`.
std::string first_hop(const std::shared_ptr<const Tcp::Route>& route, const Tcp::Target& target) {
  std::string hop;
  Simulation().run([&]() -> Deferred<> {
    const Tcp::Stop stop(std::chrono::seconds(1), never());
    const Tcp::Route::Connect connect = [&](Tcp::Target to) {
      hop = to_string(to);
      return failed<std::unique_ptr<Transport>>(Error(std::runtime_error("not in this test")));
    };
    co_await or_error(route->reach(target, connect, stop));
  });
  return hop;
}
std::string hop(const Variables& variables, std::string host, int port = 7) {
  return first_hop(from(variables), Tcp::Host_and_port{std::move(host), port});
}
std::string hop_to_address(const Variables& variables, const std::string& address) {
  return first_hop(from(variables), Address::Inet::of_string(address));
}

/// What making a route of `variables` complains of.
std::string complaint(const Variables& variables) {
  try {
    from(variables);
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "none";
}

TEST(Proxy_url, says_where_the_proxy_is) {
  const auto hop_of = [](const std::string& url) { return hop({{"all_proxy", url}}, "192.0.2.9"); };
  EXPECT_EQ(hop_of("socks5://proxy:9050"), "proxy:9050");
  EXPECT_EQ(hop_of("socks5h://proxy"), "proxy:1080");
  EXPECT_EQ(hop_of("http://proxy"), "proxy:80");
  EXPECT_EQ(hop_of("http://proxy:3128/"), "proxy:3128");
  EXPECT_EQ(hop_of("proxy:3128"), "proxy:3128");
  EXPECT_EQ(hop_of("http://192.0.2.1:3128"), "192.0.2.1:3128");
  EXPECT_EQ(hop_of("http://[2001:db8::1]:3128"), "[2001:db8::1]:3128");
  EXPECT_EQ(hop_of("socks5h://[2001:db8::1]"), "[2001:db8::1]:1080");
  EXPECT_EQ(hop_of("http://me:sec%40ret%3A@proxy:3128"), "proxy:3128");
  EXPECT_EQ(hop_of("http://me:p@ss@proxy:3128"), "proxy:3128");
}

TEST(Proxy_url, has_username_and_password_with_percents) {
  Simulation simulation;
  const Host proxy = simulation.host("proxy");
  simulation.run([&]() -> Deferred<> {
    const auto heard = std::make_shared<std::string>();
    co_await scripted(proxy, 80, answering({{0, ""}}, {.hangs_up = false, .heard = heard}));
    co_await or_error(
        Tcp::connect(Tcp::to_host_and_port("far.away", 7),
                     {.timeout = std::chrono::seconds(1),
                      .via = Tcp::Proxy::of_url("http://%41laddin:open%20sesame@proxy")}));
    EXPECT_THAT(*heard, HasSubstr("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n"));
  });
}

TEST(Proxy_url, of_socks5_looks_up_names_here_and_of_socks5h_there) {
  Simulation simulation;
  const Host proxy = simulation.host("proxy");
  const Host far = simulation.host("far.away");
  simulation.run([&]() -> Deferred<> {
    const auto asked = no_requests();
    co_await echo_server(far, 7);
    co_await scripted(proxy, 1080, socks5_proxy(asked));
    const auto where = Tcp::to_host_and_port("far.away", 7);
    for (const std::string& url : {"socks5://proxy"s, "socks5h://proxy"s}) {
      EXPECT_EQ(co_await ask(where, "hello", {.via = Tcp::Proxy::of_url(url)}), "hello");
    }
    EXPECT_NE(asked->at(0), "far.away 7");
    EXPECT_EQ(asked->at(1), "far.away 7");
  });
}

TEST(Proxy_url, that_is_none_is_refused_without_telling_what_it_was) {
  for (const std::string& url : {"ftp://secret@proxy"s,
                                 "https://me:secret@proxy"s,
                                 "http://"s,
                                 "http://:3128"s,
                                 "http://secret:secret@"s,
                                 "http://proxy:secret"s,
                                 "http://proxy:70000"s,
                                 "http://proxy:"s,
                                 "http://proxy:-1"s,
                                 "http://proxy:+1"s,
                                 "http://proxy:1/secret"s,
                                 "http://[secret]:1"s,
                                 "http://2001:db8::1:1"s,
                                 "http://me:secret%zz@proxy"s,
                                 "http://me:secret%4@proxy"s,
                                 "http://me:secret%@proxy"s,
                                 "socks5://secret@proxy"s,
                                 "http://me%3Asecret:x@proxy"s,
                                 "http://me:secret%0D%0A@proxy"s,
                                 "http://a secret:1"s,
                                 ""s}) {
    try {
      Tcp::Proxy::of_url(url);
      ADD_FAILURE() << url;
    } catch (const std::invalid_argument& error) {
      EXPECT_THAT(error.what(), Not(HasSubstr("secret"))) << url;
    }
  }
}

TEST(Proxies_of_the_environment, are_by_port) {
  const Variables all = {
      {"all_proxy", "socks5h://a"}, {"http_proxy", "http://b"}, {"https_proxy", "http://c"}};
  EXPECT_EQ(hop(all, "far.away", 7), "a:1080");
  EXPECT_EQ(hop(all, "far.away", 80), "b:80");
  EXPECT_EQ(hop(all, "far.away", 443), "c:80");
  EXPECT_EQ(hop_to_address(all, "192.0.2.1:443"), "c:80");
  const Variables only_all = {{"all_proxy", "socks5h://a"}};
  for (const int port : {7, 80, 443}) EXPECT_EQ(hop(only_all, "far.away", port), "a:1080");
  EXPECT_EQ(hop({{"https_proxy", "http://c"}}, "far.away", 7), "far.away:7");
  EXPECT_EQ(hop({}, "far.away", 443), "far.away:443");
  EXPECT_EQ(first_hop(from(all), Address::Unix("/tmp/socket")), "/tmp/socket");
}

TEST(Proxies_of_the_environment, are_in_small_letters_or_in_capitals) {
  EXPECT_EQ(hop({{"ALL_PROXY", "a"}}, "far.away"), "a:80");
  EXPECT_EQ(hop({{"HTTPS_PROXY", "a"}}, "far.away", 443), "a:80");
  EXPECT_EQ(hop({{"ALL_PROXY", "a"}, {"all_proxy", "b"}}, "far.away"), "b:80");
  EXPECT_EQ(hop({{"ALL_PROXY", "a"}, {"all_proxy", ""}}, "far.away"), "a:80");
  EXPECT_EQ(hop({{"ALL_PROXY", "a"}, {"NO_PROXY", "far.away"}}, "far.away"), "far.away:7");
}

TEST(Proxies_of_the_environment, are_never_what_a_client_sent_as_a_header) {
  EXPECT_EQ(hop({{"HTTP_PROXY", "evil"}}, "far.away", 80), "far.away:80");
}

TEST(Proxies_of_the_environment, are_asked_for_once) {
  int times = 0;
  const auto route = Tcp::Proxy::from_environment([&](const std::string&) {
    ++times;
    return std::nullopt;
  });
  const int after_making_it = times;
  EXPECT_EQ(first_hop(route, Tcp::Host_and_port{"far.away", 7}), "far.away:7");
  EXPECT_EQ(times, after_making_it);
}

TEST(Proxies_of_the_environment, are_those_of_the_process_by_default) {
  ASSERT_EQ(setenv("no_proxy", "far.away", 1), 0);
  EXPECT_EQ(Tcp::Proxy::process_environment("no_proxy"), "far.away");
  EXPECT_EQ(first_hop(Tcp::Proxy::from_environment(), Tcp::Host_and_port{"far.away", 7}),
            "far.away:7");
  ASSERT_EQ(unsetenv("no_proxy"), 0);
  EXPECT_EQ(Tcp::Proxy::process_environment("no_proxy"), std::nullopt);
}

TEST(Proxies_of_the_environment, that_are_none_are_refused_by_name) {
  EXPECT_THAT(complaint({{"all_proxy", "ftp://me:secret@a"}}),
              AllOf(HasSubstr("all_proxy"), Not(HasSubstr("secret"))));
  EXPECT_THAT(complaint({{"HTTPS_PROXY", "http://a:b"}}), HasSubstr("HTTPS_PROXY"));
  EXPECT_THAT(complaint({{"http_proxy", "http://a:b"}}), HasSubstr("http_proxy"));
  for (const std::string& text : {"a:b"s, "10.0.0.0/33"s, "a/8"s, "[::1"s, "a*b"s, "."s, "a:"s}) {
    EXPECT_THAT(complaint({{"no_proxy", text}}), HasSubstr("no_proxy")) << text;
  }
}

TEST(No_proxy, is_by_name) {
  const Variables all = {{"all_proxy", "a"}, {"no_proxy", "example.com, .org\t*.net,,Host."}};
  for (const std::string& name : {"example.com"s, "www.example.com"s, "WWW.EXAMPLE.COM"s,
                                  "example.com."s, "www.org"s, "a.b.net"s, "host"s, "x.host"s}) {
    EXPECT_EQ(hop(all, name), name + ":7");
  }
  for (const std::string& name : {"badexample.com"s, "example.com.evil"s, "com"s, "ahost"s}) {
    EXPECT_EQ(hop(all, name), "a:80") << name;
  }
}

TEST(No_proxy, is_by_address) {
  const Variables all = {{"all_proxy", "a"},
                         {"no_proxy", "192.0.2.1,10.0.0.0/8,2001:db8::/32 ::1"}};
  for (const std::string& address :
       {"192.0.2.1:7"s, "10.1.2.3:7"s, "[2001:db8::5]:7"s, "[::1]:7"s}) {
    EXPECT_EQ(hop_to_address(all, address), address);
  }
  EXPECT_EQ(hop_to_address(all, "192.0.2.2:7"), "a:80");
  EXPECT_EQ(hop_to_address(all, "[2001:db9::5]:7"), "a:80");
  EXPECT_EQ(hop(all, "10.1.2.3"), "10.1.2.3:7");  // a name that is an address
  EXPECT_EQ(hop({{"all_proxy", "a"}, {"no_proxy", "1"}}, "10.0.0.1"), "a:80");
}

TEST(No_proxy, is_by_port_if_it_has_one) {
  const Variables all = {{"all_proxy", "a"},
                         {"no_proxy", "example.com:8080,192.0.2.1:8080,[2001:db8::1]:8080"}};
  EXPECT_EQ(hop(all, "example.com", 8080), "example.com:8080");
  EXPECT_EQ(hop(all, "example.com", 7), "a:80");
  for (const std::string& host : {"192.0.2.1"s, "[2001:db8::1]"s}) {
    EXPECT_EQ(hop_to_address(all, host + ":8080"), host + ":8080");
    EXPECT_EQ(hop_to_address(all, host + ":7"), "a:80");
  }
}

TEST(No_proxy, is_everything_with_a_star) {
  const Variables all = {{"all_proxy", "a"}, {"no_proxy", "*"}};
  EXPECT_EQ(hop(all, "far.away"), "far.away:7");
  EXPECT_EQ(hop_to_address(all, "192.0.2.1:7"), "192.0.2.1:7");
}

}  // namespace
}  // namespace async
