// The addresses of a name: in which order, and when, they are tried.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "async/testing/simulation.h"
#include "tcp/dns/address_order.h"
#include "tcp/tcp.h"
#include "tests/support/captured_log.h"
#include "tests/support/echo_server.h"

namespace async {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::Host;
using ::testing::IsEmpty;
using testing::Simulation;
using Kind = Tcp::Connect_error::Kind;

Inet_addr addr(const char* text) { return Inet_addr::of_string(text); }

std::vector<Inet_addr> addrs(std::initializer_list<const char*> texts) {
  std::vector<Inet_addr> result;
  for (const char* text : texts) result.push_back(addr(text));
  return result;
}

std::vector<std::string> texts(const std::vector<Inet_addr>& all) {
  std::vector<std::string> result;
  for (const Inet_addr& one : all) result.push_back(to_string(one));
  return result;
}

/// "1s 10.0.0.1" for each attempt that is in the trace.
std::vector<std::string> attempts_in(const std::string& trace) {
  std::vector<std::string> result;
  std::istringstream lines(trace);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string time, what, host, from, arrow, to;
    words >> time >> what >> host >> from >> arrow >> to;
    if (what == "connect") result.push_back(time + " " + to);
  }
  return result;
}

/// A simulation in which nobody answers at `silent`.
struct Silence {
  explicit Silence(std::initializer_list<const char*> silent) {
    simulation.set_delay(simulation.host("localhost"), simulation.host("silent", addrs(silent)),
                         1h);
  }
  Simulation simulation;
};

TEST(Happy_eyeballs, tries_the_next_address_after_a_quarter_of_a_second) {
  Silence world({"10.1.0.1", "10.1.0.2", "10.1.0.3"});
  world.simulation.run([&]() -> Deferred<> {
    const auto error = co_await error_of<Tcp::Connect_error>(
        Tcp::connect(Tcp::to_host_and_port("silent", 7), {.timeout = 10s}));
    EXPECT_EQ(error->kind(), Kind::Timed_out);
    EXPECT_THAT(error->attempts(), IsEmpty());  // none has failed
  });
  EXPECT_THAT(attempts_in(world.simulation.trace()),
              ElementsAre("0s 10.1.0.1:7", "250ms 10.1.0.2:7", "500ms 10.1.0.3:7"));
}

TEST(Happy_eyeballs, tries_ipv6_and_ipv4_in_turn) {
  Silence world({"10.1.0.1", "10.1.0.2", "10.1.0.3", "fd00:1::1", "fd00:1::2"});
  world.simulation.run([&]() -> Deferred<> {
    co_await or_error(Tcp::connect(Tcp::to_host_and_port("silent", 7), {.timeout = 10s}));
  });
  const auto attempts = attempts_in(world.simulation.trace());
  std::vector<std::string> order;
  for (const std::string& one : attempts) order.push_back(one.substr(one.find(' ') + 1));
  EXPECT_EQ(order.size(), 5U);
  std::string families;
  for (const std::string& one : order) families += one[0] == '[' ? '6' : '4';
  EXPECT_TRUE(families == "64644" || families == "46464" || families == "46644") << families;
}

TEST(Happy_eyeballs, tries_the_next_address_at_once_when_one_has_failed) {
  Simulation simulation;
  simulation.host("refuses", addrs({"10.1.0.1", "10.1.0.2"}));
  const Host server = simulation.host("server", addrs({"10.2.0.1"}));
  simulation.set_name("name", addrs({"10.1.0.1", "10.1.0.2", "10.2.0.1", "10.3.0.1"}));
  simulation.run([&]() -> Deferred<> {
    co_await echo_server(server, 7);
    EXPECT_EQ(co_await ask(Tcp::to_host_and_port("name", 7), "hello"), "hello");
  });
  EXPECT_THAT(attempts_in(simulation.trace()),
              ElementsAre("0s 10.1.0.1:7", "2ms 10.1.0.2:7", "4ms 10.2.0.1:7"));
}

TEST(Happy_eyeballs, tries_the_next_address_at_once_when_there_is_no_way_to_one) {
  Simulation simulation;
  const Host server = simulation.host("server", addrs({"10.2.0.1"}));
  simulation.set_name("name", addrs({"10.3.0.1", "10.3.0.2", "10.2.0.1"}));
  simulation.run([&]() -> Deferred<> {
    co_await echo_server(server, 7);
    const Time_ns start = Clock::now();
    const auto socket = co_await Tcp::connect_sock(Tcp::to_host_and_port("name", 7));
    EXPECT_EQ(Clock::now(), start + 2ms);
    co_await socket.abort();
  });
}

