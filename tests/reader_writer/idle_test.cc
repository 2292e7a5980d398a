// Idle timeouts, the longest lifetime, and closing that waits for the other side.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "async/async.h"
#include "async/testing/simulation.h"
#include "tests/support/connected_pair.h"
#include "tests/support/fake_transport.h"

namespace async {
namespace {

using namespace std::chrono_literals;
using testing::Simulation;

TEST(Idle_timeout, closes_when_nothing_was_sent_or_received_for_that_long) {
  Simulation().run([]() -> Deferred<> {
    const Ends ends = co_await connected_pair({.limits = {.idle_timeout = Span(10s)}});
    const Time_ns start = Clock::now();
    co_await Clock::after(6s);
    ends.here.writer.write("sent");  // 6 s
    co_await Clock::after(6s);
    ends.there.writer.write("received");  // 12 s
    EXPECT_EQ(co_await ends.here.reader.read(), "received");
    EXPECT_EQ(co_await ends.here.reader.read(), closed_eof);
    EXPECT_EQ(Clock::now() - start, 22s);
    const Close_result result = co_await ends.here.writer.close_finished();
    EXPECT_EQ(result.reason, Close_reason::Idle);
    EXPECT_EQ(co_await ends.there.reader.contents(), "sent");
  });
}

TEST(Idle_timeout, is_not_hidden_by_a_paused_reader_nor_by_one_that_nobody_reads) {
  Simulation().run([]() -> Deferred<> {
    const Ends ends = co_await connected_pair({.limits = {.idle_timeout = Span(10s)}});
    ends.here.reader.pause();
    ends.here.reader.resume();
    ends.here.reader.pause();
    EXPECT_EQ((co_await ends.here.writer.close_finished()).reason, Close_reason::Idle);
  });
}

TEST(Idle_timeout, counts_what_drains_slowly_as_activity) {
  Simulation().run([]() -> Deferred<> {
    const auto wire = std::make_shared<Fake_wire>();
    wire->room = 0;
    const End end = fake_end(wire, {.idle_timeout = Span(10s)});
    end.writer.write(std::string(10, 'x'));
    for (int i = 0; i < 10; ++i) {
      co_await Clock::after(9s);
      wire->room = 1;
      wire->tell_writable();
    }
    EXPECT_EQ(co_await end.writer.flushed(), Flush_result::Flushed);
    EXPECT_FALSE(end.writer.is_closed());
    co_await Clock::after(10001ms);
    EXPECT_TRUE(end.writer.is_closed());
  });
}

TEST(Idle_timeout, aborts_when_what_waits_is_not_taken) {
  Simulation().run([]() -> Deferred<> {
    const auto wire = std::make_shared<Fake_wire>();
    wire->room = 0;
    const End end = fake_end(wire, {.idle_timeout = Span(10s)});
    end.writer.write("stuck");
    const Time_ns start = Clock::now();
    const Close_result result = co_await end.writer.close_finished();
    EXPECT_EQ(Clock::now() - start, 10s);
    EXPECT_EQ(result.reason, Close_reason::Idle);
    EXPECT_EQ(result.outcome, Flush_result::Force_closed);
    EXPECT_EQ(result.bytes_dropped, 5U);
    EXPECT_EQ(wire->closed, Transport::How::Reset);
  });
}

TEST(Idle_timeout, can_be_set_changed_and_taken_back_later) {
  Simulation().run([]() -> Deferred<> {
    const End end = fake_end(std::make_shared<Fake_wire>());
    end.writer.set_idle_timeout(Span(1s));
    co_await Clock::after(900ms);
    end.writer.set_idle_timeout(Span(1s));
    co_await Clock::after(900ms);
    end.writer.set_idle_timeout(std::nullopt);
    co_await Clock::after(1h);
    EXPECT_FALSE(end.writer.is_closed());
    end.writer.set_idle_timeout(Span(1s));
    EXPECT_EQ((co_await end.writer.close_finished()).reason, Close_reason::Idle);
    end.writer.set_idle_timeout(Span(1s));  // of no use any more
    co_await Clock::after(1h);
  });
}

TEST(Idle_timeout, ends_with_the_connection) {
  Simulation().run([]() -> Deferred<> {
    const auto wire = std::make_shared<Fake_wire>();
    wire->room = 0;
    const End end = fake_end(wire, {.idle_timeout = Span(10s), .max_lifetime = Span(20s)});
    end.writer.write("x");
    const Close_result result = co_await end.writer.close({.force_close = 25s});
    EXPECT_EQ(result.reason, Close_reason::Closed);
    EXPECT_EQ(result.outcome, Flush_result::Force_closed);
  });
}

TEST(Max_lifetime, closes_whatever_goes_on_but_flushes) {
  Simulation().run([]() -> Deferred<> {
    const Ends ends = co_await connected_pair({.limits = {.max_lifetime = Span(10s)}});
    const Time_ns start = Clock::now();
    int sent = 0;
    while (!ends.here.writer.is_closed()) {
      ends.here.writer.write("x");
      ++sent;
      co_await Clock::after(100ms);
    }
    EXPECT_EQ(Clock::now() - start, 10s);
    EXPECT_EQ((co_await ends.there.reader.contents()).size(), static_cast<std::size_t>(sent));
    const Close_result result = co_await ends.here.writer.close_finished();
    EXPECT_EQ(result.reason, Close_reason::Max_lifetime);
    EXPECT_EQ(result.outcome, Flush_result::Flushed);
  });
}

TEST(Idle, is_determined_after_that_much_silence_and_closes_nothing) {
  Simulation().run([]() -> Deferred<> {
    const Ends ends = co_await connected_pair();
    const Time_ns start = Clock::now();
    const auto idle = ends.here.writer.idle(10s);
    co_await Clock::after(5s);
    ends.here.writer.write("x");
    co_await idle;
    EXPECT_EQ(Clock::now() - start, 15s);
    EXPECT_FALSE(ends.here.writer.is_closed());
    const auto another = ends.here.writer.idle(10s);
    EXPECT_TRUE(another.is_determined());
    const auto longer = ends.here.writer.idle(1h);
    dont_wait_for(ends.here.writer.close().map([](const Close_result&) {}));
    co_await longer;
    EXPECT_EQ(Clock::now() - start, 15s);
  });
}

TEST(Close_that_waits, sends_its_end_and_goes_on_reading_until_the_other_side_ends) {
  Simulation().run([]() -> Deferred<> {
    const Ends ends = co_await connected_pair();
    ends.here.writer.write("question");
    const auto closed = ends.here.writer.close({.wait_for_peer = true});
    EXPECT_THROW(ends.here.writer.write("x"), Writer_closed);
    EXPECT_EQ(co_await ends.there.reader.contents(), "question");
    co_await Clock::after(5s);
    ends.there.writer.write("answer");
    EXPECT_EQ(co_await ends.here.reader.read(), "answer");
    EXPECT_FALSE(closed.is_determined());
    ends.there.writer.write("last");
    const auto there = ends.there.writer.close();
    const Close_result result = co_await closed;
    EXPECT_EQ(result,
              (Close_result{.outcome = Flush_result::Flushed, .peer_end = Eof::Reason::Clean}));
    EXPECT_EQ(co_await ends.here.reader.read(), "last");
    EXPECT_EQ(co_await ends.here.reader.read(), clean_eof);
    co_await there;
  });
}

TEST(Close_that_waits, needs_no_reader_to_see_the_end) {
  Simulation().run([]() -> Deferred<> {
    const Ends ends = co_await connected_pair();
    const auto closed = ends.here.writer.close({.wait_for_peer = true});
    ends.there.writer.write("unasked");
    co_await ends.there.writer.close();
    EXPECT_EQ((co_await closed).peer_end, Eof::Reason::Clean);
    EXPECT_EQ(ends.here.reader.read_available(), "unasked");
  });
}

TEST(Close_that_waits, waits_no_longer_than_force_close) {
  Simulation().run([]() -> Deferred<> {
    const Ends ends = co_await connected_pair();
    const Time_ns start = Clock::now();
    const Close_result silent =
        co_await ends.here.writer.close({.force_close = 5s, .wait_for_peer = true});
    EXPECT_EQ(silent, Close_result{});
    EXPECT_EQ(Clock::now() - start, 5s);

    const auto wire = std::make_shared<Fake_wire>();
    wire->room = 1;
    const End stuck = fake_end(wire);
    stuck.writer.write("xyz");
    const Close_result dropped =
        co_await stuck.writer.close({.force_close = 5s, .wait_for_peer = true});
    EXPECT_EQ(dropped.outcome, Flush_result::Force_closed);
    EXPECT_EQ(dropped.bytes_dropped, 2U);
  });
}

TEST(Close_that_waits, ends_at_once_when_the_other_side_has_ended_or_resets) {
  Simulation().run([]() -> Deferred<> {
    const Ends ends = co_await connected_pair();
    co_await ends.there.writer.close();
    EXPECT_EQ(co_await ends.here.reader.read(), clean_eof);
    const Time_ns start = Clock::now();
    EXPECT_EQ((co_await ends.here.writer.close({.wait_for_peer = true})).peer_end,
              Eof::Reason::Clean);

    const auto wire = std::make_shared<Fake_wire>();
    wire->room = 0;
    const End end = fake_end(wire);
    end.writer.write("x");
    const auto closed = end.writer.close({.wait_for_peer = true});
    wire->fail_reading(ECONNRESET);
    const Close_result result = co_await closed;
    EXPECT_EQ(result.outcome, Flush_result::Consumer_left);
    EXPECT_EQ(result.peer_end, Eof::Reason::Reset);
    EXPECT_EQ(Clock::now(), start);
  });
}

TEST(Close_that_waits, does_not_stay_paused) {
  Simulation().run([]() -> Deferred<> {
    const Ends ends = co_await connected_pair();
    ends.here.reader.pause();
    const auto read = ends.here.reader.read();
    const auto closed = ends.here.writer.close({.force_close = 5s, .wait_for_peer = true});
    co_await Clock::after(1s);
    EXPECT_FALSE(read.is_determined());
    ends.here.reader.resume();
    ends.there.writer.write("x");
    EXPECT_EQ(co_await read, "x");
    co_await ends.there.writer.close();
    EXPECT_EQ((co_await closed).peer_end, Eof::Reason::Clean);
  });
}

TEST(Close_reason, is_the_first_one_and_tells_how_the_other_side_had_ended) {
  Simulation().run([]() -> Deferred<> {
    const std::vector<std::pair<int, Eof::Reason>> ends{{ECONNRESET, Eof::Reason::Reset},
                                                        {ETIMEDOUT, Eof::Reason::Timed_out}};
    for (const auto& [error, reason] : ends) {
      const auto wire = std::make_shared<Fake_wire>();
      const End end = fake_end(wire);
      const auto read = end.reader.read();
      wire->fail_reading(error);
      co_await read;
      const auto closed = end.writer.close();
      dont_wait_for(end.connection->abort().map([](const Close_result&) {}));
      EXPECT_EQ((co_await closed).peer_end, reason);
      EXPECT_EQ((co_await closed).reason, Close_reason::Closed);
    }
  });
}

}  // namespace
}  // namespace async
