// Starting TLS on connections that have begun without it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "async/testing/simulation.h"
#include "tcp/tcp.h"
#include "tcp/tls/tls.h"
#include "tests/support/captured_log.h"
#include "tests/support/connected_pair.h"
#include "tests/tls/certificates.h"

namespace async {
namespace {

using namespace std::chrono_literals;
using testing::Simulation;
using Tls::Start_tls_refusal;

auto start_client(const End& end, Tls::Start_tls_options options = {.peer = "server"}) {
  return Tls::start_tls(end.writer, tls_client(), std::move(options));
}
auto start_server(const End& end) {
  return Tls::start_tls(end.writer, Tls::server(server_options()));
}

TEST(Start_tls, goes_on_encrypted_with_the_same_reader_and_writer) {
  Simulation().run([]() -> Deferred<> {
    const Ends ends = co_await connected_pair();
    ends.here.writer.write_line("STARTTLS");
    EXPECT_EQ(co_await ends.there.reader.read_line(), "STARTTLS");
    ends.there.writer.write_line("go ahead");
    EXPECT_EQ(co_await ends.here.reader.read_line(), "go ahead");
    EXPECT_FALSE(Tls::info(ends.here.writer));

    const auto server = start_server(ends.there);
    const auto client = co_await start_client(ends.here);
    EXPECT_TRUE(client.has_value());
    if (client) {
      EXPECT_EQ(client->version, Tls::Version::Tls_1_3);
      EXPECT_EQ(client->peer->dns_names.front(), "server");
    }
    EXPECT_TRUE((co_await server).has_value());
    EXPECT_EQ(Tls::info(ends.there.writer)->server_name, "server");
    ends.here.writer.write_line("secret");
    EXPECT_EQ(co_await ends.there.reader.read_line(), "secret");
    ends.there.writer.write_line("answer");
    EXPECT_EQ(co_await ends.here.reader.read_line(), "answer");
    co_await ends.here.writer.close();
    EXPECT_EQ(co_await ends.there.reader.read(), clean_eof);
  });
}

TEST(Start_tls, sends_what_is_written_meanwhile_encrypted_and_gives_reads_what_is_decrypted) {
  Simulation simulation;
  const testing::Host far = simulation.host("far");
  simulation.run([&]() -> Deferred<> {
    const Ends ends = co_await connected_pair({.other = far});
    const auto client = start_client(ends.here);
    ends.here.writer.write_line("early");
    EXPECT_EQ(ends.here.writer.try_write("x"), std::unexpected(Send_error::Upgrading));
    const auto line = ends.here.reader.read_line();
    const auto server = start_server(ends.there);
    EXPECT_TRUE((co_await client).has_value());
    EXPECT_TRUE((co_await server).has_value());
    EXPECT_EQ(co_await ends.there.reader.read_line(), "early");
    ends.there.writer.write_line("back");
    EXPECT_EQ(co_await line, "back");
  });
}

TEST(Start_tls, refuses_without_any_effect) {
  Simulation().run([]() -> Deferred<> {
    const auto refused = [](Start_tls_refusal why) { return std::unexpected(why); };
    const Ends ends = co_await connected_pair();
    const End& here = ends.here;
    // Unread, which somebody in between may have sent along.
    ends.there.writer.write("go ahead\ninjected");
    EXPECT_EQ(co_await here.reader.read_line(), "go ahead");
    EXPECT_FALSE((co_await start_client(here)).has_value());
    EXPECT_EQ((co_await start_client(here)).error(), Start_tls_refusal::Not_ready);
    EXPECT_EQ(here.reader.read_available(), "injected");
    // Unwritten.
    here.writer.write("queued");
    EXPECT_EQ((co_await start_client(here)).error(), Start_tls_refusal::Not_ready);
    EXPECT_EQ(co_await ends.there.reader.read(), "queued");
    // Being read, and paused.
    {
      const auto read = here.reader.read();
      EXPECT_EQ((co_await start_client(here)).error(), Start_tls_refusal::Not_ready);
      ends.there.writer.write("x");
      EXPECT_EQ(co_await read, "x");
    }
    here.reader.pause();
    EXPECT_EQ((co_await start_client(here)).error(), Start_tls_refusal::Not_ready);
    here.reader.resume();
    // No session.
    const Captured_log log;
    EXPECT_EQ((co_await Tls::start_tls(here.writer, tls_client({.verified_name = ""}))).error(),
              Start_tls_refusal::Session_failed);
    // It is as it was.
    here.writer.write("still plain");
    EXPECT_EQ(co_await ends.there.reader.read(), "still plain");

    const auto client = start_client(here);
    EXPECT_EQ((co_await start_client(here)).error(), Start_tls_refusal::Already_tls);
    EXPECT_TRUE((co_await start_server(ends.there)).has_value());
    EXPECT_TRUE((co_await client).has_value());
    EXPECT_EQ((co_await start_client(here)).error(), Start_tls_refusal::Already_tls);
    co_await here.writer.close();
    EXPECT_EQ((co_await start_client(here)).error(), Start_tls_refusal::Not_connected);
    static_cast<void>(refused);
  });
}

TEST(Start_tls, that_fails_closes_the_connection_and_says_why_to_everybody) {
  Simulation().run([]() -> Deferred<> {
    const Ends ends = co_await connected_pair();
    const auto server = or_error(start_server(ends.there));
    const auto client = or_error(start_client(ends.here, {.peer = "somebody.else"}));
    const auto read = or_error(ends.here.reader.read());
    const auto why = co_await client;
    EXPECT_EQ(why.error().as<Tls::Error>()->kind(), Tls::Error::Kind::Wrong_host);
    EXPECT_TRUE((co_await read).error().as<Tls::Error>());
    const Close_result closed = co_await ends.here.writer.close_finished();
    EXPECT_EQ(closed.reason, Close_reason::Error);
    EXPECT_FALSE((co_await server).has_value());
    EXPECT_TRUE(ends.there.writer.is_closed());
  });
}

TEST(Start_tls, of_a_silent_side_ends_by_its_timeout_an_interrupt_or_closing) {
  Simulation().run([]() -> Deferred<> {
    const Ivar<> interrupt;
    for (int i = 0; i < 3; ++i) {
      const Ends ends = co_await connected_pair();
      const Time_ns start = Clock::now();
      const auto started = or_error(start_client(
          ends.here,
          {.peer = "server", .timeout = 5s, .interrupt = i == 1 ? interrupt.read() : never()}));
      co_await Clock::after(1s);
      if (i == 1) interrupt.fill();
      if (i == 2) static_cast<void>(ends.here.writer.close());
      EXPECT_FALSE((co_await started).has_value());
      EXPECT_EQ(Clock::now() - start, i == 0 ? 5s : 1s);
      EXPECT_TRUE(ends.here.writer.is_closed());
      co_await ends.here.writer.close_finished();
    }
  });
}

TEST(Start_tls, takes_nothing_that_came_in_clear_for_encrypted) {
  Simulation().run([]() -> Deferred<> {
    const Ends ends = co_await connected_pair();
    // It is with the system, where no program can see it.
    ends.there.writer.write("injected before the handshake");
    co_await ends.there.writer.flushed();
    const auto why = co_await or_error(start_client(ends.here));
    EXPECT_TRUE(why.error().as<Tls::Error>());
    if (const auto* error = why.error().as<Tls::Error>()) {
      EXPECT_EQ(error->kind(), Tls::Error::Kind::Protocol);
    }
  });
}

}  // namespace
}  // namespace async