TEST(Happy_eyeballs, takes_the_first_connection_and_closes_the_others) {
  Simulation simulation;
  const Host here = simulation.host("localhost");
  const Host slow = simulation.host("slow", addrs({"10.1.0.1"}));
  const Host fast = simulation.host("fast", addrs({"10.2.0.1"}));
  simulation.set_delay(here, slow, 400ms);
  simulation.set_name("name", addrs({"10.1.0.1", "10.2.0.1"}));
  simulation.run([&]() -> Deferred<> {
    const auto slow_server = co_await echo_server(slow, 7);
    const auto fast_server = co_await echo_server(fast, 7);
    const Time_ns start = Clock::now();
    const auto socket = co_await Tcp::connect_sock(Tcp::to_host_and_port("name", 7));
    EXPECT_EQ(Clock::now(), start + 252ms);
    EXPECT_EQ(to_string(socket.getpeername()), "10.2.0.1:7");
    co_await Clock::after(10s);
    EXPECT_EQ(slow_server.num_connections(), 0);
    EXPECT_EQ(fast_server.num_connections(), 1);
    co_await socket.abort();
  });
}

TEST(Happy_eyeballs, keeps_waiting_for_an_earlier_address_when_later_ones_fail) {
  Simulation simulation;
  const Host here = simulation.host("localhost");
  const Host slow = simulation.host("slow", addrs({"10.1.0.1"}));
  simulation.host("refuses", addrs({"10.2.0.1", "10.2.0.2"}));
  simulation.set_delay(here, slow, 2s);
  simulation.set_name("name", addrs({"10.1.0.1", "10.2.0.1", "10.2.0.2"}));
  simulation.run([&]() -> Deferred<> {
    co_await echo_server(slow, 7);
    const Time_ns start = Clock::now();
    const auto socket = co_await Tcp::connect_sock(Tcp::to_host_and_port("name", 7));
    EXPECT_EQ(Clock::now(), start + 4s);
    co_await socket.abort();
  });
}

TEST(Happy_eyeballs, fails_with_every_attempt_in_the_order_in_which_they_failed) {
  Simulation simulation;
  const Host here = simulation.host("localhost");
  const Host slow = simulation.host("slow", addrs({"10.1.0.1"}));
  simulation.host("refuses", addrs({"10.2.0.1"}));
  simulation.set_delay(here, slow, 1s);
  simulation.set_name("name", addrs({"10.1.0.1", "10.2.0.1", "10.3.0.1"}));
  simulation.run([&]() -> Deferred<> {
    const auto error =
        co_await error_of<Tcp::Connect_error>(Tcp::connect(Tcp::to_host_and_port("name", 7)));
    EXPECT_EQ(error->kind(), Kind::Refused);
    std::vector<std::string> attempts;
    for (const auto& one : error->attempts()) {
      attempts.push_back(to_string(one.address) + " " + name(one.code));
    }
    EXPECT_THAT(attempts, ElementsAre("10.2.0.1:7 ECONNREFUSED", "10.3.0.1:7 EHOSTUNREACH",
                                      "10.1.0.1:7 ECONNREFUSED"));
    EXPECT_THAT(error->what(), HasSubstr("cannot connect to name:7: 10.2.0.1:7: connection "
                                         "refused; 10.3.0.1:7: no route to host; "));
  });
}

TEST(Happy_eyeballs, takes_a_hundred_addresses_that_all_refuse) {
  Simulation simulation;
  std::vector<Inet_addr> many;
  for (int i = 1; i <= 100; ++i) many.push_back(addr(("10.1.0." + std::to_string(i)).c_str()));
  simulation.host("refuses", many);
  simulation.run([&]() -> Deferred<> {
    const auto error =
        co_await error_of<Tcp::Connect_error>(Tcp::connect(Tcp::to_host_and_port("refuses", 7)));
    EXPECT_EQ(error->kind(), Kind::Refused);
    EXPECT_EQ(error->attempts().size(), 100U);
    EXPECT_THAT(error->what(), HasSubstr("; and 92 more addresses"));
  });
}

