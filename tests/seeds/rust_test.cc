// What programs do with the `net::tcp` of Rust 0.3.  README.md says which row is tested where.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "async/async.h"
#include "async/testing/simulation.h"
#include "tcp/tcp.h"
#include "tests/support/connected_pair.h"
#include "tests/support/echo_server.h"
#include "tests/support/fake_transport.h"

namespace async {
namespace {

using namespace std::chrono_literals;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::Host;
using testing::Simulation;

TEST(Rust, R1_R2_an_error_has_a_name_and_a_message) {
  Simulation simulation;
  const Host server = simulation.host("server");
  simulation.run([&]() -> Deferred<> {
    const Address::Inet nobody(server.addrs().at(0), 9);
    const auto error =
        co_await error_of<Tcp::Connect_error>(Tcp::connect(Tcp::to_inet_address(nobody)));
    EXPECT_EQ(error->kind(), Tcp::Connect_error::Kind::Refused);
    const std::error_code code = error->attempts().at(0).code;
    EXPECT_EQ(name(code), "ECONNREFUSED");
    EXPECT_EQ(code.message(), "connection refused");
    EXPECT_THAT(error->what(), HasSubstr(to_string(nobody)));
  });
}

TEST(Rust, R3_a_listen_error_is_of_a_kind) {
  using Kind = Tcp::Listen_error::Kind;
  const auto kind_of = [](int error) {
    return Tcp::Listen_error(io_error_of_errno(error), Address::Unix("a")).kind();
  };
  EXPECT_EQ(kind_of(EADDRINUSE), Kind::Address_in_use);
  EXPECT_EQ(kind_of(EACCES), Kind::Access_denied);
  EXPECT_EQ(kind_of(EADDRNOTAVAIL), Kind::Address_not_available);
  EXPECT_EQ(kind_of(EMFILE), Kind::Other);
}

// What was written belongs to the connection, which lives until it has left.
TEST(Rust, R5_R7_writes_may_be_under_way_together_and_nobody_needs_to_wait_for_them) {
  Simulation simulation;
  const Host far = simulation.host("far");
  simulation.run([&]() -> Deferred<> {
    std::optional<Ends> ends = co_await connected_pair({.other = far});
    const End there = ends->there;
    std::string all;
    std::vector<Deferred<Flush_result>> kept;
    for (int i = 0; i < 100; ++i) {
      std::string bytes(20'000, static_cast<char>('a' + i % 26));
      all += bytes;
      Deferred<Flush_result> written = ends->here.writer.write_nodelay(bytes);
      bytes.assign(bytes.size(), '!');
      if (i % 2 == 0) kept.push_back(std::move(written));
    }
    ends.reset();
    EXPECT_TRUE(co_await there.reader.contents() == all);
    for (const auto& written : kept) EXPECT_EQ(co_await written, Flush_result::Flushed);
  });
}

/// `chunks(reader)` is a pipe of all that arrives.
Pipe::Reader<std::string> chunks(Reader reader) {
  auto [chunks, writer] = Pipe::create<std::string>();
  const auto write = [](Reader reader, Pipe::Writer<std::string> writer) -> Deferred<> {
    const Deferred<> closed = writer.closed();
    while (!writer.is_closed()) {
      auto chunk = co_await choose(
          choice(closed, [] { return Read_result<std::string>(clean_eof); }),
          choice(reader.read(), [](Read_result<std::string> chunk) { return chunk; }));
      if (!chunk || !writer.write_without_pushback_if_open(std::move(*chunk))) break;
      co_await writer.pushback();
    }
    writer.close();
  };
  dont_wait_for(write(std::move(reader), std::move(writer)));
  return chunks;
}

TEST(Rust, R8_R9_reading_can_be_a_pipe_that_holds_little_and_is_stopped_by_closing_it) {
  Simulation simulation;
  const Host far = simulation.host("far");
  simulation.run([&]() -> Deferred<> {
    const Ends ends = co_await connected_pair({.other = far});
    ends.there.writer.write(std::string(3'000'000, 'x'));
    const auto flushed = ends.there.writer.flushed();
    auto port = chunks(ends.here.reader);
    std::size_t got = (co_await port.read())->size();
    co_await Clock::after(1min);
    EXPECT_FALSE(flushed.is_determined());  // who does not receive slows the other side down
    port.close_read();
    ends.there.writer.shutdown_send();
    got += (co_await ends.here.reader.contents()).size();
    EXPECT_LT(got, 3'000'001U);
    EXPECT_GT(got, 3'000'000U - 200'000U);  // what the pipe held went with it

    const Ends others = co_await connected_pair();
    auto all = chunks(others.here.reader);
    others.there.writer.write("a");
    co_await others.there.writer.close();
    EXPECT_EQ(co_await all.read(), "a");
    EXPECT_FALSE(co_await all.read());
  });
}

TEST(Rust, R10_R11_a_read_that_times_out_leaves_what_comes_later_to_the_next) {
  Simulation().run([]() -> Deferred<> {
    const Ends ends = co_await connected_pair();
    const auto timed_out = co_await Clock::with_timeout(500ms, ends.here.reader.read());
    EXPECT_EQ(timed_out.error(), Timed_out(500ms));
    ends.there.writer.write("late");
    co_await Clock::after(1s);
    EXPECT_EQ(*co_await Clock::with_timeout(Span::max(), ends.here.reader.read()), "late");
    co_await ends.there.writer.close();
    EXPECT_EQ(*co_await Clock::with_timeout(500ms, ends.here.reader.read()), clean_eof);
  });
}

// What is read may be put back as it is, or as anything else.
TEST(Rust, R16_R17_R18_R19_bytes_are_read_by_number_one_by_one_and_put_back) {
  Simulation().run([]() -> Deferred<> {
    const Ends ends = co_await connected_pair();
    const Reader& reader = ends.here.reader;
    ends.there.writer.write("abcdefgh");
    EXPECT_EQ(co_await reader.really_read(2), "ab");
    EXPECT_EQ(co_await reader.read_char(), 'c');
    for (const char c : {'c', 'b', 'a'}) reader.unread(std::string(1, c));
    EXPECT_EQ(co_await reader.really_read(4), "abcd");
    const std::string_view chunk = *co_await reader.read_chunk();
    reader.unread(chunk.substr(1));
    EXPECT_EQ(co_await reader.read(), "fgh");
    reader.expect(3);
    reader.unread("xyz123");
    const std::string_view frame = *co_await reader.read_frame();
    reader.unread(frame.substr(2));
    EXPECT_EQ(co_await reader.really_read(4), "z123");
    co_await ends.there.writer.close();
    reader.unread("!");
    EXPECT_EQ(co_await reader.really_read(2), clean_eof);
    EXPECT_FALSE(reader.is_eof());
    EXPECT_EQ(co_await reader.read_char(), '!');
    EXPECT_EQ(co_await reader.read_char(), clean_eof);
    EXPECT_TRUE(reader.is_eof());
  });
}

TEST(Rust, R18_what_is_put_back_may_be_any_part_of_what_was_shown) {
  Simulation().run([]() -> Deferred<> {
    const Ends ends = co_await connected_pair();
    const Reader& reader = ends.here.reader;
    ends.there.writer.write("(0123456789)rest");
    reader.expect(12);
    const std::string_view frame = *co_await reader.read_frame();
    reader.unread(frame.substr(1, 10));
    EXPECT_EQ(co_await reader.read_char(), '0');
    reader.unread(*co_await reader.peek(13));
    EXPECT_EQ(co_await reader.read(), "123456789rest123456789rest");
    ends.there.writer.write("more");
    EXPECT_EQ(co_await reader.read_char(), 'm');
    const std::string_view chunk = *co_await reader.read_chunk();
    reader.unread(chunk);
    reader.unread(chunk.substr(0, 0));
    EXPECT_EQ(reader.read_available(), "ore");
  });
}

TEST(Rust, R23_a_chunk_is_as_long_as_what_has_come) {
  Simulation().run([]() -> Deferred<> {
    const auto wire = std::make_shared<Fake_wire>();
    const End end = fake_end(wire);
    for (const std::size_t size : {1UL, 7UL, 65'535UL, 65'536UL}) {
      const auto chunk = end.reader.read_chunk();
      const std::string bytes(size, static_cast<char>('a' + size % 26));
      wire->arrive(bytes);
      EXPECT_TRUE(co_await chunk == bytes);
    }
  });
}

}  // namespace
}  // namespace async
