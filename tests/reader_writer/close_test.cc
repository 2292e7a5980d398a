// Closing a connection, by its Reader, its Writer, or the last handle.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "async/async.h"
#include "async/io/io_error.h"
#include "async/testing/simulation.h"
#include "tests/support/captured_log.h"
#include "tests/support/connected_pair.h"
#include "tests/support/fake_transport.h"

namespace async {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::Host;
using ::testing::IsEmpty;
using testing::Simulation;

const Close_result all_flushed{.outcome = Flush_result::Flushed, .bytes_dropped = 0};
const Close_result all_flushed_after_peer{.outcome = Flush_result::Flushed,
                                          .peer_end = Eof::Reason::Clean};

TEST(Close, flushes_what_was_written) {
  Simulation().run([]() -> Deferred<> {
    const Ends ends = co_await connected_pair();
    ends.here.writer.write("last words");
    const auto closed = ends.here.writer.close();
    EXPECT_EQ(co_await ends.there.reader.contents(), "last words");
    EXPECT_EQ(co_await closed, all_flushed);
  });
}

TEST(Close, of_a_big_output_loses_nothing) {
  Simulation simulation;
  const Host far = simulation.host("far");
  simulation.run([&]() -> Deferred<> {
    const Ends ends = co_await connected_pair({.other = far});
    std::string sent(5'000'000, 'x');
    ends.here.writer.schedule(sent);
    const auto closed = ends.here.writer.close();
    EXPECT_TRUE(co_await ends.there.reader.contents() == sent);
    co_await ends.there.writer.close();
    EXPECT_EQ(co_await closed, all_flushed);
  });
}

TEST(Close, by_the_reader_is_the_same_one_close) {
  Simulation().run([]() -> Deferred<> {
    const Ends ends = co_await connected_pair();
    EXPECT_FALSE(ends.here.reader.is_closed());
    EXPECT_FALSE(ends.here.writer.is_closed());
    const auto finished = ends.here.reader.close_finished();
    ends.here.writer.write("words");
    const auto by_reader = ends.here.reader.close();
    EXPECT_TRUE(ends.here.reader.is_closed());
    EXPECT_TRUE(ends.here.writer.is_closed());
    EXPECT_EQ(co_await by_reader, all_flushed);
    EXPECT_EQ(co_await ends.here.writer.close(), all_flushed);
    EXPECT_EQ(co_await finished, all_flushed);
    EXPECT_EQ(co_await ends.here.writer.close_finished(), all_flushed);
    EXPECT_EQ(co_await ends.there.reader.contents(), "words");
  });
}

TEST(Close, called_twice_keeps_the_first_options) {
  Simulation().run([]() -> Deferred<> {
    const auto wire = std::make_shared<Fake_wire>();
    wire->room = 0;
    const End end = fake_end(wire, {.buffer_age_limit = Buffer_age_limit::unlimited()});
    const Time_ns start = Clock::now();
    end.writer.write("abc");
    const auto first = end.writer.close({.force_close = 10s});
    const auto second = end.writer.close({.force_close = 1h});
    const auto third = end.reader.close({.force_close = 1s});
    co_await first;
    EXPECT_EQ(Clock::now(), start + 10s);
    EXPECT_TRUE(second.is_determined() && third.is_determined());
  });
}

TEST(Close, gives_flushing_up_after_thirty_seconds) {
  Simulation().run([]() -> Deferred<> {
    const auto wire = std::make_shared<Fake_wire>();
    wire->room = 1;
    const End end = fake_end(wire);
    const Time_ns start = Clock::now();
    end.writer.write("abc");
    const Close_result expected{.outcome = Flush_result::Force_closed, .bytes_dropped = 2};
    EXPECT_EQ(co_await end.writer.close(), expected);
    EXPECT_EQ(Clock::now(), start + 30s);
    EXPECT_EQ(wire->closed, Transport::How::Reset);
  });
}

TEST(Close, with_no_time_to_flush_gives_up_at_once) {
  Simulation().run([]() -> Deferred<> {
    const auto wire = std::make_shared<Fake_wire>();
    wire->room = 0;
    const End end = fake_end(wire);
    const Time_ns start = Clock::now();
    end.writer.write("abc");
    EXPECT_EQ((co_await end.writer.close({.force_close = 0s})).bytes_dropped, 3U);
    EXPECT_EQ(Clock::now(), start);
  });
}

TEST(Close, ends_a_read_that_waits_and_later_ones) {
  Simulation().run([]() -> Deferred<> {
    const Ends ends = co_await connected_pair();
    ends.there.writer.write("unread");
    const auto read = ends.here.reader.read_line();
    co_await Clock::after(1s);
    const auto closed = ends.here.writer.close();
    EXPECT_EQ(co_await read, closed_eof);
    EXPECT_EQ(co_await ends.here.reader.read(), closed_eof);
    EXPECT_EQ(co_await ends.here.reader.read_char(), closed_eof);
    EXPECT_EQ(co_await ends.here.reader.peek(1), closed_eof);
    EXPECT_EQ(ends.here.reader.read_available(), "");
    EXPECT_EQ(ends.here.reader.bytes_available(), 0U);
    co_await closed;
    EXPECT_EQ(co_await ends.here.reader.read_chunk(), closed_eof);
  });
}

TEST(Close, from_the_callback_of_a_read_is_fine) {
  Simulation().run([]() -> Deferred<> {
    const Ends ends = co_await connected_pair();
    auto closed = ends.here.reader.read_line().bind(
        [end = ends.here](const Read_result<std::string>&) { return end.writer.close(); });
    ends.there.writer.write_line("go");
    EXPECT_EQ(co_await std::move(closed), all_flushed);
    EXPECT_EQ(co_await ends.there.reader.read(), clean_eof);
  });
}

TEST(Close, of_what_the_other_side_has_closed_needs_no_time) {
  Simulation().run([]() -> Deferred<> {
    const Ends ends = co_await connected_pair();
    ends.there.writer.write("bye");
    const auto closed = ends.there.writer.close();
    EXPECT_EQ(co_await ends.here.reader.contents(), "bye");
    const Time_ns start = Clock::now();
    EXPECT_EQ(co_await ends.here.writer.close(), all_flushed_after_peer);
    EXPECT_EQ(Clock::now(), start);
    EXPECT_EQ(co_await closed, all_flushed);
  });
}

TEST(Close, does_not_let_unread_input_destroy_what_was_flushed) {
  Simulation simulation;
  const Host far = simulation.host("far");
  simulation.run([&]() -> Deferred<> {
    const Ends ends = co_await connected_pair({.other = far});
    // The other side goes on sending, and nobody reads it here.
    ends.there.writer.write(std::string(100'000, 'x'));
    co_await Clock::after(1s);
    ends.here.writer.write("the answer");
    const auto closed = ends.here.writer.close();
    ends.there.writer.write(std::string(10'000, 'y'));
    EXPECT_EQ(co_await ends.there.reader.contents(), "the answer");
    co_await ends.there.writer.close();
    EXPECT_EQ(co_await closed, all_flushed);
  });
}

TEST(Close, throws_input_away_for_a_second_at_most) {
  Simulation simulation;
  const Host far = simulation.host("far");
  simulation.run([&]() -> Deferred<> {
    const Ends ends = co_await connected_pair({.other = far});
    const Time_ns start = Clock::now();
    ends.here.writer.write("x");
    const auto closed = ends.here.writer.close();  // and the other side keeps it open
    EXPECT_EQ(co_await closed, all_flushed);
    EXPECT_EQ(Clock::now(), start + 1s);
  });
}

TEST(Close, throws_only_so_much_input_away) {
  Simulation().run([]() -> Deferred<> {
    const auto wire = std::make_shared<Fake_wire>();
    const End end = fake_end(wire);
    wire->unacknowledged = 1;
    const auto closed = end.writer.close();
    EXPECT_FALSE(closed.is_determined());
    EXPECT_TRUE(wire->has_sent_end);
    wire->arrive(std::string(200'000, 'x'));
    EXPECT_FALSE(closed.is_determined());
    wire->arrive(std::string(100'000, 'x'));
    EXPECT_EQ(co_await closed, all_flushed);
  });
}

TEST(Close, ends_as_soon_as_the_other_side_does) {
  Simulation().run([]() -> Deferred<> {
    for (const Io_result end_of_input :
         {Io_result::eof(), Io_result::failed(io_error_of_errno(ECONNRESET))}) {
      const auto wire = std::make_shared<Fake_wire>();
      const End end = fake_end(wire);
      wire->unacknowledged = 1;
      const auto closed = end.writer.close();
      co_await Clock::after(500ms);
      EXPECT_FALSE(closed.is_determined());
      wire->arrive(end_of_input);
      EXPECT_TRUE(closed.is_determined());
      EXPECT_EQ(wire->closed, Transport::How::In_order);
    }
  });
}

TEST(Close_finished, closes_nothing) {
  Simulation().run([]() -> Deferred<> {
    const Ends ends = co_await connected_pair();
    EXPECT_FALSE(co_await Clock::with_timeout(1h, ends.here.writer.close_finished()));
    EXPECT_FALSE(co_await Clock::with_timeout(1h, ends.here.reader.close_finished()));
    EXPECT_FALSE(ends.here.writer.is_closed());
  });
}

TEST(Abort, closes_at_once_and_drops_what_waits) {
  Simulation().run([]() -> Deferred<> {
    const auto wire = std::make_shared<Fake_wire>();
    const End end = fake_end(wire);
    end.writer.write("abc");
    const auto read = end.reader.read();
    const auto aborted = end.connection->abort();
    EXPECT_EQ(wire->closed, Transport::How::Reset);
    const Close_result expected{
        .outcome = Flush_result::Force_closed, .bytes_dropped = 3, .reason = Close_reason::Aborted};
    EXPECT_EQ(co_await aborted, expected);
    EXPECT_EQ(co_await end.connection->abort(), expected);
    EXPECT_EQ(co_await end.writer.close(), expected);
    EXPECT_EQ(co_await read, closed_eof);
    co_await Clock::after(1s);
    EXPECT_EQ(wire->num_write_calls, 0);
  });
}

TEST(Abort, ends_a_close_that_is_under_way) {
  Simulation().run([]() -> Deferred<> {
    const auto wire = std::make_shared<Fake_wire>();
    wire->room = 0;
    const End end = fake_end(wire);
    end.writer.write("abc");
    const auto closed = end.writer.close();
    co_await Clock::after(1s);
    const Time_ns start = Clock::now();
    dont_wait_for(end.connection->abort().map([](const Close_result&) {}));
    EXPECT_EQ((co_await closed).outcome, Flush_result::Force_closed);
    EXPECT_EQ(Clock::now(), start);
  });
}

TEST(Shutdown_send, ends_one_way_and_leaves_the_other_open) {
  Simulation().run([]() -> Deferred<> {
    const Ends ends = co_await connected_pair();
    ends.here.writer.write("question");
    ends.here.writer.shutdown_send();
    ends.here.writer.shutdown_send();
    EXPECT_THROW(ends.here.writer.write("x"), Writer_closed);
    EXPECT_FALSE(ends.here.writer.is_closed());
    EXPECT_EQ(co_await ends.there.reader.contents(), "question");
    ends.there.writer.write("answer");
    EXPECT_EQ(co_await ends.here.reader.read(), "answer");
    co_await Clock::after(1h);
    ends.there.writer.write("more");
    EXPECT_EQ(co_await ends.here.reader.read(), "more");
    EXPECT_EQ(co_await ends.there.writer.close(), all_flushed_after_peer);
    EXPECT_EQ(co_await ends.here.reader.read(), clean_eof);
    EXPECT_EQ(co_await ends.here.writer.close(), all_flushed_after_peer);
  });
}

TEST(Shutdown_send, comes_after_all_that_waits) {
  Simulation().run([]() -> Deferred<> {
    const auto wire = std::make_shared<Fake_wire>();
    wire->room = 1;
    const End end = fake_end(wire);
    end.writer.write("ab");
    end.writer.shutdown_send();
    co_await Clock::after(1s);
    EXPECT_FALSE(wire->has_sent_end);
    wire->room = 1;
    wire->tell_writable();
    EXPECT_TRUE(wire->has_sent_end);
    EXPECT_EQ(co_await end.writer.flushed(), Flush_result::Flushed);
  });
}

TEST(Last_handle, closes_the_connection_and_flushes_it) {
  Simulation().run([]() -> Deferred<> {
    Ends ends = co_await connected_pair();
    std::optional<End> here(std::move(ends.here));
    {
      const Ends moved = co_await connected_pair();
      ends.here = moved.here;
    }
    here->writer.write("last words");
    here.reset();
    EXPECT_EQ(co_await ends.there.reader.contents(), "last words");
  });
}

TEST(Last_handle, is_a_read_that_is_under_way) {
  Simulation().run([]() -> Deferred<> {
    const auto wire = std::make_shared<Fake_wire>();
    std::optional<End> end(fake_end(wire));
    auto read = end->reader.read_line();
    end.reset();
    co_await Clock::after(1s);
    EXPECT_FALSE(wire->closed);
    wire->arrive("line\n");
    EXPECT_EQ(co_await std::move(read), "line");
    EXPECT_TRUE(wire->closed);
  });
}

TEST(Last_handle, is_not_a_read_that_was_given_up) {
  Simulation().run([]() -> Deferred<> {
    const auto wire = std::make_shared<Fake_wire>();
    std::optional<End> end(fake_end(wire));
    EXPECT_FALSE(co_await Clock::with_timeout(1s, end->reader.read_line()));
    EXPECT_FALSE(wire->closed);
    end.reset();
    EXPECT_TRUE(wire->closed);
  });
}

TEST(The_end_of_the_scheduler, closes_what_is_open_and_tells_nobody) {
  const auto wire = std::make_shared<Fake_wire>();
  std::optional<End> outlives;
  std::optional<Deferred<Read_result<std::string>>> read;
  std::optional<Deferred<Close_result>> closed;
  Simulation().run([&]() -> Deferred<> {
    outlives.emplace(fake_end(wire));
    outlives->writer.write("abc");
    read.emplace(outlives->reader.read());
    closed.emplace(outlives->writer.close_finished());
    co_return;
  });
  EXPECT_EQ(wire->written(), "abc");
  EXPECT_TRUE(wire->closed);
  EXPECT_FALSE(read->is_determined());
  EXPECT_FALSE(closed->is_determined());
  EXPECT_TRUE(outlives->writer.is_closed());
  EXPECT_EQ(outlives->writer.bytes_written(), 3U);
  outlives.reset();
}

}  // namespace
}  // namespace async
