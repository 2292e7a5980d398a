// Names of hosts.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

#include "tests/support/real_sockets.h"
#include "tests/uv/resolver.h"

namespace async {
namespace {

using namespace std::chrono_literals;
using Tcp::Connect_error;
using ::testing::HasSubstr;

template <class T>
Connect_error::Kind kind_of_failure(const Or_error<T>& result) {
  if (result) throw std::logic_error("it did not fail");
  return result.error().template as<Connect_error>()->kind();
}

Deferred<Tcp::Server::Inet> echo_server() {
  return Tcp::Server::create(Tcp::on_port_chosen_by_os(), echo<Address::Inet>);
}

TEST(Localhost, is_found) {
  Scheduler::go([]() -> Deferred<> {
    const auto server = co_await echo_server();
    const auto where = Tcp::to_host_and_port("localhost", server.listening_on());
    EXPECT_EQ(co_await ask(where, "hello"), "hello");
    co_await end(server);
  });
}

TEST(Localhost, is_not_looked_up) {
  const Resolver resolver;
  Scheduler::go([]() -> Deferred<> {
    const auto server = co_await echo_server();
    for (const char* name : {"localhost", "a.localhost"}) {
      const auto where = Tcp::to_host_and_port(name, server.listening_on());
      EXPECT_EQ(co_await ask(where, "hello"), "hello");
    }
    const auto other = co_await or_error(Tcp::connect(Tcp::to_host_and_port("notlocalhost", 1)));
    EXPECT_EQ(kind_of_failure(other), Connect_error::Kind::Name_resolution);
    co_await end(server);
  });
}

TEST(A_name, that_does_not_exist_is_an_error_of_its_kind) {
  const Resolver resolver;
  Scheduler::go([]() -> Deferred<> {
    const auto result = co_await or_error(Tcp::connect(Tcp::to_host_and_port("missing.test", 1)));
    EXPECT_EQ(kind_of_failure(result), Connect_error::Kind::Name_resolution);
    EXPECT_THAT(result.error().what(), HasSubstr("missing.test"));
  });
}

// No part of a name has more than 63 characters, so the system's resolver asks nobody.
TEST(A_name, that_cannot_exist_is_an_error_of_its_kind) {
  Scheduler::go([]() -> Deferred<> {
    const auto where = Tcp::to_host_and_port(std::string(64, 'x') + ".invalid", 1);
    EXPECT_EQ(kind_of_failure(co_await or_error(Tcp::connect(where))),
              Connect_error::Kind::Name_resolution);
  });
}

TEST(A_name, with_several_addresses_is_reached_by_the_one_that_answers) {
  Resolver resolver;
  resolver.add("both.test", {"::1", "127.0.0.1"});
  Scheduler::go([]() -> Deferred<> {
    const auto server = co_await Tcp::Server::create(
        Tcp::Where_to_listen<Address::Inet, int>::create(
            Address::Inet(Inet_addr::localhost(), 0),
            [](const Address::Inet& address) { return address.port(); }),
        echo<Address::Inet>);
    const auto where = Tcp::to_host_and_port("both.test", server.listening_on());
    EXPECT_EQ(co_await ask(where, "hello"), "hello");
    co_await end(server);
    const auto refused = co_await or_error(Tcp::connect(where));
    EXPECT_EQ(kind_of_failure(refused), Connect_error::Kind::Refused);
    EXPECT_EQ(refused.error().as<Connect_error>()->attempts().size(), 2u);
  });
}

TEST(A_look_up_that_hangs, is_interrupted) {
  Resolver resolver;
  resolver.hang("slow.test");
  Scheduler::go([&]() -> Deferred<> {
    const Ivar<> interrupt;
    const auto result = or_error(
        Tcp::connect(Tcp::to_host_and_port("slow.test", 1), {.interrupt = interrupt.read()}));
    while (resolver.num_hanging() == 0) co_await Scheduler::yield();
    EXPECT_FALSE(result.is_determined());
    interrupt.fill();
    EXPECT_EQ(kind_of_failure(co_await result), Connect_error::Kind::Interrupted);
    EXPECT_EQ(resolver.num_hanging(), 1);
  });
}

TEST(A_look_up_that_hangs, counts_for_the_timeout) {
  Resolver resolver;
  resolver.hang("slow.test");
  Scheduler::go([&]() -> Deferred<> {
    const auto result =
        co_await or_error(Tcp::connect(Tcp::to_host_and_port("slow.test", 1), {.timeout = 20ms}));
    EXPECT_EQ(kind_of_failure(result), Connect_error::Kind::Timed_out);
  });
}

TEST(A_look_up_that_hangs, holds_up_no_other) {
  Resolver resolver;
  resolver.hang("slow.test");
  Scheduler::go([&]() -> Deferred<> {
    const auto server = co_await echo_server();
    const Ivar<> interrupt;
    std::vector<Deferred<Or_error<Tcp::Connected<Address::Inet>>>> slow;
    for (int i = 0; i < 20; ++i) {
      slow.push_back(or_error(
          Tcp::connect(Tcp::to_host_and_port("slow.test", 1), {.interrupt = interrupt.read()})));
    }
    while (resolver.num_hanging() < 20) co_await Scheduler::yield();
    resolver.add("fast.test", {"127.0.0.1"});
    const int port = server.listening_on();
    EXPECT_EQ(co_await ask(Tcp::to_host_and_port("fast.test", port), "hello"), "hello");
    EXPECT_EQ(co_await ask(Tcp::to_host_and_port("127.0.0.1", port), "hello"), "hello");
    interrupt.fill();
    for (const auto& result : slow) {
      EXPECT_EQ(kind_of_failure(co_await result), Connect_error::Kind::Interrupted);
    }
    co_await end(server);
  });
}

TEST(A_look_up_that_hangs, does_not_keep_the_program_from_ending) {
  Resolver resolver;
  resolver.hang("slow.test");
  Scheduler::go([&]() -> Deferred<> {
    dont_wait_for(Tcp::connect(Tcp::to_host_and_port("slow.test", 1)).map([](auto) {}));
    while (resolver.num_hanging() == 0) co_await Scheduler::yield();
  });
  EXPECT_EQ(resolver.num_hanging(), 1);
}

}  // namespace
}  // namespace async
