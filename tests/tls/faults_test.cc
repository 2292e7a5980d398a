// TLS over connections that give little at once, say the wrong thing, say nothing, or break: each
// ends in its error, and no server stops.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "async/testing/simulation.h"
#include "tcp/tcp.h"
#include "tcp/tls/tls.h"
#include "tests/support/connected_pair.h"
#include "tests/support/echo_server.h"
#include "tests/support/faulty_transport.h"
#include "tests/tls/certificates.h"

namespace async {
namespace {

using namespace std::chrono_literals;
using ::testing::AnyOf;
using ::testing::HasSubstr;
using testing::Host;
using testing::Simulation;
using Kind = Tls::Error::Kind;

Tcp::Where_to_connect<Address::Inet> there() { return Tcp::to_host_and_port("server", 443); }

/// What a server's observer hears of clients that never became one.
struct Refusals final : Tcp::Observer {
  std::vector<Error> errors;
  void refused(const Address::Any&, const Error& why) override { errors.push_back(why); }
};

struct World {
  Simulation simulation;
  Host host = simulation.host("server");
  std::shared_ptr<Refusals> refusals = std::make_shared<Refusals>();

  Deferred<Tcp::Server::Inet> serve(Faults faults = {}) {
    return host.within([this, faults] {
      return Tcp::Server::create(Tcp::on_port(443),
                                 {.proxy_protocol = std::make_shared<Faulty_upgrade>(faults),
                                  .tls = Tls::server(server_options()),
                                  .tls_timeout = 5s,
                                  .observer = refusals},
                                 echo_handler);
    });
  }
};

std::shared_ptr<const Tcp::Route> with(Faults faults) {
  return std::make_shared<Faulty_route>(faults);
}

/// Both are there, and the second one is served as if nothing had happened.
Deferred<> expect_served() {
  EXPECT_EQ(co_await ask(there(), "hello", {.tls = tls_client()}), "hello");
}

TEST(Tls_faults, of_a_network_that_gives_a_byte_at_a_time_do_not_matter) {
  World world;
  world.simulation.run([&]() -> Deferred<> {
    const auto server = co_await world.serve({.piece = 1});
    const std::string text(3000, 'x');
    EXPECT_EQ(co_await ask(there(), text, {.via = with({.piece = 1}), .tls = tls_client()}), text);
    EXPECT_EQ(server.counts().upgrade_errors, 0U);
  });
}

TEST(Tls_faults, of_a_network_that_splits_everything_anywhere_do_not_matter) {
  for (const std::size_t piece : {2, 3, 5, 100, 1000, 16 * 1024 + 1}) {
    World world;
    world.simulation.run([&]() -> Deferred<> {
      const auto server = co_await world.serve({.piece = piece});
      const std::string text(50'000, 'x');
      EXPECT_EQ(
          co_await ask(there(), text, {.via = with({.piece = piece + 1}), .tls = tls_client()}),
          text);
    });
  }
}

// At most so much is said by either side until the first answer of an echo server has come.
constexpr std::size_t more_than_a_handshake = 2500;

class Breaks : public ::testing::TestWithParam<bool> {};
INSTANTIATE_TEST_SUITE_P(Tls_faults, Breaks, ::testing::Bool(),
                         [](const auto& info) { return info.param ? "by_a_reset" : "by_an_end"; });

TEST_P(Breaks, of_a_client_at_any_byte_end_in_their_error_and_do_not_stop_the_server) {
  World world;
  world.simulation.run([&]() -> Deferred<> {
    const auto server = co_await world.serve();
    bool has_got_through = false;
    for (std::size_t after = 0; after < more_than_a_handshake; after += 23) {
      const auto broken = with({.break_after = after, .by_reset = GetParam()});
      const auto before = server.counts();
      const auto answer =
          co_await or_error(ask(there(), "hello", {.via = broken, .tls = tls_client()}));
      co_await Clock::after(1s);
      has_got_through |= answer && *answer == "hello";
      const auto counts = server.counts();
      const auto lost =
          counts.upgrade_errors + counts.peer_errors - before.upgrade_errors - before.peer_errors;
      // A handler that is told of a reset, or of an end in order, need not fail.
      EXPECT_TRUE(lost == 1 || GetParam() || (answer && *answer == "hello")) << after;
      EXPECT_LE(lost, 1U);
    }
    EXPECT_TRUE(has_got_through);
    EXPECT_GT(server.counts().upgrade_errors, 10U);
    EXPECT_EQ(server.counts().upgrade_errors, world.refusals->errors.size());
    for (const Error& error : world.refusals->errors) {
      EXPECT_TRUE(error.as<Tls::Error>() || error.as<Io_error>()) << error.what();
    }
    EXPECT_EQ(server.counts().handler_errors, 0U);
    EXPECT_EQ(server.num_connections(), 0);
    co_await expect_served();
  });
}

TEST_P(Breaks, of_a_server_at_any_byte_end_in_their_error) {
  World world;
  world.simulation.run([&]() -> Deferred<> {
    for (std::size_t after = 0; after < more_than_a_handshake; after += 23) {
      const auto server = co_await world.serve({.break_after = after, .by_reset = GetParam()});
      const auto answer =
          co_await or_error(ask(there(), "hello", {.timeout = 3s, .tls = tls_client()}));
      if (answer) {
        EXPECT_THAT(*answer, AnyOf("hello", HasSubstr("eof"))) << after;
      } else {
        const auto* connecting = answer.error().as<Tcp::Connect_error>();
        EXPECT_TRUE(connecting || answer.error().as<Tls::Error>() || answer.error().as<Io_error>())
            << answer.error().what();
        if (connecting) EXPECT_EQ(connecting->kind(), Tcp::Connect_error::Kind::Tls);
      }
      co_await server.close();
      co_await server.close_finished_and_handlers_determined();
    }
  });
}

TEST(Tls_faults, of_those_who_say_something_else_end_in_their_error) {
  World world;
  world.simulation.run([&]() -> Deferred<> {
    const auto server = co_await world.serve();
    std::string noise;
    for (int i = 0; i < 30'000; ++i) noise += static_cast<char>(i * 7919 >> 3);
    const std::vector<std::string> wrong{"GET / HTTP/1.1\r\n\r\n", "\r\n\r\n\r\n", noise,
                                         std::string("\x16\x03\x01\x40\x01", 5) + noise};
    for (const std::string& bytes : wrong) {
      const auto ended = co_await or_error(Tcp::with_connection(
          there(), [&](auto, Reader reader, Writer writer) -> Deferred<std::string> {
            writer.set_raise_when_consumer_leaves(false);
            writer.write(bytes);
            const auto alert = co_await reader.read_chunk();  // or only an end
            co_return alert ? std::string(*alert) : "";
          }));
      EXPECT_TRUE(!ended || ended->empty() || ended->starts_with('\x15')) << ended->substr(0, 5);
    }
    EXPECT_EQ(server.counts().upgrade_errors, wrong.size());
    for (const Error& error : world.refusals->errors) {
      const auto* tls = error.as<Tls::Error>();
      EXPECT_TRUE(tls && tls->kind() == Kind::Protocol) << error.what();
    }
    co_await expect_served();
  });
}

TEST(Tls_faults, of_those_who_say_nothing_end_by_the_timeout_and_nobody_waits_for_them) {
  World world;
  world.simulation.run([&]() -> Deferred<> {
    const auto server = co_await world.serve();
    std::vector<Tcp::Connected<Address::Inet>> silent;
    for (int i = 0; i < 20; ++i) {
      silent.push_back(co_await Tcp::connect(there()));
      // Half of them begin.
      if (i % 2 == 0) silent.back().writer.write(std::string("\x16\x03\x01\x02\x00\x01", 6));
    }
    const Time_ns before = Clock::now();
    co_await expect_served();
    EXPECT_LT(Clock::now() - before, 1s);
    co_await Clock::after(1s);
    EXPECT_EQ(server.num_connections(), 20);
    co_await Clock::after(4s);
    EXPECT_EQ(server.num_connections(), 0);
    EXPECT_EQ(server.counts().upgrade_errors, 20U);
    for (const Error& error : world.refusals->errors) {
      EXPECT_THAT(error.what(), HasSubstr("took too long"));
    }
    for (const auto& one : silent) co_await one.writer.abort();
  });
}

TEST(Tls_faults, of_a_silent_server_end_by_the_one_timeout_of_connecting) {
  World world;
  world.simulation.set_delay(world.simulation.host("localhost"), world.host, 1s);
  world.simulation.run([&]() -> Deferred<> {
    const auto server = co_await world.host.within([] {
      return Tcp::Server::create(
          Tcp::on_port(443),
          [](Address::Inet, Reader reader, Writer) -> Deferred<> { co_await reader.drain(); });
    });
    const Time_ns before = Clock::now();
    const auto late = co_await error_of<Tcp::Connect_error>(
        Tcp::connect(there(), {.timeout = 5s, .tls = tls_client()}));
    EXPECT_TRUE(late && late->kind() == Tcp::Connect_error::Kind::Timed_out);
    EXPECT_EQ(Clock::now() - before, 5s);

    Ivar<> interrupt;
    const auto connecting = error_of<Tcp::Connect_error>(
        Tcp::connect(there(), {.interrupt = interrupt.read(), .tls = tls_client()}));
    co_await Clock::after(10s);
    EXPECT_FALSE(connecting.is_determined());
    interrupt.fill();
    const Time_ns then = Clock::now();
    const auto interrupted = co_await connecting;
    EXPECT_TRUE(interrupted && interrupted->kind() == Tcp::Connect_error::Kind::Interrupted);
    EXPECT_EQ(Clock::now(), then);
  });
}

TEST(Tls_faults, of_a_server_that_is_closed_meanwhile_end_its_handshakes) {
  World world;
  world.simulation.run([&]() -> Deferred<> {
    const auto server = co_await world.serve();
    const auto silent = co_await Tcp::connect(there());
    co_await Clock::after(1s);
    EXPECT_EQ(server.num_connections(), 1);
    co_await server.close();
    co_await server.close_finished_and_handlers_determined();
    EXPECT_EQ(server.num_connections(), 0);
    EXPECT_EQ(co_await silent.reader.read(), clean_eof);
  });
}

TEST(Tls_faults, of_who_closes_while_the_other_side_sends_are_no_endless_exchange) {
  World world;
  world.simulation.run([&]() -> Deferred<> {
    const auto server = co_await world.serve();
    const auto connected = co_await Tcp::connect(there(), {.tls = tls_client()});
    connected.writer.write(std::string(1'000'000, 'x'));
    co_await Clock::after(1ms);
    co_await connected.writer.close();
    co_await Clock::after(60s);
    EXPECT_EQ(server.num_connections(), 0);
  });
  EXPECT_LT(world.simulation.trace().size(), 1'000'000U);
}

}  // namespace
}  // namespace async
