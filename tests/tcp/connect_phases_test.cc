// Connecting, phase by phase: name resolution, an attempt, several at once, a route, an upgrade. In
// each of them it ends promptly, once, and leaves nothing behind.

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
#include "tests/support/captured_log.h"
#include "tests/support/echo_server.h"

namespace async {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using testing::Host;
using ::testing::IsEmpty;
using testing::Simulation;
using Kind = Tcp::Connect_error::Kind;

/// Goes to the peer itself, and then waits for `delay`.
class Slow_route final : public Tcp::Route {
 public:
  explicit Slow_route(Span delay) : delay_(delay) {}

  Deferred<std::unique_ptr<Transport>> reach(Tcp::Target target, const Connect& connect,
                                             const Tcp::Stop& stop) const override {
    auto transport = co_await connect(target);
    if (!co_await stop.wait(Clock::after(delay_))) throw std::runtime_error("the proxy is slow");
    co_return transport;
  }

 private:
  const Span delay_;
};

class Slow_upgrade final : public Tcp::Upgrade {
 public:
  explicit Slow_upgrade(Span delay) : delay_(delay) {}

  Deferred<std::unique_ptr<Transport>> upgrade(std::unique_ptr<Transport> transport, std::string,
                                               const Tcp::Stop& stop) const override {
    if (!co_await stop.wait(Clock::after(delay_))) throw std::runtime_error("it is slow");
    co_return transport;
  }

 private:
  const Span delay_;
};

/// A world in which connecting to "slow" takes its time everywhere: 10 s for the name; two
/// addresses that are black holes, tried 250 ms apart; a third one, which takes 1 s to answer; 10 s
/// for the proxy; 10 s for the upgrade.
struct World {
  World() {
    simulation.set_delay(here, there, 500ms);
    const std::vector<Inet_addr> addrs = {Inet_addr::of_string("10.9.0.1"),
                                          Inet_addr::of_string("10.9.0.2"), there.addrs()[0]};
    simulation.set_black_hole(addrs[0]);
    simulation.set_black_hole(addrs[1]);
    simulation.set_name("slow", addrs, {.delay = 10s});
  }

  Tcp::Connect_options options() const {
    return {.timeout = 1h,
            .via = std::make_shared<Slow_route>(10s),
            .tls = std::make_shared<Slow_upgrade>(10s)};
  }

