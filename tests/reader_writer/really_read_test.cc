// Reader: really_read, peek, contents, drain and lines.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

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
#include "tests/support/connected_pair.h"
#include "tests/support/recording_monitor.h"

namespace async {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::Simulation;

void abort(const End& end) {
  dont_wait_for(end.connection->abort().map([](const Close_result&) {}));
}
void close(const End& end) {
  dont_wait_for(end.writer.close().map([](const Close_result&) {}));
}
const Limit_exceeded* limit_of(const auto& result) {
  return result ? nullptr : result.error().template as<Limit_exceeded>();
}
bool is_reset(const auto& result) {
  const auto* error = result ? nullptr : result.error().template as<Io_error>();
  return error && error->code() == std::errc::connection_reset;
}

/// The lines, whose errors go to `monitor`.
Pipe::Reader<std::string> lines_under(const Recording_monitor& monitor, const Reader& reader,
                                      std::size_t max = Reader::default_max_line) {
  std::optional<Pipe::Reader<std::string>> lines;
  monitor.under([&] { lines.emplace(reader.lines(max)); });
  return *lines;
}

TEST(Really_read, gives_exactly_so_many_bytes) {
  Simulation().run([]() -> Deferred<> {
    const Ends ends = co_await connected_pair();
    const auto four = ends.here.reader.really_read(4);
    ends.there.writer.write("ab");
    co_await Clock::after(1s);
    EXPECT_FALSE(four.is_determined());
    ends.there.writer.write("cdef");
    EXPECT_EQ(co_await four, "abcd");
    EXPECT_EQ(co_await ends.here.reader.really_read(2), "ef");
  });
}

TEST(Really_read, gives_eof_at_a_clean_end_and_leaves_what_has_arrived) {
  Simulation().run([]() -> Deferred<> {
    const Ends ends = co_await connected_pair();
    ends.there.writer.write("abc");
    close(ends.there);
    EXPECT_EQ(co_await ends.here.reader.really_read(4), clean_eof);
    EXPECT_EQ(co_await ends.here.reader.really_read(3), "abc");
    EXPECT_EQ(co_await ends.here.reader.really_read(1), clean_eof);
  });
}

TEST(Really_read, fails_at_another_end_and_leaves_what_has_arrived) {
  Simulation().run([]() -> Deferred<> {
    const Ends ends = co_await connected_pair();
    ends.there.writer.write("abc");
    co_await ends.there.writer.flushed();
    EXPECT_EQ(co_await ends.here.reader.peek(3), "abc");
    abort(ends.there);
    const auto result = co_await or_error(ends.here.reader.really_read(4));
    EXPECT_TRUE(is_reset(result));
    EXPECT_EQ(result.error().as<Io_error>()->connection(), ends.here.connection->number());
    EXPECT_EQ(co_await ends.here.reader.really_read(3), "abc");
  });
}

TEST(Really_read, gives_eof_when_it_was_closed_here) {
  Simulation().run([]() -> Deferred<> {
    const Ends ends = co_await connected_pair();
    const auto result = ends.here.reader.really_read(4);
    co_await ends.here.reader.close();
    EXPECT_EQ(co_await result, closed_eof);
    EXPECT_EQ(co_await ends.here.reader.really_read(4), closed_eof);
  });
}

TEST(Really_read, has_a_maximum) {
  Simulation().run([]() -> Deferred<> {
    const Ends ends = co_await connected_pair();
    const Reader& reader = ends.here.reader;
    EXPECT_NE(limit_of(co_await or_error(reader.really_read(11, 10))), nullptr);
    EXPECT_NE(limit_of(co_await or_error(reader.really_read(Reader::default_max + 1))), nullptr);
    EXPECT_NE(limit_of(co_await or_error(reader.peek(Reader::default_max + 1))), nullptr);
    ends.there.writer.write("0123456789");
    EXPECT_EQ(co_await reader.really_read(10, 10), "0123456789");
  });
}

TEST(Really_read, takes_much_more_than_a_buffer) {
  Simulation().run([]() -> Deferred<> {
    const Ends ends = co_await connected_pair();
    std::string sent;
    while (sent.size() < 5'000'000) sent += std::to_string(sent.size()) + ",";
    ends.there.writer.write(sent);
    EXPECT_TRUE(co_await ends.here.reader.really_read(sent.size()) == sent);
  });
}

TEST(Peek, shows_bytes_and_takes_none_away) {
  Simulation().run([]() -> Deferred<> {
    const Ends ends = co_await connected_pair();
    const Reader& reader = ends.here.reader;
    ends.there.writer.write("abcdef");
    EXPECT_EQ(co_await reader.peek(3), "abc");
    EXPECT_EQ(co_await reader.peek(6), "abcdef");
    const auto more = reader.peek(8);
    ends.there.writer.write("gh");
    EXPECT_EQ(co_await more, "abcdefgh");
    EXPECT_EQ(co_await reader.read(), "abcdefgh");
  });
}

TEST(Peek, of_more_than_there_is_gives_eof_and_takes_nothing_away) {
  Simulation().run([]() -> Deferred<> {
    const Ends ends = co_await connected_pair();
    ends.there.writer.write("abc");
    close(ends.there);
    EXPECT_EQ(co_await ends.here.reader.peek(4), clean_eof);
    EXPECT_EQ(co_await ends.here.reader.peek(3), "abc");
    EXPECT_EQ(co_await ends.here.reader.read(), "abc");
  });
}

TEST(Peek, of_more_than_a_buffer_grows_it) {
  Simulation().run([]() -> Deferred<> {
    const Ends ends = co_await connected_pair({.limits = {.reader_buffer_size = 10}});
    const std::string sent(100'000, 'x');
    ends.there.writer.write(sent);
    EXPECT_EQ((co_await ends.here.reader.peek(sent.size()))->size(), sent.size());
    EXPECT_EQ((co_await ends.here.reader.read())->size(), sent.size());
  });
}

TEST(Contents, gives_everything_up_to_the_end) {
  Simulation().run([]() -> Deferred<> {
    const Ends ends = co_await connected_pair();
    const auto contents = ends.here.reader.contents();
    for (int i = 0; i < 10; ++i) {
      ends.there.writer.write("part ");
      co_await Clock::after(1s);
    }
    EXPECT_FALSE(contents.is_determined());
    close(ends.there);
    EXPECT_EQ((co_await contents).size(), 50U);
    EXPECT_EQ(co_await ends.here.reader.contents(), "");
  });
}

TEST(Contents, fails_if_the_end_is_not_in_order) {
  Simulation().run([]() -> Deferred<> {
    const Ends ends = co_await connected_pair();
    ends.there.writer.write("abc");
    co_await ends.there.writer.flushed();
    EXPECT_EQ(co_await ends.here.reader.peek(3), "abc");
    abort(ends.there);
    EXPECT_TRUE(is_reset(co_await or_error(ends.here.reader.contents())));
    EXPECT_EQ(co_await ends.here.reader.read(), "abc");
    EXPECT_TRUE(is_reset(co_await or_error(ends.here.reader.contents())));
  });
}

TEST(Contents, fails_if_it_is_closed_here) {
  Simulation().run([]() -> Deferred<> {
    const Ends ends = co_await connected_pair();
    const auto contents = ends.here.reader.contents();
    co_await ends.here.reader.close();
    const auto during = co_await or_error(contents);
    EXPECT_EQ(during.error().as<Io_error>()->code(), std::errc::operation_canceled);
    const auto after = co_await or_error(ends.here.reader.contents());
    EXPECT_EQ(after.error().as<Io_error>()->code(), std::errc::operation_canceled);
  });
}

TEST(Contents, has_a_maximum_and_takes_nothing_away_beyond_it) {
  Simulation().run([]() -> Deferred<> {
    const Ends ends = co_await connected_pair();
    ends.there.writer.write("abcdef");
    EXPECT_NE(limit_of(co_await or_error(ends.here.reader.contents(5))), nullptr);
    close(ends.there);
    EXPECT_EQ(co_await ends.here.reader.contents(6), "abcdef");
  });
}

TEST(Drain, throws_everything_away_and_gives_the_reason_of_the_end) {
  Simulation().run([]() -> Deferred<> {
    const Ends ends = co_await connected_pair();
    const auto drained = ends.here.reader.drain();
    for (int i = 0; i < 10; ++i) {
      ends.there.writer.write(std::string(1'000'000, 'x'));
      co_await Clock::after(1s);
    }
    EXPECT_EQ(ends.here.reader.bytes_available(), 0U);
    close(ends.there);
    EXPECT_EQ(co_await drained, Eof{Eof::Reason::Clean});
    EXPECT_EQ(co_await ends.here.reader.drain(), Eof{Eof::Reason::Clean});
    EXPECT_EQ(ends.here.reader.bytes_read(), 10'000'000U);
  });
}

TEST(Drain, tells_of_a_reset_and_of_closing) {
  Simulation().run([]() -> Deferred<> {
    const Ends one = co_await connected_pair();
    abort(one.there);
    EXPECT_EQ(co_await one.here.reader.drain(), Eof{Eof::Reason::Reset});
    const Ends other = co_await connected_pair();
    const auto drained = other.here.reader.drain();
    co_await other.here.reader.close();
    EXPECT_EQ(co_await drained, Eof{Eof::Reason::Closed});
  });
}

TEST(Lines, are_a_pipe_up_to_a_clean_end) {
  Simulation().run([]() -> Deferred<> {
    const Ends ends = co_await connected_pair();
    const auto lines = ends.here.reader.lines();
    ends.there.writer.write("one\ntwo\r\n\nlast");
    close(ends.there);
    std::vector<std::string> seen;
    co_await lines.iter([&](std::string line) { seen.push_back(std::move(line)); });
    EXPECT_THAT(seen, ElementsAre("one", "two", "", "last"));
  });
}

TEST(Lines, are_read_only_as_they_are_asked_for) {
  Simulation().run([]() -> Deferred<> {
    const Ends ends = co_await connected_pair();
    const auto lines = ends.here.reader.lines();
    for (int i = 0; i < 100; ++i) ends.there.writer.write_line("line");
    co_await Clock::after(1s);
    EXPECT_LE(lines.length(), 1U);
    EXPECT_LE(ends.here.reader.bytes_read(), 5U);
  });
}

TEST(Lines, end_at_a_reset_with_an_error_to_the_monitor) {
  Simulation().run([]() -> Deferred<> {
    const Recording_monitor monitor;
    const Ends ends = co_await connected_pair();
    const auto lines = lines_under(monitor, ends.here.reader);
    ends.there.writer.write("one\ntwo");
    EXPECT_EQ(co_await lines.read(), "one");
    abort(ends.there);
    EXPECT_FALSE(co_await lines.read());
    co_await Clock::after(1s);
    EXPECT_THAT(monitor.heard(), ElementsAre(HasSubstr("connection reset")));
  });
}

TEST(Lines, end_at_a_line_that_is_too_long_with_an_error_to_the_monitor) {
  Simulation().run([]() -> Deferred<> {
    const Recording_monitor monitor;
    const Ends ends = co_await connected_pair();
    const auto lines = lines_under(monitor, ends.here.reader, 3);
    ends.there.writer.write("one\ntoo long\n");
    EXPECT_EQ(co_await lines.read(), "one");
    EXPECT_FALSE(co_await lines.read());
    co_await Clock::after(1s);
    EXPECT_THAT(monitor.heard(), ElementsAre(HasSubstr("longer than 3 bytes")));
    EXPECT_EQ(co_await ends.here.reader.read_line(), "too long");
  });
}

TEST(Lines, end_without_an_error_when_the_connection_is_closed_here) {
  Simulation().run([]() -> Deferred<> {
    const Recording_monitor monitor;
    const Ends ends = co_await connected_pair();
    const auto lines = lines_under(monitor, ends.here.reader);
    co_await ends.here.reader.close();
    EXPECT_FALSE(co_await lines.read());
    EXPECT_THAT(monitor.heard(), IsEmpty());
  });
}

TEST(Lines, of_a_pipe_that_is_closed_are_left_to_others) {
  Simulation().run([]() -> Deferred<> {
    const Ends ends = co_await connected_pair();
    const auto lines = ends.here.reader.lines();
    ends.there.writer.write_line("one");
    EXPECT_EQ(co_await lines.read(), "one");
    co_await Clock::after(1s);
    lines.close_read();
    co_await Clock::after(1s);
    ends.there.writer.write_line("two");
    EXPECT_EQ(co_await ends.here.reader.read_line(), "two");
  });
}

}  // namespace
}  // namespace async