TEST(Happy_eyeballs, given_up_before_the_second_address_leaves_nothing_behind) {
  Captured_log log;
  Silence world({"10.1.0.1", "10.1.0.2"});
  world.simulation.run([&]() -> Deferred<> {
    co_await or_error(Tcp::connect(Tcp::to_host_and_port("silent", 7), {.timeout = 100ms}));
    co_await Scheduler::yield_until_no_jobs_remain();
    EXPECT_EQ(Time_source::current().next_alarm_fires_at(), std::nullopt);
    co_await Clock::after(1s);
  });
  EXPECT_EQ(attempts_in(world.simulation.trace()).size(), 1U);
  EXPECT_THAT(log.errors(), IsEmpty());
}

TEST(Connect_error, says_what_the_attempts_say_together) {
  const auto kind = [](std::initializer_list<int> codes) {
    std::vector<Tcp::Connect_error::Attempt> attempts;
    for (const int code : codes) attempts.push_back({Address::Unix("x"), io_error_of_errno(code)});
    return Tcp::Connect_error::kind_of(attempts);
  };
  EXPECT_EQ(kind({ECONNREFUSED}), Kind::Refused);
  EXPECT_EQ(kind({ENOENT}), Kind::Refused);
  EXPECT_EQ(kind({ENETUNREACH, EHOSTUNREACH, EADDRNOTAVAIL}), Kind::Unreachable);
  EXPECT_EQ(kind({ETIMEDOUT, EHOSTUNREACH}), Kind::Timed_out);
  EXPECT_EQ(kind({ETIMEDOUT, ECONNREFUSED}), Kind::Refused);
  EXPECT_EQ(kind({EMFILE}), Kind::Other);
  EXPECT_EQ(kind({EACCES, EHOSTUNREACH}), Kind::Other);
}

TEST(Connect_error, has_names_for_its_kinds) {
  std::vector<std::string> names;
  for (const Kind kind :
       {Kind::Name_resolution, Kind::Refused, Kind::Unreachable, Kind::Timed_out, Kind::Interrupted,
        Kind::Proxy, Kind::Tls, Kind::Forbidden, Kind::Other}) {
    names.emplace_back(to_string(kind));
  }
  EXPECT_THAT(names, ElementsAre("name resolution", "refused", "unreachable", "timed out",
                                 "interrupted", "proxy", "tls", "forbidden", "other"));
}

/// `sorted(mine, theirs)` are their addresses as a machine with mine sorts them.
std::vector<std::string> sorted(std::initializer_list<const char*> mine,
                                std::initializer_list<const char*> theirs) {
  Simulation simulation;
  const Host host = simulation.host("me", addrs(mine));
  std::vector<Inet_addr> result;
  simulation.run([&]() -> Deferred<> {
    host.within([&] { result = Dns::sort_addresses(addrs(theirs), Network::current()); });
    co_return;
  });
  return texts(result);
}

TEST(Address_order, puts_what_can_be_reached_first) {
  EXPECT_THAT(sorted({"192.0.2.1"}, {"2001:db8::1", "198.51.100.1"}),
              ElementsAre("198.51.100.1", "2001:db8::1"));
  EXPECT_THAT(sorted({"2001:db8::1"}, {"198.51.100.1", "2001:db8::2"}),
              ElementsAre("2001:db8::2", "198.51.100.1"));
}

TEST(Address_order, prefers_ipv6_where_there_are_both) {
  EXPECT_THAT(sorted({"192.0.2.1", "2001:db8::1"}, {"198.51.100.1", "2001:db8::2"}),
              ElementsAre("2001:db8::2", "198.51.100.1"));
}

TEST(Address_order, leaves_ipv4_addresses_as_the_name_server_gave_them) {
  EXPECT_THAT(sorted({"10.0.0.1"}, {"192.0.2.9", "10.0.0.2", "10.0.0.1", "192.0.2.1"}),
              ElementsAre("192.0.2.9", "10.0.0.2", "10.0.0.1", "192.0.2.1"));
}

TEST(Address_order, prefers_the_longest_prefix_of_ipv6) {
  EXPECT_THAT(sorted({"2001:db8:1::1"}, {"2001:db8:2::1", "2001:db8:1::2"}),
              ElementsAre("2001:db8:1::2", "2001:db8:2::1"));
}

TEST(Address_order, of_none_or_one_is_that) {
  EXPECT_THAT(sorted({"10.0.0.1"}, {}), IsEmpty());
  EXPECT_THAT(sorted({"10.0.0.1"}, {"10.0.0.2"}), ElementsAre("10.0.0.2"));
}

}  // namespace
}  // namespace async
