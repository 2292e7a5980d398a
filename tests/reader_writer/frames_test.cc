// Frames, chunks, and putting bytes back.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "async/async.h"
#include "async/io/io_error.h"
#include "async/testing/simulation.h"
#include "tests/support/connected_pair.h"
#include "tests/support/fake_transport.h"

namespace async {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using testing::Simulation;
using Next = Handle_chunk_result;

TEST(Read_frame, gives_exactly_what_is_expected_however_it_arrives) {
  Simulation().run([]() -> Deferred<> {
    const auto wire = std::make_shared<Fake_wire>();
    const End end = fake_end(wire);
    end.reader.expect(4);
    const auto first = end.reader.read_frame();
    wire->arrive("on");
    EXPECT_FALSE(first.is_determined());
    wire->arrive("e.two.thr");
    EXPECT_EQ(co_await first, "one.");
    EXPECT_EQ(co_await end.reader.read_frame(), "two.");
    end.reader.expect(1);  // for what has arrived already
    EXPECT_EQ(co_await end.reader.read_frame(), "t");
    end.reader.expect(0);
    EXPECT_EQ(co_await end.reader.read_frame(), "hr");
    EXPECT_EQ(end.reader.expected(), 0U);
  });
}

TEST(Read_frame, of_any_size_is_at_least_a_byte) {
  Simulation().run([]() -> Deferred<> {
    const Ends ends = co_await connected_pair();
    const auto frame = ends.here.reader.read_frame();
    EXPECT_FALSE(co_await Clock::with_timeout(1h, frame));
    ends.there.writer.write("x");
    EXPECT_EQ(co_await frame, "x");
    co_await ends.there.writer.close();
    EXPECT_EQ(co_await ends.here.reader.read_frame(), clean_eof);
  });
}

TEST(Read_frame, follows_a_header_and_its_body) {
  Simulation().run([]() -> Deferred<> {
    const Ends ends = co_await connected_pair();
    for (const std::string_view body : {"one", "", "three"}) {
      ends.there.writer.write_char(static_cast<char>('0' + body.size()));
      ends.there.writer.write(body);
    }
    co_await ends.there.writer.close();
    std::vector<std::string> bodies;
    for (;;) {
      ends.here.reader.expect(1);
      const auto header = co_await ends.here.reader.read_frame();
      if (!header) break;
      const auto size = static_cast<std::size_t>((*header)[0] - '0');
      ends.here.reader.expect(size);
      bodies.emplace_back(size == 0 ? "" : *co_await ends.here.reader.read_frame());
    }
    EXPECT_THAT(bodies, ElementsAre("one", "", "three"));
  });
}

TEST(Expect, refuses_more_than_the_maximum_and_leaves_it_as_it_was) {
  Simulation().run([]() -> Deferred<> {
    const Ends ends = co_await connected_pair();
    ends.here.reader.expect(2, 10);
    EXPECT_THROW(ends.here.reader.expect(11, 10), Limit_exceeded);
    EXPECT_THROW(ends.here.reader.expect(std::size_t{1} << 40), Limit_exceeded);
    ends.there.writer.write("ab");
    EXPECT_EQ(co_await ends.here.reader.read_frame(), "ab");
  });
}

TEST(Read_frame, grows_the_buffer_for_a_large_one_and_an_idle_reader_holds_none) {
  Simulation().run([]() -> Deferred<> {
    const Ends ends = co_await connected_pair();
    ends.here.reader.set_buffer_size(100);
    const std::string frame(1'000'000, 'f');
    ends.here.reader.expect(frame.size());
    ends.there.writer.write(frame);
    EXPECT_TRUE(co_await ends.here.reader.read_frame() == frame);
    EXPECT_EQ(ends.here.reader.buffer_size(), 100U);
  });
}

TEST(Read_frame, within_which_the_other_side_ends_leaves_the_rest_to_be_read) {
  Simulation().run([]() -> Deferred<> {
    const Ends ends = co_await connected_pair();
    ends.here.reader.expect(10);
    ends.there.writer.write("part");
    co_await ends.there.writer.close();
    EXPECT_EQ(co_await ends.here.reader.read_frame(), clean_eof);
    EXPECT_EQ(co_await ends.here.reader.read(), "part");

    const auto wire = std::make_shared<Fake_wire>();
    const End end = fake_end(wire);
    end.reader.expect(10);
    const auto frame = or_error(end.reader.read_frame());
    wire->arrive("part");
    wire->fail_reading(ECONNRESET);
    EXPECT_TRUE((co_await frame).error().as<Io_error>());
    EXPECT_EQ(co_await end.reader.read(), "part");
  });
}

TEST(Set_buffer_size, is_how_much_is_read_at_once) {
  Simulation().run([]() -> Deferred<> {
    const auto wire = std::make_shared<Fake_wire>();
    const End end = fake_end(wire, {.reader_buffer_size = 8});
    auto chunk = end.reader.read_chunk();
    wire->arrive("0123456789");
    EXPECT_EQ(co_await chunk, "01234567");
    end.reader.set_buffer_size(3);
    chunk = end.reader.read_chunk();
    wire->arrive("abcd");
    EXPECT_EQ(co_await chunk, "89a");
    EXPECT_THROW(end.reader.set_buffer_size(0), std::invalid_argument);
    EXPECT_EQ(end.reader.buffer_size(), 3U);
  });
}

TEST(Chunks, come_with_the_rest_of_the_last_one_once_there_is_more) {
  Simulation().run([]() -> Deferred<> {
    const auto wire = std::make_shared<Fake_wire>();
    const End end = fake_end(wire);
    std::vector<std::string> seen;
    const auto result = end.reader.read_one_chunk_at_a_time([&](std::string_view chunk) {
      seen.emplace_back(chunk);
      if (chunk.ends_with('.')) return Next::stop(chunk.size() - 1);
      return chunk.size() < 3 ? Next::consumed(0, 5) : Next::consumed(2);
    });
    for (const char* bytes : {"ab", "cd", "e"}) {  // "cd" is less than is needed
      wire->arrive(bytes);
      co_await Scheduler::yield();
    }
    EXPECT_THAT(seen, ElementsAre("ab", "abcde", "cde", "e"));
    for (const char* bytes : {"12", "34."}) {
      wire->arrive(bytes);
      co_await Scheduler::yield();
    }
    EXPECT_EQ(co_await result, Chunks_result::Stopped);
    EXPECT_EQ(end.reader.read_available(), ".");
  });
}

TEST(Chunks, may_be_handled_by_a_coroutine_one_at_a_time) {
  Simulation().run([]() -> Deferred<> {
    const Ends ends = co_await connected_pair();
    std::string got;
    const auto result = ends.here.reader.read_one_chunk_at_a_time(
        [&, prefix = std::string("<")](std::string_view chunk) -> Deferred<Next> {
          got += prefix + std::string(chunk) + ">";
          co_await Clock::after(10ms);
          co_return Next::go_on();
        });
    for (const char* word : {"a", "b", "c"}) {
      ends.there.writer.write(word);
      co_await Clock::after(4ms);
    }
    co_await ends.there.writer.close();
    EXPECT_EQ(co_await result, Chunks_result::Eof);
    EXPECT_EQ(got, "<a><bc>");
  });
}

TEST(Chunks, that_are_not_used_up_at_the_end_can_be_read) {
  Simulation().run([]() -> Deferred<> {
    const Ends ends = co_await connected_pair();
    ends.there.writer.write("unfinished");
    co_await ends.there.writer.close();
    const auto result = co_await ends.here.reader.read_one_chunk_at_a_time(
        [](std::string_view) { return Next::consumed(2, 100); });
    EXPECT_EQ(result, Chunks_result::Eof_with_unconsumed_data);
    EXPECT_EQ(ends.here.reader.read_available(), "finished");
  });
}

TEST(Chunks, give_way_to_others_when_the_handler_yields) {
  Simulation().run([]() -> Deferred<> {
    const Ends ends = co_await connected_pair();
    ends.there.writer.write(std::string(100, 'x'));
    co_await ends.there.writer.close();
    int seen = 0;
    int others = 0;
    bool is_over = false;
    const auto other = [&]() -> Deferred<> {
      while (!is_over) {
        ++others;
        co_await Scheduler::yield();
      }
    };
    const Deferred<> turns = other();
    co_await ends.here.reader.read_one_chunk_at_a_time([&](std::string_view) {
      ++seen;
      return Next::yield(1);
    });
    is_over = true;
    co_await turns;
    EXPECT_EQ(seen, 100);
    EXPECT_GE(others, 100);
  });
}

TEST(Chunks, whose_handler_says_what_cannot_be_fail_and_stay) {
  Simulation().run([]() -> Deferred<> {
    const Ends ends = co_await connected_pair();
    ends.there.writer.write("abc");
    for (const Next wrong : {Next::consumed(4), Next::stop(4), Next::consumed(0, 3)}) {
      const auto result = co_await or_error(
          ends.here.reader.read_one_chunk_at_a_time([wrong](std::string_view) { return wrong; }));
      EXPECT_TRUE(result.error().as<std::out_of_range>());
    }
    const auto thrown = co_await or_error(ends.here.reader.read_one_chunk_at_a_time(
        [](std::string_view) -> Next { throw std::runtime_error("no"); }));
    EXPECT_STREQ(thrown.error().what(), "no");
    EXPECT_EQ(ends.here.reader.read_available(), "abc");
  });
}

TEST(Chunks, end_when_the_handler_closes_the_connection) {
  Simulation().run([]() -> Deferred<> {
    const Ends ends = co_await connected_pair();
    ends.there.writer.write("abc");
    const auto result = co_await ends.here.reader.read_one_chunk_at_a_time([&](std::string_view) {
      static_cast<void>(ends.here.writer.close());
      return Next::consumed(1);
    });
    EXPECT_EQ(result, Chunks_result::Eof);
  });
}

TEST(Peek_chunk, shows_all_that_is_there_and_consume_takes_what_it_is_told) {
  Simulation().run([]() -> Deferred<> {
    const Ends ends = co_await connected_pair();
    ends.there.writer.write("abcdef");
    EXPECT_EQ(co_await ends.here.reader.peek_chunk(2), "abcdef");
    EXPECT_EQ(ends.here.reader.bytes_read(), 0U);
    ends.here.reader.consume(4);
    EXPECT_THROW(ends.here.reader.consume(3), std::out_of_range);
    EXPECT_EQ(ends.here.reader.bytes_read(), 4U);
    const auto more = ends.here.reader.peek_chunk(3);
    EXPECT_THROW(ends.here.reader.consume(1), Reader_in_use);
    ends.there.writer.write("g");
    EXPECT_EQ(co_await more, "efg");
    EXPECT_TRUE(
        (co_await or_error(ends.here.reader.peek_chunk(9, 8))).error().as<Limit_exceeded>());
  });
}

TEST(Unread, puts_bytes_in_front_of_all_others) {
  Simulation().run([]() -> Deferred<> {
    const Ends ends = co_await connected_pair();
    ends.there.writer.write("cde");
    EXPECT_EQ(co_await ends.here.reader.read_char(), 'c');
    ends.here.reader.unread("c");
    ends.here.reader.unread("ab");
    EXPECT_EQ(ends.here.reader.read_available(), "abcde");
    ends.here.reader.unread(std::string(100'000, 'x') + "y");
    EXPECT_EQ(ends.here.reader.bytes_available(), 100'001U);
    EXPECT_EQ((co_await ends.here.reader.read_until('y'))->size(), 100'000U);
    ends.here.reader.unread("");
    const auto read = ends.here.reader.read();
    EXPECT_THROW(ends.here.reader.unread("x"), Reader_in_use);
    co_await ends.there.writer.close();
    EXPECT_EQ(co_await read, clean_eof);
    ends.here.reader.unread("z");
    EXPECT_FALSE(ends.here.reader.is_eof());
    EXPECT_EQ(co_await ends.here.reader.read_char(), 'z');
  });
}

TEST(Is_eof, is_true_once_the_end_was_seen_and_all_is_read) {
  Simulation().run([]() -> Deferred<> {
    const Ends ends = co_await connected_pair();
    ends.there.writer.write("ab");
    co_await ends.there.writer.close();
    EXPECT_FALSE(ends.here.reader.is_eof());
    EXPECT_EQ(co_await ends.here.reader.peek(3), clean_eof);
    EXPECT_FALSE(ends.here.reader.is_eof());
    EXPECT_EQ(co_await ends.here.reader.read(), "ab");
    EXPECT_TRUE(ends.here.reader.is_eof());
  });
}

}  // namespace
}  // namespace async