  Simulation simulation;
  const Host here = simulation.host("localhost");
  const Host there = simulation.host("there");
  const Tcp::Where_to_connect<Address::Inet> where = Tcp::to_host_and_port("slow", 7);
};

/// When each phase is under way.
struct Phase {
  const char* name;
  Span at;
  int descriptors;
};
constexpr Phase phases[] = {{"resolution", 5s, 0},
                            {"the first attempt", 10s + 100ms, 1},
                            {"the race", 11s, 3},
                            {"the route", 15s, 1},
                            {"the upgrade", 25s, 1}};
constexpr std::chrono::nanoseconds all_of_it = 10s + 500ms + 1s + 10s + 10s;

TEST(Connecting, takes_as_long_as_its_phases_and_closes_what_lost_at_once) {
  World world;
  world.simulation.run([&]() -> Deferred<> {
    co_await echo_server(world.there, 7);
    const Time_ns start = Clock::now();
    const auto connecting = Tcp::connect_sock(world.where, world.options());
    for (const Phase& phase : phases) {
      co_await Clock::at(start + phase.at);
      EXPECT_EQ(world.here.num_descriptors(), phase.descriptors) << phase.name;
      EXPECT_FALSE(connecting.is_determined());
    }
    const auto socket = co_await connecting;
    EXPECT_EQ(Clock::now(), start + all_of_it);
    EXPECT_EQ(world.here.num_descriptors(), 1);
    co_await socket.abort();
    EXPECT_EQ(world.here.num_descriptors(), 0);
  });
}

TEST(Connecting, that_is_interrupted_ends_at_once_in_every_phase_and_leaves_no_descriptor) {
  Captured_log log;
  for (const Phase& phase : phases) {
    World world;
    world.simulation.run([&]() -> Deferred<> {
      co_await echo_server(world.there, 7);
      const Time_ns start = Clock::now();
      const Ivar<> stop;
      auto options = world.options();
      options.interrupt = stop.read();
      const auto connecting = Tcp::connect(world.where, std::move(options));
      co_await Clock::at(start + phase.at);
      EXPECT_EQ(world.here.num_descriptors(), phase.descriptors) << phase.name;
      stop.fill();
      const auto error = co_await error_of<Tcp::Connect_error>(connecting);
      EXPECT_EQ(error->kind(), Kind::Interrupted) << phase.name;
      EXPECT_EQ(Clock::now(), start + phase.at) << phase.name;
      EXPECT_EQ(world.here.num_descriptors(), 0) << phase.name;
      co_await Clock::after(1h);
      EXPECT_EQ(world.here.num_descriptors(), 0) << phase.name;
    });
  }
  EXPECT_THAT(log.errors(), IsEmpty());
}

TEST(Connecting, has_one_deadline_over_all_phases) {
  for (const Phase& phase : phases) {
    World world;
    world.simulation.run([&]() -> Deferred<> {
      co_await echo_server(world.there, 7);
      const Time_ns start = Clock::now();
      auto options = world.options();
      options.timeout = phase.at;
      const auto error = co_await error_of<Tcp::Connect_error>(Tcp::connect(world.where, options));
      EXPECT_EQ(error->kind(), Kind::Timed_out) << phase.name;
      EXPECT_EQ(Clock::now(), start + phase.at) << phase.name;
      EXPECT_EQ(world.here.num_descriptors(), 0) << phase.name;
    });
  }
}

TEST(Connecting, that_ends_with_the_program_leaves_no_descriptor) {
  for (const Phase& phase : phases) {
    World world;
    world.simulation.run([&]() -> Deferred<> {
      co_await echo_server(world.there, 7);
      dont_wait_for(Tcp::connect(world.where, world.options()).map([](const auto&) {}));
      co_await Clock::after(phase.at);
    });
    EXPECT_EQ(world.here.num_descriptors(), 0) << phase.name;
  }
}

TEST(Connecting, that_succeeds_when_its_time_is_up_has_one_outcome) {
  World world;
  world.simulation.run([&]() -> Deferred<> {
    co_await echo_server(world.there, 7);
    for (const Span timeout : {Span(all_of_it), Span(all_of_it + 1ns), Span(all_of_it - 1ns)}) {
      auto options = world.options();
      options.timeout = timeout;
      options.interrupt = Clock::after(all_of_it);
      const auto result = co_await or_error(Tcp::connect_sock(world.where, std::move(options)));
      if (result) co_await result->abort();
      EXPECT_EQ(world.here.num_descriptors(), 0);
    }
  });
}

TEST(Connecting, with_the_longest_spans_there_are_waits_and_is_not_over_at_once) {
  World world;
  world.simulation.run([&]() -> Deferred<> {
    co_await echo_server(world.there, 7);
    for (const Span timeout : {Span::max(), Span(std::chrono::hours::max())}) {
      auto options = world.options();
      options.timeout = timeout;
      options.happy_eyeballs.attempt_delay = Span::max();
      const auto socket = co_await Tcp::connect_sock(world.where, std::move(options));
      co_await socket.abort();
    }
  });
}

TEST(A_black_hole, that_comes_first_costs_the_attempt_delay) {
  Simulation simulation;
  const Host server = simulation.host("server");
  const auto hole = Inet_addr::of_string("10.9.0.1");
  simulation.set_black_hole(hole);
  simulation.set_name("name", {hole, server.addrs()[0]});
  simulation.run([&]() -> Deferred<> {
    co_await echo_server(server, 7);
    // What is beyond what RFC 8305 allows counts as what it does.
    for (const auto& [delay, counts_as] :
         {std::pair<Span, Span>(250ms, 250ms), {1s, 1s}, {0s, 10ms}, {-1s, 10ms}, {1h, 2s}}) {
      const Time_ns start = Clock::now();
      const auto socket = co_await Tcp::connect_sock(Tcp::to_host_and_port("name", 7),
                                                     {.happy_eyeballs = {.attempt_delay = delay}});
      EXPECT_EQ(Clock::now(), start + counts_as + 2ms);
      co_await socket.abort();
    }
  });
}

TEST(A_black_hole, that_is_all_there_is_is_given_up_by_the_system) {
  Simulation simulation;
  const auto hole = Inet_addr::of_string("10.9.0.1");
  simulation.set_black_hole(hole);
  simulation.run([&]() -> Deferred<> {
    const auto where = Tcp::to_inet_address(Address::Inet(hole, 7));
    const Time_ns start = Clock::now();
    const auto error =
        co_await error_of<Tcp::Connect_error>(Tcp::connect(where, {.timeout = Span::max()}));
    EXPECT_EQ(error->kind(), Kind::Timed_out);
    EXPECT_EQ(error->code(), std::errc::timed_out);
    EXPECT_EQ(error->attempts().size(), 1U);
    EXPECT_EQ(Clock::now(), start + 127s);
    simulation.set_black_hole(hole, false);
    const auto after = co_await error_of<Tcp::Connect_error>(Tcp::connect(where));
    EXPECT_EQ(after->kind(), Kind::Unreachable);
  });
}

TEST(A_name, whose_addresses_all_refuse_fails_with_each_attempt_and_its_code) {
  Simulation simulation;
  const Host host = simulation.host("host");
  simulation.run([&]() -> Deferred<> {
    const auto error =
        co_await error_of<Tcp::Connect_error>(Tcp::connect(Tcp::to_host_and_port("host", 7)));
    EXPECT_EQ(error->kind(), Kind::Refused);
    EXPECT_EQ(error->code(), std::errc::connection_refused);
    std::vector<std::string> attempts;
    for (const auto& one : error->attempts()) {
      attempts.push_back(to_string(one.address) + " " + name(one.code));
    }
    EXPECT_THAT(attempts, ElementsAre("10.0.0.1:7 ECONNREFUSED", "[fd00::1]:7 ECONNREFUSED"));
  });
}

TEST(A_name, that_does_not_exist_is_told_from_one_that_cannot_be_looked_up_now) {
  Simulation simulation;
  simulation.set_name("broken", {}, {.delay = 2s, .error = Name_error::Again});
  simulation.set_name("empty", {});
  simulation.run([&]() -> Deferred<> {
    const auto code_for = [](const char* name) -> Deferred<std::error_code> {
      const auto error =
          co_await error_of<Tcp::Connect_error>(Tcp::connect(Tcp::to_host_and_port(name, 7)));
      EXPECT_EQ(error->kind(), Kind::Name_resolution);
      co_return error->code();
    };
    EXPECT_EQ(co_await code_for("nowhere"), Name_error::No_name);
    EXPECT_EQ(co_await code_for("broken"), Name_error::Again);
    EXPECT_EQ(co_await code_for("empty"), Name_error::No_data);
  });
}

TEST(A_name, whose_answer_changes_is_reached_where_it_is_by_then) {
  Simulation simulation;
  const Host one = simulation.host("one");
  const Host two = simulation.host("two");
  simulation.set_name("moves", one.addrs());
  simulation.run([&]() -> Deferred<> {
    co_await echo_server(one, 7);
    co_await echo_server(two, 7);
    const auto where = Tcp::to_host_and_port("moves", 7);
    const auto peer = [&]() -> Deferred<Inet_addr> {
      const auto socket = co_await Tcp::connect_sock(where);
      const Inet_addr addr = socket.getpeername().addr();
      co_await socket.abort();
      co_return addr;
    };
    EXPECT_EQ(co_await peer(), one.addrs()[0]);
    simulation.set_name("moves", two.addrs());
    EXPECT_EQ(co_await peer(), two.addrs()[0]);
    simulation.set_name("moves", {}, {.error = Name_error::No_name});
    EXPECT_EQ((co_await error_of<Tcp::Connect_error>(peer()))->code(), Name_error::No_name);
  });
}

TEST(A_connection, that_is_dropped_in_the_cycle_in_which_it_was_made_is_closed) {
  Simulation simulation;
  const Host server = simulation.host("server");
  const Host here = simulation.host("localhost");
  simulation.run([&]() -> Deferred<> {
    const auto listening = co_await echo_server(server, 7);
    for (int i = 0; i < 100; ++i) {
      static_cast<void>(co_await Tcp::connect(Tcp::to_host_and_port("server", 7)));
    }
    co_await Clock::after(10s);
    EXPECT_EQ(here.num_descriptors(), 0);
    EXPECT_EQ(listening.num_connections(), 0);
  });
}

TEST(Descriptors, are_each_closed_once_however_a_thousand_races_end) {
  Simulation simulation({.seed = 1});
  const Host here = simulation.host("localhost");
  const Host server = simulation.host("server", {Inet_addr::of_string("10.2.0.1")});
  const Host slow = simulation.host("slow", {Inet_addr::of_string("10.3.0.1")});
  simulation.set_delay(here, slow, 200ms);
  const auto hole = Inet_addr::of_string("10.9.0.1");
  simulation.set_black_hole(hole);
  simulation.set_name("name", {hole, slow.addrs()[0], server.addrs()[0]});
  simulation.run([&]() -> Deferred<> {
    const auto listening = co_await echo_server(server, 7);
    const auto other = co_await echo_server(slow, 7);
    std::vector<Deferred<>> all_of_them;
    for (int i = 0; i < 1000; ++i) {
      const auto try_once = [](int ms) -> Deferred<> {
        const auto result = co_await or_error(Tcp::connect_sock(
            Tcp::to_host_and_port("name", 7), {.interrupt = Clock::after(ms * 1ms)}));
        if (result) co_await result->abort();
      };
      all_of_them.push_back(try_once(i));
    }
    co_await all_unit(std::move(all_of_them));
    EXPECT_EQ(here.num_descriptors(), 0);
    co_await Clock::after(1min);
    EXPECT_EQ(here.num_descriptors(), 0);
    EXPECT_EQ(listening.num_connections() + other.num_connections(), 0);
    EXPECT_GT(listening.counts().accepted + other.counts().accepted, 0U);
  });
}

}  // namespace
}  // namespace async
