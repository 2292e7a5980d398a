// Handshake_io: reading and writing on a bare transport.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "async/testing/simulation.h"
#include "tcp/internal/handshake_io.h"
#include "tcp/tcp.h"
#include "tests/support/fake_transport.h"

namespace async {
namespace {

using namespace std::chrono_literals;
using Tcp::Stop;
using Tcp::internal::Handshake_io;
using ::testing::ElementsAre;
using testing::Simulation;

/// Runs `f(io, wire)` in a simulation, over a transport that does as `wire` says.
std::shared_ptr<Fake_wire> with_io(
    const std::function<Deferred<>(Handshake_io&, std::shared_ptr<Fake_wire>)>& f,
    Span timeout = 10s) {
  const auto wire = std::make_shared<Fake_wire>();
  Simulation().run([&]() -> Deferred<> {
    const Stop stop(timeout, never());
    Handshake_io io(std::make_unique<Fake_transport>(wire), stop, "the other");
    co_await f(io, wire);
  });
  EXPECT_TRUE(wire->closed);
  return wire;
}

std::string what(const Or_error<std::string>& result) {
  return result ? "value: " + *result : result.error().what();
}

/// What happens on the wire, later.
void later(Span delay, std::function<void()> f) {
  dont_wait_for(Clock::after(delay).map([f = std::move(f)] { f(); }));
}

TEST(Handshake_io, reads_as_much_as_it_is_asked_for) {
  with_io([](Handshake_io& io, std::shared_ptr<Fake_wire> wire) -> Deferred<> {
    wire->bytes_to_read = "abcdef";
    EXPECT_EQ(co_await io.read(3), "abc");
    EXPECT_EQ(wire->bytes_to_read, "def");
    EXPECT_EQ(co_await io.read(0), "");
    later(1s, [wire] { wire->arrive("gh"); });
    EXPECT_EQ(co_await io.read(5), "defgh");
  });
}

TEST(Handshake_io, reads_lines_of_a_limited_size) {
  with_io([](Handshake_io& io, std::shared_ptr<Fake_wire> wire) -> Deferred<> {
    wire->bytes_to_read = "first\n\nlast but one\r\nabcdef\n";
    EXPECT_EQ(co_await io.read_line(100), "first\n");
    EXPECT_EQ(co_await io.read_line(100), "\n");
    EXPECT_EQ(co_await io.read(5), "last ");
    EXPECT_EQ(co_await io.read_line(9), "but one\r\n");
    EXPECT_EQ(co_await io.read_line(6), "abcdef");
    EXPECT_EQ(co_await io.read_line(0), "");
  });
}

TEST(Handshake_io, has_no_more_of_a_line_buffered_than_it_may_be_long) {
  with_io([](Handshake_io& io, std::shared_ptr<Fake_wire> wire) -> Deferred<> {
    wire->bytes_to_read = "a\n" + std::string(100, 'x');
    EXPECT_EQ(co_await io.read_line(10), "a\n");
    EXPECT_EQ(io.buffered(), std::string(8, 'x'));
    EXPECT_EQ(wire->bytes_to_read.size(), 92U);
  });
}

TEST(Handshake_io, writes_all_even_if_there_is_room_for_little) {
  const auto wire = with_io([](Handshake_io& io, std::shared_ptr<Fake_wire> wire) -> Deferred<> {
    co_await io.write("");
    wire->room = 3;
    for (int i = 1; i <= 2; ++i) {
      later(Span(i * 1s), [wire] {
        wire->room = 4;
        wire->tell_writable();
      });
    }
    co_await io.write("0123456789");
  });
  EXPECT_THAT(wire->writes, ElementsAre("012", "3456", "789"));
}

TEST(Handshake_io, fails_when_the_time_is_up_in_either_direction) {
  with_io(
      [](Handshake_io& io, std::shared_ptr<Fake_wire> wire) -> Deferred<> {
        const Time_ns start = Clock::now();
        EXPECT_EQ(what(co_await or_error(io.read(1))), "the other took too long");
        EXPECT_EQ(Clock::now(), start + 10s);
        wire->room = 0;
        const auto written = co_await or_error(io.write("x"));
        EXPECT_STREQ(written.error().what(), "the other took too long");
        // What comes too late finds nobody.
        wire->arrive("late");
        wire->tell_writable();
        EXPECT_FALSE(wire->wants_readable);
        EXPECT_FALSE(wire->wants_writable);
      },
      10s);
}

TEST(Handshake_io, fails_at_the_end_and_with_errors) {
  with_io([](Handshake_io& io, std::shared_ptr<Fake_wire> wire) -> Deferred<> {
    later(1s, [wire] { wire->arrive("ab"); });
    later(2s, [wire] { wire->arrive(Io_result::eof()); });
    EXPECT_EQ(what(co_await or_error(io.read(3))),
              "the other closed the connection in the middle of the handshake");
    EXPECT_EQ(io.buffered(), "ab");
    wire->reads.push_back(Io_result::eof());
    EXPECT_EQ(what(co_await or_error(io.read_line(10))),
              "the other closed the connection in the middle of the handshake");
    wire->reads.push_back(Io_result::eof());
    EXPECT_FALSE(co_await io.read_more(1));
    later(1s, [wire] { wire->fail_reading(ECONNRESET); });
    EXPECT_EQ(what(co_await or_error(io.read(3))), "the other: connection reset by peer");
    wire->write_error = io_error_of_errno(EPIPE);
    EXPECT_STREQ((co_await or_error(io.write("x"))).error().what(), "the other: broken pipe");
  });
}

TEST(Handshake_io, does_not_hear_more_than_it_waits_for) {
  with_io([](Handshake_io& io, std::shared_ptr<Fake_wire> wire) -> Deferred<> {
    later(1s, [wire] { wire->arrive("a"); });
    EXPECT_EQ(co_await io.read(1), "a");
    wire->room = 0;
    const auto written = io.write("x");
    EXPECT_TRUE(wire->wants_writable);
    wire->tell_readable();
    EXPECT_FALSE(wire->wants_readable);  // else it would be told again and again
    wire->room = 1;
    wire->tell_writable();
    co_await written;
  });
}

TEST(Handshake_io, gives_the_transport_back_with_what_is_still_to_be_read) {
  with_io([](Handshake_io& io, std::shared_ptr<Fake_wire> wire) -> Deferred<> {
    wire->bytes_to_read = "line\nrest";
    EXPECT_EQ(co_await io.read_line(100), "line\n");
    const auto transport = io.finish();
    EXPECT_FALSE(wire->closed);
    EXPECT_EQ(wire->user, nullptr);
    std::string bytes(10, ' ');
    EXPECT_EQ(transport->read(bytes).bytes, 4U);
    EXPECT_EQ(bytes, "rest      ");
    EXPECT_EQ(transport->read(bytes).status, Io_result::Status::Would_block);
  });
}

TEST(Handshake_io, closes_the_transport_if_the_scheduler_ends_first) {
  const auto wire = std::make_shared<Fake_wire>();
  Simulation().run([&]() -> Deferred<> {
    dont_wait_for([](std::shared_ptr<Fake_wire> wire) -> Deferred<> {
      const Stop stop(10s, never());
      Handshake_io io(std::make_unique<Fake_transport>(wire), stop, "the other");
      co_await io.read(1);
      ADD_FAILURE();
    }(wire));
    co_await Clock::after(1s);
    EXPECT_FALSE(wire->closed);
  });
  EXPECT_TRUE(wire->closed);
}

}  // namespace
}  // namespace async
