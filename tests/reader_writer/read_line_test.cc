// Reader: read_line and read_until.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <limits>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "async/async.h"
#include "async/testing/simulation.h"
#include "tests/support/connected_pair.h"

namespace async {
namespace {

using namespace std::chrono_literals;
using testing::Simulation;

const Limit_exceeded* limit_of(const auto& result) {
  return result ? nullptr : result.error().template as<Limit_exceeded>();
}

TEST(Read_line, drops_the_line_end) {
  Simulation().run([]() -> Deferred<> {
    const Ends ends = co_await connected_pair();
    ends.there.writer.write("unix\ndos\r\n\n\r\na\rb\n\r\r\n");
    for (const char* line : {"unix", "dos", "", "", "a\rb", "\r"}) {
      EXPECT_EQ(co_await ends.here.reader.read_line(), line);
    }
  });
}

TEST(Read_line, gives_an_unterminated_last_line_at_a_clean_end) {
  Simulation().run([]() -> Deferred<> {
    const Ends ends = co_await connected_pair();
    ends.there.writer.write("one\ntwo\r");
    dont_wait_for(ends.there.writer.close().map([](const Close_result&) {}));
    EXPECT_EQ(co_await ends.here.reader.read_line(), "one");
    EXPECT_EQ(co_await ends.here.reader.read_line(), "two\r");
    EXPECT_EQ(co_await ends.here.reader.read_line(), clean_eof);
    EXPECT_EQ(co_await ends.here.reader.read_line(), clean_eof);
  });
}

TEST(Read_line, leaves_an_unterminated_last_line_alone_at_another_end) {
  Simulation().run([]() -> Deferred<> {
    const Ends ends = co_await connected_pair();
    ends.there.writer.write("one\ntwo");
    co_await ends.there.writer.flushed();
    EXPECT_EQ(co_await ends.here.reader.read_line(), "one");
    dont_wait_for(ends.there.connection->abort().map([](const Close_result&) {}));
    EXPECT_EQ(co_await ends.here.reader.read_line(), reset_eof);
    EXPECT_EQ(co_await ends.here.reader.read_line(), reset_eof);
    EXPECT_EQ(ends.here.reader.read_available(), "two");
  });
}

TEST(Read_line, finds_a_line_end_that_arrives_in_pieces) {
  Simulation().run([]() -> Deferred<> {
    const Ends ends = co_await connected_pair();
    const auto line = ends.here.reader.read_line();
    for (const char c : std::string("abc\r\n")) {
      EXPECT_FALSE(line.is_determined());
      ends.there.writer.write_char(c);
      co_await Clock::after(1s);
    }
    EXPECT_EQ(co_await line, "abc");
  });
}

TEST(Read_line, has_a_maximum_and_takes_nothing_away_beyond_it) {
  Simulation().run([]() -> Deferred<> {
    const Ends ends = co_await connected_pair();
    const Reader& reader = ends.here.reader;
    ends.there.writer.write("abcd\nabcde\r\nabcdef\nx\n");
    EXPECT_EQ(co_await reader.read_line(5), "abcd");
    EXPECT_EQ(co_await reader.read_line(5), "abcde");
    const auto too_long = co_await or_error(reader.read_line(5));
    const Limit_exceeded* error = limit_of(too_long);
    EXPECT_NE(error, nullptr);
    if (!error) co_return;
    EXPECT_EQ(error->limit(), Limit_exceeded::Limit::Read);
    EXPECT_EQ(error->connection(), ends.here.connection->number());
    EXPECT_NE(limit_of(co_await or_error(reader.read_line(5))), nullptr);
    EXPECT_EQ(co_await reader.read_line(6), "abcdef");
    EXPECT_EQ(co_await reader.read_line(5), "x");
  });
}

TEST(Read_line, fails_before_the_line_has_ended_if_it_is_too_long) {
  Simulation().run([]() -> Deferred<> {
    const Ends ends = co_await connected_pair();
    ends.there.writer.write("abcdefg");
    EXPECT_NE(limit_of(co_await or_error(ends.here.reader.read_line(5))), nullptr);
    EXPECT_EQ(co_await ends.here.reader.read(), "abcdefg");
  });
}

TEST(Read_line, applies_its_maximum_to_an_unterminated_last_line) {
  Simulation().run([]() -> Deferred<> {
    const Ends ends = co_await connected_pair();
    ends.there.writer.write("abcdef");
    dont_wait_for(ends.there.writer.close().map([](const Close_result&) {}));
    EXPECT_NE(limit_of(co_await or_error(ends.here.reader.read_line(5))), nullptr);
    EXPECT_EQ(co_await ends.here.reader.read_line(6), "abcdef");
  });
}

TEST(Read_line, takes_any_number_as_its_maximum) {
  Simulation().run([]() -> Deferred<> {
    const Ends ends = co_await connected_pair();
    const Reader& reader = ends.here.reader;
    ends.there.writer.write("abc\r\n\r\ndef");
    EXPECT_EQ(co_await reader.read_line(std::numeric_limits<std::size_t>::max()), "abc");
    EXPECT_EQ(co_await reader.read_line(0), "");
    dont_wait_for(ends.there.writer.close().map([](const Close_result&) {}));
    EXPECT_EQ(co_await reader.read_line(std::numeric_limits<std::size_t>::max()), "def");
  });
}

TEST(Read_line, takes_lines_of_up_to_a_megabyte_by_default) {
  Simulation().run([]() -> Deferred<> {
    const Ends ends = co_await connected_pair();
    const std::string longest(Reader::default_max_line, 'x');
    ends.there.writer.write_line(longest);
    ends.there.writer.write_line(longest + "x");
    EXPECT_EQ(co_await ends.here.reader.read_line(), longest);
    EXPECT_NE(limit_of(co_await or_error(ends.here.reader.read_line())), nullptr);
    EXPECT_EQ(co_await ends.here.reader.read_line(2 * longest.size()), longest + "x");
  });
}

TEST(Read_line, reads_a_hundred_thousand_lines_in_order) {
  Simulation().run([]() -> Deferred<> {
    const Ends ends = co_await connected_pair();
    constexpr int n = 100'000;
    for (int i = 0; i < n; ++i) ends.there.writer.write_line(std::to_string(i));
    int wrong = 0;
    for (int i = 0; i < n; ++i) {
      if (co_await ends.here.reader.read_line() != std::to_string(i)) ++wrong;
    }
    EXPECT_EQ(wrong, 0);
  });
}

TEST(Read_until, gives_what_comes_before_a_character_and_takes_that_away) {
  Simulation().run([]() -> Deferred<> {
    const Ends ends = co_await connected_pair();
    ends.there.writer.write("a;bc;;d\r;e");
    EXPECT_EQ(co_await ends.here.reader.read_until(';'), "a");
    EXPECT_EQ(co_await ends.here.reader.read_until(';', {.keep_delimiter = true}), "bc;");
    EXPECT_EQ(co_await ends.here.reader.read_until(';'), "");
    EXPECT_EQ(co_await ends.here.reader.read_until(';'), "d\r");
    EXPECT_EQ(co_await ends.here.reader.read_char(), 'e');
  });
}

TEST(Read_until, finds_a_zero_byte) {
  Simulation().run([]() -> Deferred<> {
    const Ends ends = co_await connected_pair();
    ends.there.writer.write(std::string_view("ab\0c\0", 5));
    EXPECT_EQ(co_await ends.here.reader.read_until('\0'), "ab");
    EXPECT_EQ(co_await ends.here.reader.read_until('\0'), "c");
  });
}

TEST(Read_until, gives_what_comes_before_a_byte_that_a_function_accepts) {
  Simulation().run([]() -> Deferred<> {
    const Ends ends = co_await connected_pair();
    const auto is_space = [](char c) { return c == ' ' || c == '\t'; };
    ends.there.writer.write("one two\tthree");
    dont_wait_for(ends.there.writer.close().map([](const Close_result&) {}));
    EXPECT_EQ(co_await ends.here.reader.read_until(is_space), "one");
    EXPECT_EQ(co_await ends.here.reader.read_until(is_space, {.keep_delimiter = true}), "two\t");
    EXPECT_EQ(co_await ends.here.reader.read_until(is_space, {.keep_delimiter = true}), "three");
    EXPECT_EQ(co_await ends.here.reader.read_until(is_space), clean_eof);
  });
}

TEST(Read_until, calls_its_function_once_for_each_byte) {
  Simulation().run([]() -> Deferred<> {
    const Ends ends = co_await connected_pair();
    // A function with a state: the second of two equal bytes.
    std::optional<char> last;
    std::string seen;
    const auto result = ends.here.reader.read_until([&, last](char c) mutable {
      seen.push_back(c);
      return std::exchange(last, c) == c;
    });
    for (const char* part : {"ab", "c", "cd"}) {
      ends.there.writer.write(part);
      co_await Clock::after(1s);
    }
    EXPECT_EQ(co_await result, "abc");
    EXPECT_EQ(seen, "abcc");
  });
}

TEST(Read_until, with_a_function_that_raises_fails_and_takes_nothing_away) {
  Simulation().run([]() -> Deferred<> {
    const Ends ends = co_await connected_pair();
    const auto raises = [](char c) -> bool {
      if (c == 'x') throw std::out_of_range("x");
      return false;
    };
    ends.there.writer.write("ax");
    const auto waiting = co_await or_error(ends.here.reader.read_until(raises));
    EXPECT_NE(waiting.error().as<std::out_of_range>(), nullptr);
    const auto at_once = co_await or_error(ends.here.reader.read_until(raises));
    EXPECT_NE(at_once.error().as<std::out_of_range>(), nullptr);
    EXPECT_EQ(co_await ends.here.reader.read(), "ax");
  });
}

TEST(Read_until, has_a_maximum_for_what_comes_before_the_delimiter) {
  Simulation().run([]() -> Deferred<> {
    const Ends ends = co_await connected_pair();
    const Reader& reader = ends.here.reader;
    ends.there.writer.write("abc;abcd;ab");
    EXPECT_EQ(co_await reader.read_until(';', {.keep_delimiter = true, .max = 3}), "abc;");
    EXPECT_NE(limit_of(co_await or_error(reader.read_until(';', {.max = 3}))), nullptr);
    EXPECT_EQ(co_await reader.read_until(';', {.max = 4}), "abcd");
    dont_wait_for(ends.there.writer.close().map([](const Close_result&) {}));
    EXPECT_NE(limit_of(co_await or_error(reader.read_until(';', {.max = 1}))), nullptr);
    EXPECT_EQ(co_await reader.read_until(';', {.max = 2}), "ab");
    EXPECT_EQ(co_await reader.read_until(';', {.max = 0}), clean_eof);
  });
}

TEST(Read_until, leaves_an_unterminated_end_alone_when_it_was_closed_here) {
  Simulation().run([]() -> Deferred<> {
    const Ends ends = co_await connected_pair();
    const auto result = ends.here.reader.read_until(';');
    ends.there.writer.write("abc");
    co_await Clock::after(1s);
    co_await ends.here.reader.close();
    EXPECT_EQ(co_await result, closed_eof);
    EXPECT_EQ(co_await ends.here.reader.read_until(';'), closed_eof);
  });
}

}  // namespace
}  // namespace async
