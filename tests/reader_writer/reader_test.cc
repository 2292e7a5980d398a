// Reader: read, read_chunk, read_char, read_available, and what all reads have in common.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "async/async.h"
#include "async/testing/simulation.h"
#include "tests/support/bytes_in_use.h"
#include "tests/support/connected_pair.h"
#include "tests/support/fake_transport.h"

namespace async {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using testing::Simulation;

TEST(Reader, read_gives_what_has_arrived) {
  Simulation().run([]() -> Deferred<> {
    const Ends ends = co_await connected_pair();
    ends.there.writer.write("hello");
    EXPECT_EQ(co_await ends.here.reader.read(), "hello");
    ends.there.writer.write("again");
    EXPECT_EQ(co_await ends.here.reader.read(), "again");
  });
}

TEST(Reader, read_waits_for_something_to_arrive) {
  Simulation().run([]() -> Deferred<> {
    const Ends ends = co_await connected_pair();
    const auto read = ends.here.reader.read();
    co_await Clock::after(1h);
    EXPECT_FALSE(read.is_determined());
    ends.there.writer.write("x");
    EXPECT_EQ(co_await read, "x");
  });
}

TEST(Reader, read_gives_at_most_so_many_bytes) {
  Simulation().run([]() -> Deferred<> {
    const Ends ends = co_await connected_pair();
    ends.there.writer.write("hello");
    EXPECT_EQ(co_await ends.here.reader.read(2), "he");
    EXPECT_EQ(co_await ends.here.reader.read(1), "l");
    EXPECT_EQ(co_await ends.here.reader.read(10), "lo");
  });
}

TEST(Reader, read_of_no_bytes_waits_for_nothing) {
  Simulation().run([]() -> Deferred<> {
    const Ends ends = co_await connected_pair();
    EXPECT_EQ(co_await ends.here.reader.read(0), "");
    EXPECT_EQ(co_await ends.here.reader.read(std::span<char>()), 0U);
    EXPECT_EQ(co_await ends.here.reader.really_read(0), "");
    EXPECT_EQ(co_await ends.here.reader.peek(0), "");
  });
}

TEST(Reader, read_puts_bytes_where_it_is_told) {
  Simulation().run([]() -> Deferred<> {
    const Ends ends = co_await connected_pair();
    std::string into(4, '-');
    ends.there.writer.write("abcdef");
    EXPECT_EQ(co_await ends.here.reader.read(std::span(into)), 4U);
    EXPECT_EQ(into, "abcd");
    EXPECT_EQ(co_await ends.here.reader.read(std::span(into)), 2U);
    EXPECT_EQ(into, "efcd");
    dont_wait_for(ends.there.writer.close().map([](const Close_result&) {}));
    EXPECT_EQ(co_await ends.here.reader.read(std::span(into)), clean_eof);
  });
}

TEST(Reader, read_chunk_gives_all_that_has_arrived) {
  Simulation().run([]() -> Deferred<> {
    const Ends ends = co_await connected_pair();
    ends.there.writer.write("one");
    ends.there.writer.write("two");
    EXPECT_EQ(co_await ends.here.reader.read_chunk(), "onetwo");
    ends.there.writer.write("three");
    EXPECT_EQ(co_await ends.here.reader.read_chunk(), "three");
    dont_wait_for(ends.there.writer.close().map([](const Close_result&) {}));
    EXPECT_EQ(co_await ends.here.reader.read_chunk(), clean_eof);
  });
}

TEST(Reader, the_view_of_read_chunk_is_valid_until_the_next_call) {
  Simulation().run([]() -> Deferred<> {
    const Ends ends = co_await connected_pair();
    ends.there.writer.write("stays");
    const auto chunk = co_await ends.here.reader.read_chunk();
    // More arrives, and then the other side goes.
    ends.there.writer.write(std::string(200'000, 'x'));
    dont_wait_for(ends.there.writer.close().map([](const Close_result&) {}));
    co_await Clock::after(10s);
    EXPECT_EQ(*chunk, "stays");
  });
}

TEST(Reader, the_view_of_read_chunk_survives_closing) {
  Simulation().run([]() -> Deferred<> {
    const Ends ends = co_await connected_pair();
    ends.there.writer.write("stays");
    const auto chunk = co_await ends.here.reader.read_chunk();
    co_await ends.here.writer.close();
    EXPECT_EQ(*chunk, "stays");
  });
}

TEST(Reader, read_chunk_gives_what_another_read_has_left) {
  Simulation().run([]() -> Deferred<> {
    const Ends ends = co_await connected_pair();
    ends.there.writer.write("line\nrest");
    EXPECT_EQ(co_await ends.here.reader.read_line(), "line");
    EXPECT_EQ(co_await ends.here.reader.read_chunk(), "rest");
  });
}

TEST(Reader, read_char_gives_one_byte_of_any_value) {
  Simulation().run([]() -> Deferred<> {
    const Ends ends = co_await connected_pair();
    std::string all;
    for (int i = 0; i < 256; ++i) all.push_back(static_cast<char>(i));
    ends.there.writer.write(all);
    dont_wait_for(ends.there.writer.close().map([](const Close_result&) {}));
    for (const char c : all) EXPECT_EQ(co_await ends.here.reader.read_char(), c);
    EXPECT_EQ(co_await ends.here.reader.read_char(), clean_eof);
  });
}

TEST(Reader, read_available_takes_only_what_has_been_read_already) {
  Simulation().run([]() -> Deferred<> {
    const Ends ends = co_await connected_pair();
    EXPECT_EQ(ends.here.reader.read_available(), "");
    ends.there.writer.write("abcdef");
    co_await Clock::after(1s);
    // Nothing is read from the system unless somebody waits for it.
    EXPECT_EQ(ends.here.reader.bytes_available(), 0U);
    EXPECT_EQ(ends.here.reader.read_available(), "");
    EXPECT_EQ(co_await ends.here.reader.read_char(), 'a');
    EXPECT_EQ(ends.here.reader.bytes_available(), 5U);
    EXPECT_EQ(ends.here.reader.read_available(2), "bc");
    EXPECT_EQ(ends.here.reader.read_available(0), "");
    EXPECT_EQ(ends.here.reader.read_available(), "def");
    EXPECT_EQ(ends.here.reader.bytes_available(), 0U);
  });
}

TEST(Reader, read_available_throws_while_a_read_waits) {
  Simulation().run([]() -> Deferred<> {
    const Ends ends = co_await connected_pair();
    const auto read = ends.here.reader.read_line();
    EXPECT_THROW(ends.here.reader.read_available(), Reader_in_use);
    ends.there.writer.write_line("x");
    EXPECT_EQ(co_await read, "x");
  });
}

TEST(Reader, bytes_read_counts_what_was_taken_away) {
  Simulation().run([]() -> Deferred<> {
    const Ends ends = co_await connected_pair();
    const Reader& reader = ends.here.reader;
    EXPECT_EQ(reader.bytes_read(), 0U);
    ends.there.writer.write("line\nabcdefgh");
    co_await reader.read_line();
    EXPECT_EQ(reader.bytes_read(), 5U);  // with the end of the line
    co_await reader.peek(3);
    EXPECT_EQ(reader.bytes_read(), 5U);
    co_await reader.read_char();
    static_cast<void>(reader.read_available(2));
    EXPECT_EQ(reader.bytes_read(), 8U);
    co_await reader.close();
    EXPECT_EQ(reader.bytes_read(), 8U);  // what closing throws away was not read
  });
}

TEST(Reader, a_second_read_at_once_fails_and_the_first_goes_on) {
  Simulation().run([]() -> Deferred<> {
    const Ends ends = co_await connected_pair();
    const Reader& reader = ends.here.reader;
    const auto first = reader.read_line();
    const auto fails = [](const auto& result) {
      EXPECT_FALSE(result);
      EXPECT_NE(result.error().template as<Reader_in_use>(), nullptr);
    };
    char c = 0;
    fails(co_await or_error(reader.read()));
    fails(co_await or_error(reader.read(std::span(&c, 1))));
    fails(co_await or_error(reader.read_chunk()));
    fails(co_await or_error(reader.read_char()));
    fails(co_await or_error(reader.read_line()));
    fails(co_await or_error(reader.read_until('x')));
    fails(co_await or_error(reader.really_read(1)));
    fails(co_await or_error(reader.peek(1)));
    fails(co_await or_error(reader.contents()));
    fails(co_await or_error(reader.drain()));
    ends.there.writer.write_line("line");
    EXPECT_EQ(co_await first, "line");
  });
}

TEST(Reader, may_be_read_from_the_callback_of_a_read) {
  Simulation().run([]() -> Deferred<> {
    const Ends ends = co_await connected_pair();
    const Reader reader = ends.here.reader;
    auto both = reader.read_line().bind([reader](const Read_result<std::string>& first) {
      return reader.read_line().map(
          [first](const Read_result<std::string>& second) { return *first + *second; });
    });
    ends.there.writer.write("a\nb\n");
    EXPECT_EQ(co_await std::move(both), "ab");
  });
}

TEST(Reader, a_read_given_up_by_a_timeout_loses_nothing) {
  Simulation().run([]() -> Deferred<> {
    const Ends ends = co_await connected_pair();
    const Reader& reader = ends.here.reader;
    ends.there.writer.write("be");
    EXPECT_FALSE(co_await Clock::with_timeout(1s, reader.read_line()));
    EXPECT_FALSE(co_await Clock::with_timeout(1s, reader.really_read(9)));
    EXPECT_FALSE(co_await Clock::with_timeout(1s, reader.peek(9)));
    EXPECT_FALSE(co_await Clock::with_timeout(1s, reader.contents()));
    EXPECT_FALSE(co_await Clock::with_timeout(1s, reader.read_until('x')));
    ends.there.writer.write("gin\n");
    EXPECT_EQ(co_await Clock::with_timeout(1s, reader.read_line()), "begin");
  });
}

TEST(Reader, bytes_that_arrive_after_a_read_was_given_up_are_for_the_next) {
  Simulation().run([]() -> Deferred<> {
    const Ends ends = co_await connected_pair();
    const Reader& reader = ends.here.reader;
    EXPECT_FALSE(co_await Clock::with_timeout(1s, reader.read_char()));
    EXPECT_FALSE(co_await Clock::with_timeout(1s, reader.read_chunk()));
    EXPECT_FALSE(co_await Clock::with_timeout(1s, reader.read()));
    ends.there.writer.write("abc");
    co_await Clock::after(1s);
    EXPECT_EQ(reader.bytes_available(), 0U);
    EXPECT_EQ(co_await reader.read(), "abc");
  });
}

TEST(Reader, a_read_given_up_a_thousand_times_finds_its_line) {
  Simulation().run([]() -> Deferred<> {
    const Ends ends = co_await connected_pair();
    std::string sent;
    for (int i = 0; i < 1000; ++i) {
      ends.there.writer.write_char(static_cast<char>('a' + i % 26));
      sent.push_back(static_cast<char>('a' + i % 26));
      EXPECT_FALSE(co_await Clock::with_timeout(1s, ends.here.reader.read_line()));
    }
    ends.there.writer.newline();
    EXPECT_EQ(co_await ends.here.reader.read_line(), sent);
  });
}

TEST(Reader, a_program_that_does_not_read_slows_the_other_side_down) {
  Simulation().run([]() -> Deferred<> {
    const Ends ends = co_await connected_pair();
    ends.there.writer.write(std::string(10'000'000, 'x'));
    co_await Clock::after(10s);
    EXPECT_GT(ends.there.writer.bytes_to_write(), 9'000'000U);
    EXPECT_EQ(ends.here.reader.bytes_available(), 0U);
    EXPECT_EQ((co_await ends.here.reader.really_read(10'000'000))->size(), 10'000'000U);
    EXPECT_EQ(ends.there.writer.bytes_to_write(), 0U);
  });
}

TEST(Reader, reads_at_most_as_much_at_once_as_its_buffer_holds) {
  Simulation().run([]() -> Deferred<> {
    const Ends ends = co_await connected_pair({.limits = {.reader_buffer_size = 100}});
    ends.there.writer.write(std::string(250, 'x'));
    std::vector<std::size_t> sizes;
    for (int i = 0; i < 3; ++i) sizes.push_back((co_await ends.here.reader.read_chunk())->size());
    EXPECT_THAT(sizes, ElementsAre(100, 100, 50));
  });
}

TEST(Reader, a_read_that_was_given_up_takes_nothing_away_where_a_bind_began_it) {
  Simulation().run([]() -> Deferred<> {
    const Ends ends = co_await connected_pair();
    EXPECT_FALSE(co_await Clock::with_timeout(
        1s, Clock::after(1ms).bind([reader = ends.here.reader] { return reader.read_line(); })));
    const auto read = ends.here.reader.read_line();
    ends.there.writer.write("hello\n");
    EXPECT_EQ(co_await read, "hello");
    // One that somebody waits for is another matter.
    const auto waiting = Clock::after(1ms).bind([=] { return ends.here.reader.read_line(); });
    co_await Clock::after(1s);
    EXPECT_FALSE(co_await or_error(ends.here.reader.read_line()));
    ends.there.writer.write("again\n");
    EXPECT_EQ(co_await waiting, "again");
  });
}

TEST(Reader, finds_the_reason_of_the_end_that_a_write_has_seen_first) {
  // The system tells an error once: whoever reads after that sees an end in order.
  for (const auto& [error, eof] :
       {std::pair(ECONNRESET, reset_eof), {ETIMEDOUT, timed_out_eof}, {EPIPE, clean_eof}}) {
    Simulation().run([&]() -> Deferred<> {
      const auto wire = std::make_shared<Fake_wire>();
      const End end = fake_end(wire);
      end.writer.set_raise_when_consumer_leaves(false);
      wire->write_error = io_error_of_errno(error);
      end.writer.write("abc");
      co_await end.writer.consumer_left();
      const auto read = end.reader.read();
      wire->arrive(Io_result::eof());
      EXPECT_EQ(co_await read, eof);
    });
  }
}

TEST(Reader, holds_no_buffer_once_all_that_has_arrived_was_given_as_a_copy) {
  Simulation().run([]() -> Deferred<> {
    const auto [here, there] = co_await connected_pair();
    const Reader reader = here.reader;
    std::array<char, 6> into{};
    const std::vector<std::function<Deferred<>()>> reads = {
        [&] { return reader.read_line().map([](const auto&) {}); },
        [&] { return reader.read_until('\n').map([](const auto&) {}); },
        [&] { return reader.read().map([](const auto&) {}); },
        [&] { return reader.read(into).map([](const auto&) {}); },
        [&] { return reader.really_read(6).map([](const auto&) {}); },
    };
    const std::size_t before = bytes_in_use();
    for (const auto& read : reads) {
      there.writer.write("hello\n");
      co_await read();
      EXPECT_EQ(reader.bytes_available(), 0U);
      EXPECT_LT(bytes_in_use(), before + reader.buffer_size() / 2);
    }
  });
}

TEST(Reader, copies_share_the_connection) {
  Simulation().run([]() -> Deferred<> {
    const Ends ends = co_await connected_pair();
    const Reader copy = ends.here.reader;  // NOLINT(performance-unnecessary-copy-initialization)
    const auto read = ends.here.reader.read_line();
    EXPECT_FALSE(co_await or_error(copy.read_line()));
    ends.there.writer.write("a\nb\n");
    EXPECT_EQ(co_await read, "a");
    EXPECT_EQ(co_await copy.read_line(), "b");
  });
}

}  // namespace
}  // namespace async
