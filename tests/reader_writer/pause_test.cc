// Pausing a reader: nothing is delivered meanwhile, and nothing is lost by it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "async/async.h"
#include "async/testing/simulation.h"
#include "tests/support/connected_pair.h"
#include "tests/support/fake_transport.h"

namespace async {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using testing::Simulation;

TEST(Pause, holds_back_a_read_under_way_and_what_has_arrived_already) {
  Simulation().run([]() -> Deferred<> {
    const Ends ends = co_await connected_pair();
    ends.there.writer.write_line("first");
    ends.there.writer.write_line("second");
    EXPECT_EQ(co_await ends.here.reader.read_line(), "first");
    ends.here.reader.pause();
    ends.here.reader.pause();
    EXPECT_TRUE(ends.here.reader.is_paused());
    EXPECT_EQ(ends.here.reader.read_available(), "");
    const auto second = ends.here.reader.read_line();
    EXPECT_FALSE(co_await Clock::with_timeout(1h, second));
    ends.here.reader.resume();
    EXPECT_FALSE(second.is_determined());  // in a job
    EXPECT_EQ(co_await second, "second");
    ends.here.reader.resume();
    EXPECT_FALSE(ends.here.reader.is_paused());
  });
}

TEST(Pause, slows_the_other_side_down_and_leaves_nobody_deaf) {
  Simulation simulation;
  const testing::Host far = simulation.host("far");
  simulation.run([&]() -> Deferred<> {
    const Ends ends = co_await connected_pair({.other = far});
    const std::string all(3'000'000, 'x');
    ends.there.writer.schedule(all);
    ends.there.writer.shutdown_send();
    std::string got;
    int pauses = 0;
    const auto wake = [reader = ends.here.reader]() -> Deferred<> {
      co_await Clock::after(10ms);
      reader.resume();
    };
    while (auto chunk = co_await ends.here.reader.read_chunk()) {
      got += *chunk;
      ends.here.reader.pause();
      ++pauses;
      dont_wait_for(wake());
    }
    EXPECT_EQ(got.size(), all.size());
    EXPECT_GT(pauses, 40);
  });
}

TEST(Pause, within_what_a_read_leads_to_counts_for_the_next_read) {
  Simulation().run([]() -> Deferred<> {
    const Ends ends = co_await connected_pair();
    ends.there.writer.write("abcdef");
    std::string got;
    int depth = 0;
    const std::function<void()> read = [&] {
      ends.here.reader.read_char().upon([&](const Read_result<char>& c) {
        if (!c) return;
        EXPECT_EQ(depth++, 0);  // resuming never delivers within itself
        got += *c;
        ends.here.reader.pause();
        read();
        ends.here.reader.resume();
        --depth;
      });
    };
    read();
    co_await Clock::after(1s);
    EXPECT_EQ(got, "abcdef");
    co_await ends.there.writer.close();
    co_await Clock::after(1s);
  });
}

TEST(Pause, does_not_hold_back_closing_nor_what_is_written) {
  Simulation().run([]() -> Deferred<> {
    const Ends ends = co_await connected_pair();
    const auto read = ends.here.reader.read();
    ends.here.reader.pause();
    ends.here.writer.write("bye");
    const auto closed = ends.here.writer.close();
    EXPECT_EQ(co_await read, closed_eof);
    EXPECT_EQ(co_await ends.there.reader.contents(), "bye");
    EXPECT_EQ((co_await closed).outcome, Flush_result::Flushed);
    ends.here.reader.pause();
    EXPECT_FALSE(ends.here.reader.is_paused());
    EXPECT_EQ(co_await ends.here.reader.read(), closed_eof);
  });
}

TEST(Pause, shows_an_end_and_a_reset_after_it) {
  Simulation().run([]() -> Deferred<> {
    const auto wire = std::make_shared<Fake_wire>();
    const End end = fake_end(wire);
    const auto read = end.reader.read();
    end.reader.pause();
    wire->arrive(Io_result::failed(io_error_of_errno(ECONNRESET)));
    EXPECT_FALSE(wire->wants_readable);
    EXPECT_FALSE(read.is_determined());
    end.reader.resume();
    EXPECT_TRUE(wire->wants_readable);
    wire->tell_readable();
    EXPECT_EQ(co_await read, reset_eof);
  });
}

TEST(Pause, again_before_what_resuming_began_still_holds) {
  Simulation().run([]() -> Deferred<> {
    const Ends ends = co_await connected_pair();
    ends.there.writer.write("ab");
    EXPECT_EQ(co_await ends.here.reader.read_char(), 'a');
    ends.here.reader.pause();
    const auto b = ends.here.reader.read_char();
    ends.here.reader.resume();
    ends.here.reader.pause();
    EXPECT_FALSE(co_await Clock::with_timeout(1s, b));
    ends.here.reader.resume();
    EXPECT_EQ(co_await b, 'b');
  });
}

TEST(Timeout, of_a_read_loses_no_byte) {
  Simulation().run([]() -> Deferred<> {
    const Ends ends = co_await connected_pair();
    const auto send_slowly = [writer = ends.there.writer]() -> Deferred<> {
      for (int i = 0; i < 100; ++i) {
        writer.write(std::to_string(i % 10));
        co_await Clock::after(7ms);
      }
      co_await writer.close();
    };
    const Deferred<> sent = send_slowly();
    std::string got;
    int timeouts = 0;
    for (;;) {
      const auto read = co_await Clock::with_timeout(10ms, ends.here.reader.really_read(4));
      if (!read) {
        ++timeouts;
      } else if (*read) {
        got += **read;
      } else {
        break;
      }
    }
    co_await sent;
    std::string expected;
    for (int i = 0; i < 100; ++i) expected += std::to_string(i % 10);
    EXPECT_EQ(got, expected);
    EXPECT_GT(timeouts, 30);
  });
}

}  // namespace
}  // namespace async
