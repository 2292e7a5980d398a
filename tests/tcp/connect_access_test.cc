// Access when connecting: asked with addresses, once names are resolved.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "async/testing/simulation.h"
#include "tcp/tcp.h"
#include "tests/support/echo_server.h"

namespace async {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::Host;
using ::testing::IsEmpty;
using ::testing::Not;
using testing::Simulation;
using Kind = Tcp::Connect_error::Kind;

Cidr range(const char* text) { return Cidr::of_string(text); }
Inet_addr addr(const char* text) { return Inet_addr::of_string(text); }

std::vector<std::string> texts(const std::vector<Tcp::Connect_error::Attempt>& attempts) {
  std::vector<std::string> result;
  for (const auto& one : attempts)
    result.push_back(to_string(one.address) + " " + one.code.message());
  return result;
}

TEST(Access, permits_what_is_allowed_and_not_denied) {
  const Tcp::Access all;
  const Tcp::Access some{.allowed = {range("10.0.0.0/8"), range("fd00::/8")},
                         .denied = {range("10.1.0.0/16")}};
  EXPECT_TRUE(all.permits(addr("192.0.2.1")));
  EXPECT_TRUE(some.permits(addr("10.2.0.1")));
  EXPECT_TRUE(some.permits(addr("fd00::1")));
  EXPECT_FALSE(some.permits(addr("10.1.0.1")));
  EXPECT_FALSE(some.permits(addr("192.0.2.1")));
  EXPECT_FALSE(some.permits(addr("2001:db8::1")));
  EXPECT_TRUE(some.permits(Address::Any(Address::Unix("/run/socket"))));
  // Written as an IPv6 address, an IPv4 one is still that.
  EXPECT_FALSE(some.permits(addr("::ffff:10.1.0.1")));
  EXPECT_TRUE(some.permits(addr("::ffff:10.2.0.1")));
}

TEST(Access, narrowed_by_another_permits_what_both_do) {
  const Tcp::Access policies[] = {
      {},
      {.allowed = {range("10.0.0.0/8"), range("fd00::/8")}},
      {.allowed = {range("10.1.0.0/16")}},
      {.allowed = {range("192.0.2.0/24")}},
      {.denied = {range("10.1.2.0/24"), range("::/0")}},
      {.allowed = {range("0.0.0.0/0")}, .denied = {range("10.0.0.1")}},
  };
  const char* addrs[] = {"10.0.0.1",    "10.1.0.1", "10.1.2.3",    "10.2.0.1",       "192.0.2.1",
                         "203.0.113.1", "fd00::1",  "2001:db8::1", "::ffff:10.1.2.3"};
  for (const auto& a : policies) {
    for (const auto& b : policies) {
      const Tcp::Access both = a.narrowed_by(b);
      for (const char* text : addrs) {
        EXPECT_EQ(both.permits(addr(text)), a.permits(addr(text)) && b.permits(addr(text))) << text;
      }
      for (const auto& c : policies) {
        for (const char* text : addrs) {
          EXPECT_EQ(both.narrowed_by(c).permits(addr(text)),
                    both.permits(addr(text)) && c.permits(addr(text)));
        }
      }
    }
  }
}

TEST(Access, that_a_name_tries_to_get_round_is_asked_with_its_addresses) {
  Simulation simulation;
  const Host inside = simulation.host("inside", {addr("10.1.0.1"), addr("10.1.0.2")});
  simulation.set_name("innocent.example", inside.addrs());
  simulation.run([&]() -> Deferred<> {
    const auto server = co_await echo_server(inside, 7);
    const Tcp::Access outside_only{.denied = {range("10.0.0.0/8")}};
    const auto where = Tcp::to_host_and_port("innocent.example", 7);
    EXPECT_EQ(co_await ask(where, "hello"), "hello");
    const auto error =
        co_await error_of<Tcp::Connect_error>(Tcp::connect(where, {.access = outside_only}));
    EXPECT_EQ(error->kind(), Kind::Forbidden);
    EXPECT_EQ(error->code(), Tcp::access_denied());
    EXPECT_EQ(error->code(), std::errc::permission_denied);
    EXPECT_THAT(texts(error->attempts()),
                ElementsAre("10.1.0.1:7 permission denied by access policy",
                            "10.1.0.2:7 permission denied by access policy"));
    EXPECT_EQ(server.counts().accepted, 1U);
    const auto numeric = co_await error_of<Tcp::Connect_error>(
        Tcp::connect(Tcp::to_host_and_port("10.1.0.1", 7), {.access = outside_only}));
    EXPECT_EQ(numeric->kind(), Kind::Forbidden);
    EXPECT_STREQ(numeric->what(),
                 "cannot connect to 10.1.0.1:7: permission denied by access policy");
  });
}

TEST(Access, that_denies_some_addresses_leaves_the_others) {
  Simulation simulation;
  const Host server = simulation.host("server", {addr("192.0.2.1")});
  simulation.set_name("name", {addr("10.1.0.1"), addr("10.1.0.2"), addr("192.0.2.1")});
  simulation.run([&]() -> Deferred<> {
    co_await echo_server(server, 7);
    const Tcp::Connect_options options{.access = {.denied = {range("10.0.0.0/8")}}};
    const auto where = Tcp::to_host_and_port("name", 7);
    const Time_ns start = Clock::now();
    const auto socket = co_await Tcp::connect_sock(where, options);
    EXPECT_EQ(Clock::now(), start + 2ms);  // the next one is tried at once
    co_await socket.abort();
    // What else has failed says more.
    const auto refused = co_await error_of<Tcp::Connect_error>(
        Tcp::connect(Tcp::to_host_and_port("name", 8), options));
    EXPECT_EQ(refused->kind(), Kind::Refused);
    EXPECT_EQ(refused->attempts().size(), 3U);
  });
  EXPECT_THAT(simulation.trace(), Not(HasSubstr("10.1.0.")));
}

TEST(Access, is_asked_each_time_as_the_answer_may_have_changed) {
  Simulation simulation;
  const Host good = simulation.host("good", {addr("192.0.2.1")});
  const Host bad = simulation.host("bad", {addr("10.1.0.1")});
  simulation.set_name("rebinds", good.addrs());
  simulation.run([&]() -> Deferred<> {
    co_await echo_server(good, 7);
    const auto server = co_await echo_server(bad, 7);
    const Tcp::Connect_options options{.access = {.allowed = {range("192.0.2.0/24")}}};
    const auto where = Tcp::to_host_and_port("rebinds", 7);
    EXPECT_EQ(co_await ask(where, "hello", options), "hello");
    simulation.set_name("rebinds", bad.addrs());
    EXPECT_EQ((co_await error_of<Tcp::Connect_error>(ask(where, "hello", options)))->kind(),
              Kind::Forbidden);
    EXPECT_EQ(server.counts().accepted, 0U);
  });
}

/// Goes to "proxy".
class Proxy final : public Tcp::Route {
 public:
  Deferred<std::unique_ptr<Transport>> reach(Tcp::Target, const Connect& connect,
                                             const Tcp::Stop&) const override {
    return connect(Tcp::Host_and_port{"proxy", 8080});
  }
};

TEST(Access, of_a_route_is_asked_with_the_addresses_that_it_connects_to) {
  Simulation simulation;
  const Host proxy = simulation.host("proxy", {addr("10.1.0.1")});
  simulation.run([&]() -> Deferred<> {
    co_await echo_server(proxy, 8080);
    const auto where = Tcp::to_host_and_port("far.example", 7);
    Tcp::Connect_options options{.via = std::make_shared<Proxy>(),
                                 .access = {.allowed = {range("10.0.0.0/8")}}};
    EXPECT_EQ(co_await ask(where, "hello", options), "hello");
    options.access = {.denied = {range("10.0.0.0/8")}};
    const auto error = co_await error_of<Tcp::Connect_error>(Tcp::connect(where, options));
    EXPECT_EQ(error->kind(), Kind::Forbidden);
    EXPECT_THAT(texts(error->attempts()),
                ElementsAre("10.1.0.1:8080 permission denied by access policy"));
  });
}

TEST(Access, that_denies_this_machine_denies_its_other_names) {
  Simulation simulation;
  simulation.run([&]() -> Deferred<> {
    const auto server = co_await Tcp::Server::create(Tcp::on_port(7), echo_handler);
    const Tcp::Connect_options options{.access = {.denied = {range("127.0.0.0/8"), range("::1")}}};
    for (const char* host :
         {"127.0.0.1", "0.0.0.0", "::1", "::", "::ffff:127.0.0.1", "::ffff:0.0.0.0", "localhost"}) {
      const auto error = co_await error_of<Tcp::Connect_error>(
          Tcp::connect(Tcp::to_host_and_port(host, 7), options));
      EXPECT_EQ(error->kind(), Kind::Forbidden) << host;
    }
    EXPECT_EQ(server.counts().accepted, 0U);
  });
}

TEST(Access, has_nothing_to_say_about_unix_sockets) {
  Simulation simulation;
  simulation.run([&]() -> Deferred<> {
    const auto server = co_await Tcp::Server::create(
        Tcp::on_file("/run/echo"),
        [](const Address::Unix&, Reader reader, Writer writer) { return echo(reader, writer); });
    const Tcp::Connect_options options{.access = {.denied = {range("0.0.0.0/0"), range("::/0")}}};
    EXPECT_EQ(co_await ask(Tcp::to_file("/run/echo"), "hello", options), "hello");
  });
}

}  // namespace
}  // namespace async
