// Proxies behind one another, and how connecting by them is ended from outside.

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
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::Host;
using testing::Simulation;
using Kind = Tcp::Connect_error::Kind;
using Tcp::Proxy::http_connect;
using Tcp::Proxy::socks5;

/// Three proxies, the first of which is near.
struct Proxies {
  Simulation simulation;
  const Host a = simulation.host("a");
  const Host b = simulation.host("b");
  const Host c = simulation.host("c");
  const Host far = simulation.host("far.away");
  const std::shared_ptr<std::vector<std::string>> asked_a = no_requests();
  const std::shared_ptr<std::vector<std::string>> asked_b = no_requests();
  const std::shared_ptr<std::vector<std::string>> asked_c = no_requests();
  const std::shared_ptr<const Tcp::Route> by_a = socks5(Tcp::to_host_and_port("a", 1080));
  const std::shared_ptr<const Tcp::Route> by_b =
      http_connect(Tcp::to_host_and_port("b", 3128), {.via = by_a});
  const std::shared_ptr<const Tcp::Route> by_c =
      socks5(Tcp::to_host_and_port("c", 1080), {.via = by_b});

  Deferred<> start() {
    co_await scripted(a, 1080, socks5_proxy(asked_a));
    co_await scripted(b, 3128, http_proxy(asked_b));
    co_await scripted(c, 1080, socks5_proxy(asked_c));
    co_await echo_server(far, 7);
  }
};

TEST(Proxies, can_be_behind_one_another) {
  Proxies proxies;
  proxies.simulation.run([&]() -> Deferred<> {
    co_await proxies.start();
    const auto where = Tcp::to_host_and_port("far.away", 7);
    EXPECT_EQ(co_await ask(where, "two", {.via = proxies.by_b}), "two");
    EXPECT_EQ(co_await ask(where, "three", {.via = proxies.by_c}), "three");
    EXPECT_THAT(*proxies.asked_a, ElementsAre("b 3128", "b 3128"));
    EXPECT_THAT(*proxies.asked_b,
                ElementsAre("CONNECT far.away:7 HTTP/1.1", "CONNECT c:1080 HTTP/1.1"));
    EXPECT_THAT(*proxies.asked_c, ElementsAre("far.away 7"));
  });
}

TEST(Proxies, carry_much_both_ways) {
  Proxies proxies;
  proxies.simulation.run([&]() -> Deferred<> {
    co_await proxies.start();
    const std::string much(3'000'000, 'x');
    const std::string back = co_await Tcp::with_connection(
        Tcp::to_host_and_port("far.away", 7), {.via = proxies.by_c},
        [&](auto, Reader reader, Writer writer) -> Deferred<std::string> {
          writer.write(much);
          writer.shutdown_send();
          co_return co_await reader.contents();
        });
    EXPECT_EQ(back, much);
  });
}

TEST(Proxies, an_error_says_which_of_them_it_was) {
  Proxies proxies;
  proxies.simulation.run([&]() -> Deferred<> {
    co_await scripted(proxies.a, 1080, socks5_proxy(proxies.asked_a));
    co_await scripted(proxies.b, 3128, answering({{1, "HTTP/1.1 403 Forbidden\r\n\r\n"}}));
    const auto error = co_await error_by(proxies.by_c);
    EXPECT_EQ(error.kind(), Kind::Proxy);
    EXPECT_STREQ(
        error.what(),
        "cannot connect to far.away:7: the SOCKS5 proxy c:1080: the HTTP proxy b:3128 does "
        "not connect to c:1080: HTTP/1.1 403 Forbidden");
  });
}

TEST(Proxies, that_cannot_be_reached_are_an_error_of_the_proxy_and_not_of_the_target) {
  Simulation simulation;
  simulation.host("a");
  simulation.set_name("b", {}, {.error = Name_error::No_name});
  simulation.run([&]() -> Deferred<> {
    const auto refused = co_await error_by(socks5(Tcp::to_host_and_port("a", 1080)));
    EXPECT_EQ(refused.kind(), Kind::Proxy);
    EXPECT_THAT(refused.what(), HasSubstr("cannot connect to far.away:7: the SOCKS5 proxy a:1080: "
                                          "cannot connect to a:1080: "));
    EXPECT_THAT(refused.what(), HasSubstr("refused"));
    const auto unknown = co_await error_by(http_connect(Tcp::to_host_and_port("b", 3128)));
    EXPECT_EQ(unknown.kind(), Kind::Proxy);
    EXPECT_THAT(unknown.what(), HasSubstr("the HTTP proxy b:3128: cannot connect to b:3128: "));
  });
}

/// How connecting ends when a proxy falls silent after `exchanges`: by the time, or an interrupt.
void ends_in_time(const std::function<std::shared_ptr<const Tcp::Route>()>& route,
                  std::vector<Exchange> exchanges, Answering_options options = {}) {
  Simulation simulation;
  const Host proxy = simulation.host("proxy");
  options.hangs_up = false;
  simulation.run([&]() -> Deferred<> {
    const auto server = co_await scripted(proxy, 1080, answering(exchanges, options));
    const Time_ns start = Clock::now();
    const auto late = co_await error_by(route(), {.timeout = 5s});
    EXPECT_EQ(late.kind(), Kind::Timed_out) << late.what();
    EXPECT_EQ(Clock::now(), start + 5s);
    const auto interrupted = co_await error_by(route(), {.interrupt = Clock::after(3s)});
    EXPECT_EQ(interrupted.kind(), Kind::Interrupted) << interrupted.what();
    EXPECT_EQ(Clock::now(), start + 8s);
    co_await Clock::after(1h);
    EXPECT_EQ(server.counts().accepted, 2U);
    EXPECT_EQ(server.num_connections(), 0);
  });
}

