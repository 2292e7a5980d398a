// Writer::splice: passing on what a reader reads.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <cstddef>
#include <memory>
#include <string>

#include "async/async.h"
#include "async/testing/simulation.h"
#include "tests/support/connected_pair.h"
#include "tests/support/fake_transport.h"
#include "tests/support/recording_monitor.h"

namespace async {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::Simulation;

/// Two connections, and `splice` from the one to the other.
struct Spliced {
  std::shared_ptr<Fake_wire> in = std::make_shared<Fake_wire>();
  std::shared_ptr<Fake_wire> out = std::make_shared<Fake_wire>();
  End from = fake_end(in);
  End to = fake_end(out);
  Deferred<Flush_result> result = to.writer.splice(from.reader);
};

TEST(Splice, passes_on_what_arrives_until_its_end) {
  Simulation().run([]() -> Deferred<> {
    const Ends in = co_await connected_pair();
    const Ends out = co_await connected_pair();
    const auto result = out.here.writer.splice(in.here.reader);
    std::string all;
    for (int i = 0; i < 100; ++i) {
      const std::string part(static_cast<std::size_t>(i * i * 10 + 1),
                             static_cast<char>('a' + i % 26));
      in.there.writer.write(part);
      all += part;
    }
    in.there.writer.shutdown_send();
    EXPECT_EQ(co_await out.there.reader.really_read(all.size()), all);
    EXPECT_EQ(co_await result, Flush_result::Flushed);
    EXPECT_EQ(co_await in.here.reader.read_chunk(), clean_eof);
    EXPECT_FALSE(out.here.writer.is_closed());
  });
}

TEST(Splice, reads_no_more_while_the_other_side_takes_nothing) {
  Simulation().run([]() -> Deferred<> {
    const Spliced s;
    s.out->room = 3;
    const std::string large(20'000, 'x');
    s.in->arrive("abc" + large);
    co_await Scheduler::yield();
    s.in->bytes_to_read = "more";
    s.in->tell_readable();
    s.in->tell_readable();
    co_await Scheduler::yield();
    EXPECT_EQ(s.in->bytes_to_read, "more");
    EXPECT_EQ(s.out->written(), "abc");
    s.out->room = 100'000;
    s.out->tell_writable();
    co_await Scheduler::yield();
    s.in->tell_readable();
    co_await Scheduler::yield();
    EXPECT_EQ(s.out->written(), "abc" + large + "more");
  });
}

TEST(Splice, keeps_what_waits_with_what_is_written_beside_it_in_order) {
  Simulation().run([]() -> Deferred<> {
    const Spliced s;
    s.out->room = 0;
    s.to.writer.write("before ");
    s.in->arrive(std::string(2'000, 'x'));
    co_await Scheduler::yield();
    s.to.writer.write(" after");
    s.to.writer.write(" that");
    s.out->room = 100'000;
    s.out->tell_writable();
    EXPECT_EQ(s.out->written(), "before " + std::string(2'000, 'x') + " after that");
  });
}

TEST(Splice, begins_with_what_was_read_from_the_system_before) {
  Simulation().run([]() -> Deferred<> {
    const auto in = std::make_shared<Fake_wire>();
    const auto out = std::make_shared<Fake_wire>();
    const End from = fake_end(in);
    const End to = fake_end(out);
    const auto line = from.reader.read_line();
    in->arrive("line\nrest");
    EXPECT_EQ(co_await line, "line");
    const auto result = to.writer.splice(from.reader);
    co_await Scheduler::yield();
    EXPECT_EQ(out->written(), "rest");
    EXPECT_EQ(from.reader.bytes_read(), 9U);
  });
}

TEST(Splice, ends_when_the_receiver_has_left) {
  Simulation().run([]() -> Deferred<> {
    const Recording_monitor monitor;
    co_await monitor.under([]() -> Deferred<> {
      const Spliced s;
      s.to.writer.set_raise_when_consumer_leaves(false);
      s.out->write_error = io_error_of_errno(EPIPE);
      s.in->arrive("lost");
      EXPECT_EQ(co_await s.result, Flush_result::Consumer_left);
      EXPECT_EQ(s.to.writer.bytes_dropped(), 4U);
      EXPECT_FALSE(s.from.reader.is_closed());
    });
    EXPECT_THAT(monitor.heard(), IsEmpty());
  });
}

TEST(Splice, fails_as_reading_does) {
  Simulation().run([]() -> Deferred<> {
    const Spliced s;
    s.in->fail_reading(EIO);
    EXPECT_FALSE(co_await try_with([&] { return s.result; }));
  });
}

TEST(Splice, of_a_reset_connection_is_flushed_and_reading_tells_why) {
  Simulation().run([]() -> Deferred<> {
    const Spliced s;
    s.in->fail_reading(ECONNRESET);
    EXPECT_EQ(co_await s.result, Flush_result::Flushed);
    EXPECT_EQ(co_await s.from.reader.read_chunk(), reset_eof);
  });
}

TEST(Splice, of_a_reader_in_use_fails) {
  Simulation().run([]() -> Deferred<> {
    const Spliced s;
    const auto second = co_await try_with([&] { return s.to.writer.splice(s.from.reader); });
    EXPECT_TRUE(!second && second.error().as<Reader_in_use>());
  });
}

TEST(Splice, to_a_closed_writer_fails) {
  Simulation().run([]() -> Deferred<> {
    const Spliced s;
    static_cast<void>(s.to.writer.close());
    s.in->arrive("too late");
    const auto result = co_await try_with([&] { return s.result; });
    EXPECT_TRUE(!result && result.error().as<Writer_closed>());
  });
}

TEST(Splice, ends_when_its_reader_is_closed) {
  Simulation().run([]() -> Deferred<> {
    const Spliced s;
    static_cast<void>(s.from.reader.close());
    EXPECT_EQ(co_await s.result, Flush_result::Flushed);
    EXPECT_EQ(co_await s.from.reader.read_chunk(), closed_eof);
  });
}

TEST(Splice, of_a_connection_into_itself_is_an_echo) {
  Simulation().run([]() -> Deferred<> {
    const Ends ends = co_await connected_pair();
    const auto result = ends.here.writer.splice(ends.here.reader);
    const std::string large(300'000, 'e');
    ends.there.writer.write(large);
    ends.there.writer.shutdown_send();
    EXPECT_EQ(co_await ends.there.reader.really_read(large.size()), large);
    EXPECT_EQ(co_await result, Flush_result::Flushed);
  });
}

}  // namespace
}  // namespace async
