// What other TCP interfaces do with TLS, and the faults that they had there: see
// tests/seeds/README.md, which says which row is tested where.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "async/testing/simulation.h"
#include "tcp/tcp.h"
#include "tcp/tls/tls.h"
#include "tests/support/connected_pair.h"
#include "tests/support/echo_server.h"
#include "tests/tls/certificates.h"

namespace async {
namespace {

using namespace std::chrono_literals;
using testing::Host;
using testing::Simulation;
using Next = Handle_chunk_result;

/// A connection on which TLS has been started, from this machine to `far`.
Deferred<Ends> tls_pair(Host far) {
  Ends ends = co_await connected_pair({.other = std::move(far)});
  const auto server = Tls::start_tls(ends.there.writer, Tls::server(server_options()));
  EXPECT_TRUE((co_await Tls::start_tls(ends.here.writer, tls_client(), {.peer = "server"})));
  EXPECT_TRUE((co_await server));
  for (const End& end : {ends.here, ends.there}) end.writer.set_raise_when_consumer_leaves(false);
  co_return ends;
}

struct World {
  Simulation simulation;
  Host far = simulation.host("server");
};

TEST(Seeds_over_tls, L10_a_client_whose_handshake_fails_is_never_seen_and_frees_its_place) {
  World world;
  world.simulation.run([&]() -> Deferred<> {
    const auto server = co_await world.far.within([] {
      return Tcp::Server::create(Tcp::on_port(443),
                                 {.max_connections = 1, .tls = Tls::server(server_options())},
                                 echo_handler);
    });
    const auto where = Tcp::to_host_and_port("server", 443);
    for (int i = 0; i < 5; ++i) {
      const auto refuses = tls_client({.verified_name = "other"});
      EXPECT_FALSE(co_await or_error(Tcp::connect(where, {.tls = refuses})));
    }
    EXPECT_EQ(co_await ask(where, "hello", {.tls = tls_client()}), "hello");
    EXPECT_EQ(server.counts().upgrade_errors, 5U);
    EXPECT_EQ(server.counts().handler_errors, 0U);
  });
}

TEST(Seeds_over_tls, L29_T32_the_end_of_the_other_side_lets_what_waits_leave_and_is_in_order) {
  World world;
  world.simulation.run([&]() -> Deferred<> {
    const Ends ends = co_await tls_pair(world.far);
    const std::string much(2'000'000, 'x');
    ends.here.writer.write(much);
    const auto flushed = ends.here.writer.flushed();
    ends.there.writer.write("bye");
    ends.there.writer.shutdown_send();
    EXPECT_EQ(co_await ends.here.reader.contents(), "bye");
    for (int i = 0; i < 3; ++i) EXPECT_EQ(co_await ends.here.reader.read(), clean_eof);
    EXPECT_FALSE(flushed.is_determined());
    const auto closed = ends.here.writer.close();
    EXPECT_TRUE(co_await ends.there.reader.contents() == much);  // which fails if it is cut off
    EXPECT_EQ(co_await flushed, Flush_result::Flushed);
    EXPECT_EQ((co_await closed).bytes_dropped, 0U);
    co_await ends.there.writer.close();
  });
}

TEST(Seeds_over_tls, L42_a_connection_that_dies_tells_of_each_send_once) {
  World world;
  world.simulation.run([&]() -> Deferred<> {
    const Ends ends = co_await tls_pair(world.far);
    std::vector<Deferred<Flush_result>> outcomes;
    for (int i = 0; i < 200; ++i) {
      ends.here.writer.write(std::string(20'000, 'x'));
      outcomes.push_back(ends.here.writer.flushed());
      if (i % 10 == 0) co_await Scheduler::yield();
    }
    co_await ends.there.reader.really_read(100'000);
    co_await ends.there.writer.abort();
    EXPECT_EQ(co_await outcomes.front(), Flush_result::Flushed);
    EXPECT_EQ(co_await outcomes.back(), Flush_result::Consumer_left);
    bool has_left = true;
    for (const auto& outcome : outcomes) {
      const bool is_flushed = co_await outcome == Flush_result::Flushed;
      EXPECT_TRUE(has_left || !is_flushed);
      has_left = is_flushed;
    }
    EXPECT_EQ(ends.here.writer.try_write("x"), std::unexpected(Send_error::Not_connected));
    co_await ends.here.writer.close();
  });
}

TEST(Seeds_over_tls, L49_frames_are_cut_from_what_is_decrypted) {
  World world;
  world.simulation.run([&]() -> Deferred<> {
    const Ends ends = co_await tls_pair(world.far);
    const auto frames = [](Reader reader) -> Deferred<int> {
      int number = 0;
      for (;;) {
        reader.expect(static_cast<std::size_t>(1 + number * 7 % 40'000));
        const auto frame = co_await reader.read_frame();
        if (!frame) co_return number;
        EXPECT_EQ(frame->find_first_not_of(static_cast<char>('a' + number % 26)),
                  std::string_view::npos);
        ++number;
      }
    };
    const Deferred<int> read = frames(ends.there.reader);
    for (int i = 0; i < 1'000; ++i) {
      ends.here.writer.write(std::string(static_cast<std::size_t>(1 + i * 7 % 40'000),
                                         static_cast<char>('a' + i % 26)));
      co_await ends.here.writer.pushed_back();
    }
    co_await ends.here.writer.close();
    EXPECT_EQ(co_await read, 1'000);
  });
}

// The handshake takes longer than the connection may be idle.
TEST(Seeds_over_tls, T16_the_idle_timeout_begins_once_when_the_handshake_is_over) {
  World world;
  world.simulation.set_delay(world.simulation.host("localhost"), world.far, 3s);
  world.simulation.run([&]() -> Deferred<> {
    co_await world.far.within([] {
      return Tcp::Server::create(Tcp::on_port(443), {.tls = Tls::server(server_options())},
                                 echo_handler);
    });
    const auto [socket, reader, writer] = co_await Tcp::connect(
        Tcp::to_host_and_port("server", 443), {.tls = tls_client(), .idle_timeout = 7s});
    const Time_ns start = Clock::now();
    co_await Clock::after(5s);
    EXPECT_FALSE(writer.is_closed());
    writer.write_line("hello");
    EXPECT_EQ(co_await reader.read_line(), "hello");
    EXPECT_EQ(Clock::now() - start, 11s);
    EXPECT_EQ((co_await writer.close_finished()).reason, Close_reason::Idle);
    EXPECT_GE(Clock::now() - start, 18s);
  });
}

struct On_received final : Connection_observer {
  explicit On_received(std::function<void()> f) : f(std::move(f)) {}
  void received(const Connection_info&, std::size_t) override { f(); }
  const std::function<void()> f;
};

TEST(Seeds_over_tls, T24_a_connection_may_be_aborted_by_whatever_hears_of_it) {
  World world;
  world.simulation.run([&]() -> Deferred<> {
    const std::vector<std::function<void(const End&)>> ways = {
        [](const End& end) {
          const Writer writer = end.writer;
          dont_wait_for(end.reader
                            .read_one_chunk_at_a_time([writer](std::string_view) {
                              static_cast<void>(writer.abort());
                              return Next::consumed(1);
                            })
                            .map([](Chunks_result) {}));
        },
        [](const End& end) {
          const Writer writer = end.writer;
          end.reader.read_char().upon(
              [writer](const Read_result<char>&) { static_cast<void>(writer.abort()); });
        },
        [](const End& end) {
          const Writer writer = end.writer;
          writer.observe(
              std::make_shared<On_received>([writer] { static_cast<void>(writer.abort()); }));
          dont_wait_for(end.reader.read().map([](const Read_result<std::string>&) {}));
        },
        [](const End& end) {
          const Writer writer = end.writer;
          writer.write("x");
          writer.flushed().upon([writer](Flush_result) { static_cast<void>(writer.abort()); });
        },
    };
    for (const auto& bring_about : ways) {
      const Ends ends = co_await tls_pair(world.far);
      bring_about(ends.here);
      ends.there.writer.write("one");
      ends.there.writer.write(std::string(100'000, 'x'));
      EXPECT_EQ((co_await ends.here.writer.close_finished()).reason, Close_reason::Aborted);
      co_await ends.there.writer.abort();
    }
    // As soon as the handshake is over, and within it.
    for (const Span after : {Span(0s), Span(1ms), Span(2ms), Span(3ms)}) {
      const Ends ends = co_await connected_pair({.other = world.far});
      const auto server =
          or_error(Tls::start_tls(ends.there.writer, Tls::server(server_options())));
      const auto client =
          or_error(Tls::start_tls(ends.here.writer, tls_client(), {.peer = "server"}));
      client.upon([writer = ends.here.writer](const auto&) { static_cast<void>(writer.abort()); });
      co_await Clock::after(after);
      if (after < Span(3ms)) static_cast<void>(ends.here.writer.abort());
      co_await ends.here.writer.close_finished();
      co_await client;
      co_await ends.there.writer.abort();
      co_await server;
    }
  });
}

// Both lines are in one record.
TEST(Seeds_over_tls, T25_pausing_holds_back_what_is_decrypted_already) {
  World world;
  world.simulation.run([&]() -> Deferred<> {
    const Ends ends = co_await tls_pair(world.far);
    ends.there.writer.write("first\nsecond\n");
    EXPECT_EQ(co_await ends.here.reader.read_line(), "first");
    ends.here.reader.pause();
    const auto second = ends.here.reader.read_line();
    EXPECT_FALSE(co_await Clock::with_timeout(1h, second));
    ends.here.reader.resume();
    EXPECT_EQ(co_await second, "second");
    co_await ends.here.writer.close();
  });
}

TEST(Seeds_over_tls, T31_handshakes_that_fail_disturb_no_other_connection) {
  World world;
  world.simulation.run([&]() -> Deferred<> {
    const auto server = co_await world.far.within([] {
      return Tcp::Server::create(Tcp::on_port(443), {.tls = Tls::server(server_options())},
                                 echo_handler);
    });
    const auto where = Tcp::to_host_and_port("server", 443);
    const std::string much(10'000'000, 'x');
    const auto exchange =
        Tcp::with_connection(where, {.tls = tls_client()}, [&](auto, Reader reader, Writer writer) {
          writer.write(much);  // at once
          writer.shutdown_send();
          return reader.contents();
        });
    int failures = 0;
    while (!exchange.is_determined()) {
      // Some do not trust it, some do not speak TLS.
      const auto refuses =
          Tls::client({.trust = Tls::Trust::roots(Certificates::get().chain("expired"))});
      if (!co_await or_error(Tcp::connect(where, {.tls = refuses}))) ++failures;
      const std::string answer = co_await ask(where, "in clear");
      EXPECT_NE(answer, "in clear");
    }
    EXPECT_TRUE(co_await exchange == much);
    EXPECT_GT(failures, 2);
    EXPECT_GE(server.counts().upgrade_errors, 4U);
  });
}

}  // namespace
}  // namespace async