TEST(Proxies, that_fall_silent_are_given_up_in_every_phase) {
  const auto by_socks = [] { return socks5(Tcp::to_host_and_port("proxy", 1080)); };
  const auto with_password = [] {
    return socks5(Tcp::to_host_and_port("proxy", 1080), {.username = "me", .password = "secret"});
  };
  const auto by_http = [] { return http_connect(Tcp::to_host_and_port("proxy", 1080)); };
  ends_in_time(by_socks, {});
  ends_in_time(by_socks, {{3, "\x05"}});
  ends_in_time(by_socks, {{3, "\x05\x00"s}});
  ends_in_time(by_socks, {{3, "\x05\x00\x05"s}});
  ends_in_time(by_socks, {{3, "\x05\x00\x05\x00"s}});
  ends_in_time(by_socks, {{3, "\x05\x00\x05\x00\x00\x01\x00\x00\x00\x00\x00"s}});
  ends_in_time(by_socks, {{3, "\x05\x00\x05\x00\x00\x03"s}});
  ends_in_time(with_password, {{3, "\x05\x02"}});
  ends_in_time(with_password, {{3, "\x05\x02\x01"}});
  ends_in_time(by_http, {});
  ends_in_time(by_http, {{1, "HTTP/1.1 200 OK\r\n"}});
  ends_in_time(by_http, {{1, "HTTP/1.1 200 OK\r\nA: b\r\n\r"}});
  ends_in_time(by_http, {{1, "HTTP/1.1 100 Continue\r\n\r\n"}});
  // A byte now and then does not gain it any time.
  ends_in_time(by_http, {{1, std::string(1000, 'x')}}, {.between_bytes = 1s});
  ends_in_time(by_socks, {{3, "\x05\x00\x05\x00\x00\x03\xff"s + std::string(255, 'x')}},
               {.between_bytes = 500ms});
}

TEST(Proxies, that_are_slow_to_reach_or_to_find_are_given_up) {
  Simulation simulation;
  const Host a = simulation.host("a");
  simulation.set_name("slow", a.addrs(), {.delay = 1h});
  simulation.set_delay(simulation.host("localhost"), a, 1h);
  simulation.run([&]() -> Deferred<> {
    const Time_ns start = Clock::now();
    for (const std::string& name : {"a"s, "slow"s}) {
      const auto route = socks5(Tcp::to_host_and_port(name, 1080));
      EXPECT_EQ((co_await error_by(route, {.timeout = 5s})).kind(), Kind::Timed_out);
      EXPECT_EQ((co_await error_by(route, {.interrupt = Clock::after(5s)})).kind(),
                Kind::Interrupted);
      EXPECT_EQ((co_await error_by(route, {.interrupt = determined()})).kind(), Kind::Interrupted);
    }
    EXPECT_EQ(Clock::now(), start + 20s);
  });
}

TEST(Proxies, behind_others_are_under_the_same_deadline_and_interrupt) {
  Proxies proxies;
  proxies.simulation.run([&]() -> Deferred<> {
    co_await scripted(proxies.a, 1080, socks5_proxy(proxies.asked_a));
    const auto b = co_await scripted(proxies.b, 3128, http_proxy(proxies.asked_b));
    co_await scripted(proxies.c, 1080, answering({{3, "\x05"}}, {.hangs_up = false}));
    const Time_ns start = Clock::now();
    EXPECT_EQ((co_await error_by(proxies.by_c, {.timeout = 5s})).kind(), Kind::Timed_out);
    EXPECT_EQ(Clock::now(), start + 5s);
    EXPECT_EQ((co_await error_by(proxies.by_c, {.interrupt = Clock::after(2s)})).kind(),
              Kind::Interrupted);
    EXPECT_EQ(Clock::now(), start + 7s);
    co_await Clock::after(5s);
    EXPECT_EQ(b.num_connections(), 0);
  });
}

TEST(Proxies, connecting_by_one_may_be_under_way_when_the_scheduler_ends) {
  Simulation simulation;
  const Host proxy = simulation.host("proxy");
  simulation.run([&]() -> Deferred<> {
    co_await scripted(proxy, 1080, answering({{3, "\x05"}}, {.hangs_up = false}));
    const auto where = Tcp::to_host_and_port("proxy", 1080);
    dont_wait_for(Tcp::connect(where, {.via = socks5(where)}).map([](auto) {}));
    dont_wait_for(Tcp::connect(where, {.via = http_connect(where)}).map([](auto) {}));
    co_await Clock::after(1s);
  });
}

TEST(Proxies, a_connection_that_nobody_waits_for_any_more_is_closed) {
  Simulation simulation;
  const Host proxy = simulation.host("proxy");
  simulation.run([&]() -> Deferred<> {
    const auto server = co_await scripted(
        proxy, 1080, answering({{1, "HTTP/1.1 200 OK\r\n\r\nmore"}}, {.hangs_up = false}));
    {
      const auto dropped =
          Tcp::connect(Tcp::to_host_and_port("far.away", 7),
                       {.via = http_connect(Tcp::to_host_and_port("proxy", 1080))});
    }
    co_await Clock::after(1min);
    EXPECT_EQ(server.counts().accepted, 1U);
    EXPECT_EQ(server.num_connections(), 0);
  });
}

}  // namespace
}  // namespace async
