// From where a connection comes, by which family, and which one is tried first.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "async/testing/simulation.h"
#include "tcp/dns/address_order.h"
#include "tcp/tcp.h"
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

/// The addresses that connecting to "name" tries, which are black holes all.
std::vector<std::string> tried(std::vector<const char*> addrs, Tcp::Via_options via,
                               Tcp::Happy_eyeballs happy_eyeballs) {
  Simulation simulation;
  simulation.host("localhost", {addr("10.0.0.1"), addr("2001:db8::9")});
  std::vector<Inet_addr> all;
  for (const char* one : addrs) {
    all.push_back(addr(one));
    simulation.set_black_hole(all.back());
  }
  simulation.set_name("name", all);
  simulation.run([&]() -> Deferred<> {
    co_await or_error(Tcp::connect(Tcp::to_host_and_port("name", 7, via),
                                   {.timeout = 20s, .happy_eyeballs = happy_eyeballs}));
  });
  std::vector<std::string> result;
  std::istringstream lines(simulation.trace());
  for (std::string line; std::getline(lines, line);) {
    const auto arrow = line.find(" -> ");
    if (line.find(" connect ") != std::string::npos) result.push_back(line.substr(arrow + 4));
  }
  return result;
}

const std::vector<const char*> four = {"10.1.0.1", "10.1.0.2", "2001:db8:1::1", "2001:db8:1::2"};

TEST(The_first_family, is_that_of_the_first_address_or_the_one_that_is_preferred) {
  EXPECT_THAT(tried(four, {}, {}),
              ElementsAre("[2001:db8:1::1]:7", "10.1.0.1:7", "[2001:db8:1::2]:7", "10.1.0.2:7"));
  EXPECT_THAT(tried(four, {}, {.prefer = Ip_version::V6}),
              ElementsAre("[2001:db8:1::1]:7", "10.1.0.1:7", "[2001:db8:1::2]:7", "10.1.0.2:7"));
  EXPECT_THAT(tried(four, {}, {.prefer = Ip_version::V4}),
              ElementsAre("10.1.0.1:7", "[2001:db8:1::1]:7", "10.1.0.2:7", "[2001:db8:1::2]:7"));
}

TEST(The_first_family, may_have_several_turns_before_the_other) {
  EXPECT_THAT(tried(four, {}, {.prefer = Ip_version::V4, .first_family_count = 2}),
              ElementsAre("10.1.0.1:7", "10.1.0.2:7", "[2001:db8:1::1]:7", "[2001:db8:1::2]:7"));
  EXPECT_THAT(tried(four, {}, {.first_family_count = 100}),
              ElementsAre("[2001:db8:1::1]:7", "[2001:db8:1::2]:7", "10.1.0.1:7", "10.1.0.2:7"));
  EXPECT_THAT(tried({"10.1.0.1", "10.1.0.2", "10.1.0.3", "2001:db8:1::1", "2001:db8:1::2"}, {},
                    {.prefer = Ip_version::V4, .first_family_count = 2}),
              ElementsAre("10.1.0.1:7", "10.1.0.2:7", "[2001:db8:1::1]:7", "10.1.0.3:7",
                          "[2001:db8:1::2]:7"));
}

TEST(The_first_family, without_addresses_leaves_it_to_the_other) {
  EXPECT_THAT(
      tried({"10.1.0.1", "10.1.0.2"}, {}, {.prefer = Ip_version::V6, .first_family_count = 2}),
      ElementsAre("10.1.0.1:7", "10.1.0.2:7"));
}

TEST(The_first_family, has_one_turn_at_least) {
  Simulation().run([]() -> Deferred<> {
    EXPECT_TRUE(co_await error_of<std::invalid_argument>(Tcp::connect(
        Tcp::to_host_and_port("localhost", 7), {.happy_eyeballs = {.first_family_count = 0}})));
  });
}

TEST(A_family, that_is_asked_for_is_the_only_one_that_is_tried) {
  EXPECT_THAT(tried(four, {.family = Ip_version::V4}, {}), ElementsAre("10.1.0.1:7", "10.1.0.2:7"));
  EXPECT_THAT(tried(four, {.family = Ip_version::V6}, {.prefer = Ip_version::V4}),
              ElementsAre("[2001:db8:1::1]:7", "[2001:db8:1::2]:7"));
  EXPECT_THAT(tried({"10.1.0.1"}, {.family = Ip_version::V6}, {}), IsEmpty());
}

