// Hosts, names, delays, and that one seed gives one run.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "async/io/io_error.h"
#include "async/random.h"
#include "async/testing/simulation.h"
#include "tcp/tcp.h"
#include "tests/support/echo_server.h"

namespace async {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::Host;
using testing::Simulation;
using ::testing::StartsWith;
using Kind = Tcp::Connect_error::Kind;

TEST(Host, has_a_name_and_addresses_of_its_own) {
  Simulation simulation;
  const Host one = simulation.host("one");
  const Host two = simulation.host("two", {Inet_addr::of_string("192.0.2.1")});
  EXPECT_EQ(one.name(), "one");
  EXPECT_EQ(one.addrs().size(), 2U);
  EXPECT_EQ(one.addrs()[0].version(), Ip_version::V4);
  EXPECT_EQ(one.addrs()[1].version(), Ip_version::V6);
  EXPECT_THAT(two.addrs(), ElementsAre(Inet_addr::of_string("192.0.2.1")));
  EXPECT_EQ(simulation.host("one").addrs(), one.addrs());  // the same again
  EXPECT_NE(simulation.host("three").addrs(), one.addrs());
}

TEST(Host, within_stays_with_what_is_started_there) {
  Simulation simulation;
  const Host one = simulation.host("one");
  const Host two = simulation.host("two");
  std::vector<Inet_addr> from;
  simulation.run([&]() -> Deferred<> {
    const auto server = co_await Tcp::Server::create(
        Tcp::on_port(7), [&](const Address::Inet& address, Reader, Writer) {
          from.push_back(address.addr());
          return determined();
        });
    const auto here = Address::Inet(simulation.host("localhost").addrs()[0], 7);
    const auto visit = [&]() -> Deferred<> {
      co_await Clock::after(1s);
      co_await (co_await Tcp::connect_sock(Tcp::to_inet_address(here))).abort();
    };
    co_await one.within([&]() -> Deferred<> {
      co_await visit();
      co_await two.within(visit);
      co_await visit();
    });
    co_await visit();
    co_await Clock::after(1s);
    EXPECT_THAT(from, ElementsAre(one.addrs()[0], two.addrs()[0], one.addrs()[0], here.addr()));
  });
}

TEST(Host, within_sends_errors_where_the_scheduler_does) {
  Simulation simulation;
  const Host host = simulation.host("host");
  simulation.run([&]() -> Deferred<> {
    EXPECT_TRUE(co_await error_of<std::out_of_range>(
        host.within([]() -> Deferred<> { throw std::out_of_range("x"); })));
    const auto result = co_await try_with([&]() -> Deferred<> {
      host.within([] { throw std::out_of_range("in what returns nothing"); });
      co_await Clock::after(1s);
    });
    EXPECT_NE(result.error().as<std::out_of_range>(), nullptr);
  });
}

TEST(Host, has_a_loopback_and_files_of_its_own) {
  Simulation simulation;
  const Host one = simulation.host("one");
  const Host two = simulation.host("two");
  simulation.run([&]() -> Deferred<> {
    co_await echo_server(one, 7);
    co_await one.within([]() -> Deferred<> {
      const Time_ns start = Clock::now();
      EXPECT_EQ(co_await ask(Tcp::to_host_and_port("localhost", 7), "hello"), "hello");
      EXPECT_EQ(Clock::now(), start);  // which takes no time
    });
    co_await two.within([]() -> Deferred<> {
      EXPECT_TRUE(co_await error_of<Tcp::Connect_error>(
          ask(Tcp::to_host_and_port("localhost", 7), "hello")));
    });
    co_await echo_server(two, 7);  // the same port
    for (const Host& host : {one, two}) {
      co_await host.within([] {
        return Tcp::Server::create(Tcp::on_file("/run/x"), [](const Address::Unix&, Reader,
                                                              Writer) { return determined(); });
      });
    }
  });
}

TEST(Delay, is_how_long_a_byte_takes) {
  Simulation simulation({.delay = 7ms});
  const Host near = simulation.host("near");
  const Host far = simulation.host("far");
  simulation.set_delay(simulation.host("localhost"), far, 3s);
  simulation.run([&]() -> Deferred<> {
    for (const auto& [host, delay] : {std::pair(near, Span(7ms)), std::pair(far, Span(3s))}) {
      const auto server = co_await echo_server(host, 7);
      const Time_ns start = Clock::now();
      const auto connected = co_await Tcp::connect(Tcp::to_host_and_port(host.name(), 7));
      EXPECT_EQ(Clock::now(), start + 2 * delay.ns());
      connected.writer.write("x");
      EXPECT_EQ(co_await connected.reader.read(), "x");
      EXPECT_EQ(Clock::now(), start + 4 * delay.ns());
      co_await connected.socket.abort();
      co_await Clock::after(delay);
      co_await server.close();
    }
  });
}

TEST(Delay, that_grows_keeps_bytes_in_order) {
  Simulation simulation({.delay = 1s});
  const Host here = simulation.host("localhost");
  const Host host = simulation.host("server");
  simulation.run([&]() -> Deferred<> {
    co_await echo_server(host, 7);
    const auto connected = co_await Tcp::connect(Tcp::to_host_and_port("server", 7));
    std::string sent;
    for (int i = 0; i < 100; ++i) {
      simulation.set_delay(here, host, std::chrono::milliseconds(Random::below(2000)));
      connected.writer.write(std::to_string(i) + " ");
      sent += std::to_string(i) + " ";
      co_await Clock::after(10ms);
    }
    connected.writer.shutdown_send();
    EXPECT_EQ(co_await connected.reader.contents(), sent);
  });
}

TEST(Names, can_be_looked_up_by_all) {
  Simulation simulation;
  const Host server = simulation.host("server");
  const Host client = simulation.host("client");
  simulation.set_name("alias", server.addrs());
  simulation.run([&]() -> Deferred<> {
    co_await echo_server(server, 7);
    co_await client.within([]() -> Deferred<> {
      EXPECT_EQ(co_await ask(Tcp::to_host_and_port("server", 7), "a"), "a");
      EXPECT_EQ(co_await ask(Tcp::to_host_and_port("alias", 7), "b"), "b");
      const auto error = co_await error_of<Io_error>(Network::current().resolve("nobody"));
      EXPECT_EQ(error->code(), make_error_code(Name_error::No_name));
    });
  });
}

TEST(Names, take_time_or_fail_as_they_are_told) {
  Simulation simulation;
  simulation.set_name("slow", {Inet_addr::localhost()}, {.delay = 5s});
  simulation.set_name("broken", {}, {.delay = 1s, .error = Name_error::Failed});
  simulation.run([&]() -> Deferred<> {
    const Time_ns start = Clock::now();
    EXPECT_THAT(co_await Network::current().resolve("slow"), ElementsAre(Inet_addr::localhost()));
    EXPECT_EQ(Clock::now(), start + 5s);
    const auto error = co_await error_of<Io_error>(Network::current().resolve("broken"));
    EXPECT_EQ(error->code(), make_error_code(Name_error::Failed));
    EXPECT_EQ(Clock::now(), start + 6s);
    // The answer is what the name stands for when it comes.
    auto answer = Network::current().resolve("slow");
    simulation.set_name("slow", {Inet_addr::localhost_v6()});
    EXPECT_THAT(co_await std::move(answer), ElementsAre(Inet_addr::localhost_v6()));
  });
}

TEST(Descriptors, are_counted_for_each_machine_and_given_back) {
  Simulation simulation({.max_descriptors = 5});
  const Host server = simulation.host("server");
  for (int run = 0; run < 3; ++run) {
    simulation.run([&]() -> Deferred<> {
      co_await echo_server(server, 7);
      std::vector<Tcp::Connected<Address::Inet>> held;
      const auto where = Tcp::to_inet_address(Address::Inet(server.addrs()[0], 7));
      for (int i = 0; i < 5; ++i) held.push_back(co_await Tcp::connect(where));
      const auto error = co_await error_of<Tcp::Connect_error>(Tcp::connect(where));
      EXPECT_EQ(error->attempts().at(0).code, std::errc::too_many_files_open);
      const auto freed = Network::current().descriptor_freed();
      co_await held[0].socket.abort();
      co_await freed;
      held.push_back(co_await Tcp::connect(where));
    });
  }
}

TEST(A_connection, whose_end_closes_with_unread_bytes_is_reset) {
  Simulation().run([]() -> Deferred<> {
    const auto server = co_await Tcp::Server::create_sock(
        Tcp::on_port(7), [](const Address::Inet&, auto socket) -> Deferred<> {
          co_await Clock::after(1s);
          co_await socket.abort();
        });
    const auto connected = co_await Tcp::connect(Tcp::to_host_and_port("localhost", 7));
    connected.writer.write("unread");
    EXPECT_EQ(co_await connected.reader.read(), std::unexpected(Eof{Eof::Reason::Reset}));
  });
}

/// A program in which a lot depends on chance.
Deferred<> chance(Simulation& simulation) {
  const Host server = simulation.host("server");
  for (int i = 0; i < 5; ++i) {
    simulation.set_delay(server, simulation.host("client " + std::to_string(i)),
                         std::chrono::microseconds(Random::below(100'000)));
  }
  const auto listening = co_await server.within([] {
    return Tcp::Server::create(
        Tcp::on_port_chosen_by_os(), {.max_connections = 3},
        [](const Address::Inet&, Reader reader, Writer writer) -> Deferred<> {
          while (const auto line = co_await reader.read_line()) {
            co_await Clock::after(std::chrono::microseconds(Random::below(50'000)));
            writer.write_line(*line + std::string(Random::below(2000), 'x'));
            co_await writer.flushed();
          }
        });
  });
  const auto where = Tcp::to_host_and_port("server", listening.listening_on());
  std::vector<Deferred<>> clients;
  for (int i = 0; i < 20; ++i) {
    clients.push_back(
        simulation.host("client " + std::to_string(i % 5)).within([=]() -> Deferred<> {
          co_await Clock::after(std::chrono::microseconds(Random::below(1'000'000)));
          co_await or_error(Tcp::with_connection(
              where, {.timeout = std::chrono::milliseconds(Random::below(5000))},
              [](auto socket, Reader reader, Writer writer) -> Deferred<> {
                for (std::uint64_t n = Random::below(10); n > 0; --n) {
                  writer.write_line(std::to_string(Random::bits()));
                  static_cast<void>(co_await Clock::with_timeout(
                      std::chrono::milliseconds(Random::below(300)), reader.read_line()));
                }
                if (Random::below(4) == 0) co_await socket.abort();
              }));
        }));
  }
  co_await all_unit(std::move(clients));
}

std::string trace_of(std::uint64_t seed) {
  Simulation simulation({.seed = seed});
  simulation.run([&] { return chance(simulation); });
  return simulation.trace();
}

TEST(One_seed, gives_one_run_to_the_byte_of_its_trace) {
  const std::string trace = trace_of(1);
  EXPECT_GT(trace.size(), 5000U);
  for (int i = 0; i < 5; ++i) {
    // What is on the heap, and where, makes no difference.
    const std::vector<std::string> clutter(static_cast<std::size_t>(i) * 100,
                                           std::string(100, 'x'));
    EXPECT_TRUE(trace_of(1) == trace);
  }
  EXPECT_NE(trace_of(2), trace);
}

TEST(One_seed, gives_one_run_for_each_of_many_seeds) {
  std::vector<std::string> traces;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const std::string trace = trace_of(seed);
    EXPECT_EQ(trace_of(seed), trace) << seed;
    for (const std::string& other : traces) EXPECT_NE(trace, other);
    traces.push_back(trace);
  }
}

TEST(Trace, says_what_went_over_the_network_and_when) {
  Simulation simulation;
  const Host server = simulation.host("server", {Inet_addr::of_string("192.0.2.1")});
  EXPECT_EQ(simulation.trace(), "");
  simulation.run([&]() -> Deferred<> {
    co_await Clock::after(1s);
    co_await echo_server(server, 7);
    EXPECT_EQ(co_await ask(Tcp::to_host_and_port("server", 7), "hello"), "hello");
  });
  EXPECT_THAT(simulation.trace(),
              AllOf(StartsWith("1s "), HasSubstr("1s resolve localhost server\n"),
                    HasSubstr("1s connect localhost "), HasSubstr("-> 192.0.2.1:7\n"),
                    HasSubstr("accept server 192.0.2.1:7 <- "), HasSubstr("send 6 localhost "),
                    HasSubstr("send 6 server "), HasSubstr("end localhost ")));
}

}  // namespace
}  // namespace async