TEST(A_family, that_a_name_or_an_address_has_not_is_an_error_of_its_kind) {
  Simulation simulation;
  simulation.host("old", {addr("10.1.0.1")});
  simulation.run([&]() -> Deferred<> {
    const Tcp::Via_options v6{.family = Ip_version::V6};
    const auto name =
        co_await error_of<Tcp::Connect_error>(Tcp::connect(Tcp::to_host_and_port("old", 7, v6)));
    EXPECT_EQ(name->kind(), Kind::Name_resolution);
    EXPECT_EQ(name->code(), Name_error::No_data);
    EXPECT_STREQ(name->what(), "cannot connect to old:7: the name has no IPv6 address");
    const auto numeric = co_await error_of<Tcp::Connect_error>(
        Tcp::connect(Tcp::to_host_and_port("10.1.0.1", 7, v6)));
    EXPECT_EQ(numeric->kind(), Kind::Unreachable);
    EXPECT_EQ(numeric->code(), std::errc::address_family_not_supported);
  });
}

TEST(A_local_address, decides_the_family_as_well) {
  EXPECT_THAT(tried(four, {.via_local_interface = Inet_addr::localhost()}, {}),
              ElementsAre("10.1.0.1:7", "10.1.0.2:7"));
  EXPECT_THAT(tried(four, {.via_local_interface = Inet_addr::localhost_v6()}, {}),
              ElementsAre("[2001:db8:1::1]:7", "[2001:db8:1::2]:7"));
}

TEST(A_local_port, is_where_all_attempts_come_from) {
  Simulation simulation;
  const Host server = simulation.host("server", {addr("10.2.0.1")});
  simulation.set_black_hole(addr("10.9.0.1"));
  simulation.set_name("name", {addr("10.9.0.1"), addr("10.2.0.1")});
  simulation.run([&]() -> Deferred<> {
    co_await echo_server(server, 7);
    for (const auto& via :
         {Tcp::Via_options{.bind_to_port = 4711},
          Tcp::Via_options{.via_local_interface = addr("10.0.0.2"), .bind_to_port = 4711}}) {
      const auto socket = co_await Tcp::connect_sock(Tcp::to_host_and_port("name", 7, via));
      EXPECT_EQ(socket.getsockname().port(), 4711);
      EXPECT_EQ(socket.getpeername(), Address::Inet::of_string("10.2.0.1:7"));
      co_await socket.abort();
    }
  });
}

TEST(A_local_port, that_somebody_listens_on_is_an_error_that_says_so) {
  Simulation simulation;
  const Host here = simulation.host("localhost");
  const Host server = simulation.host("server", {addr("10.2.0.1")});
  simulation.run([&]() -> Deferred<> {
    co_await echo_server(server, 7);
    const auto where = Tcp::Where_to_listen<Address::Inet, int>::create(
        Address::Inet::of_string("10.0.0.1:4711"), [](const Address::Inet& a) { return a.port(); });
    const auto listening = co_await Tcp::Server::create(where, echo_handler);
    const auto error = co_await error_of<Tcp::Connect_error>(Tcp::connect(Tcp::to_host_and_port(
        "server", 7, {.via_local_interface = addr("10.0.0.1"), .bind_to_port = 4711})));
    EXPECT_EQ(error->code(), std::errc::address_in_use);
    EXPECT_STREQ(error->what(),
                 "cannot connect to server:7: 10.2.0.1:7: bind to 10.0.0.1:4711: address already "
                 "in use");
    EXPECT_EQ(here.num_descriptors(), 1);
  });
}

TEST(A_local_port, that_is_none_is_refused) {
  EXPECT_THROW(Tcp::to_host_and_port("server", 7, {.bind_to_port = -1}), std::invalid_argument);
  EXPECT_THROW(Tcp::to_host_and_port("server", 7, {.bind_to_port = 65536}), std::invalid_argument);
  EXPECT_THROW(Tcp::to_inet_address(Address::Inet(addr("10.0.0.1"), 7), {.bind_to_port = 65536}),
               std::invalid_argument);
}

TEST(Addresses, are_of_the_same_host_whatever_their_scopes) {
  const auto bytes = addr("fe80::1").bytes();
  EXPECT_EQ(Inet_addr::v6(bytes, 2).scope(), 2U);
  EXPECT_TRUE(Inet_addr::v6(bytes, 2).is_same_host(Inet_addr::v6(bytes, 3)));
  EXPECT_NE(Inet_addr::v6(bytes, 2), Inet_addr::v6(bytes, 3));
  EXPECT_FALSE(addr("fe80::1").is_same_host(addr("fe80::2")));
  EXPECT_FALSE(addr("0.0.0.0").is_same_host(addr("::")));
}

TEST(Addresses, of_ipv4_that_are_written_as_ipv6_can_be_had_as_what_they_are) {
  EXPECT_EQ(addr("::ffff:192.0.2.1").unmapped(), addr("192.0.2.1"));
  for (const char* plain : {"192.0.2.1", "2001:db8::1", "::", "::192.0.2.1"}) {
    EXPECT_EQ(addr(plain).unmapped(), addr(plain)) << plain;
  }
}

}  // namespace
}  // namespace async
