// Writer: the consumer that leaves, errors, limits and the monitor.

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
#include "tests/support/goodbye.h"
#include "tests/support/recording_monitor.h"

namespace async {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::Host;
using ::testing::IsEmpty;
using testing::Simulation;

/// An end whose errors go to `monitor`.
End end_under(const Recording_monitor& monitor, const std::shared_ptr<Fake_wire>& wire,
              Connection_limits limits = {}) {
  std::optional<End> end;
  monitor.under([&] { end.emplace(fake_end(wire, limits)); });
  return *end;
}

TEST(Consumer_left, is_determined_when_a_write_shows_it) {
  Simulation().run([]() -> Deferred<> {
    const Recording_monitor monitor;
    std::optional<Ends> ends;
    co_await monitor.under([&]() -> Deferred<> { ends.emplace(co_await connected_pair()); });
    const Writer& writer = ends->here.writer;
    const auto left = writer.consumer_left();
    writer.write("a");
    dont_wait_for(ends->there.connection->abort().map([](const Close_result&) {}));
    co_await Clock::after(1s);
    EXPECT_FALSE(left.is_determined());  // no write has shown it
    writer.write("b");
    const auto flushed = writer.flushed();
    co_await left;
    EXPECT_EQ(co_await flushed, Flush_result::Consumer_left);
    EXPECT_TRUE(writer.consumer_left().is_determined());
    EXPECT_FALSE(writer.is_closed());
    co_await Clock::after(1s);
    EXPECT_THAT(monitor.heard(), ElementsAre(HasSubstr("write to 127.0.0.1")));
  });
}

TEST(Consumer_left, is_no_error_unless_that_is_wanted) {
  Simulation().run([]() -> Deferred<> {
    const Recording_monitor monitor;
    const auto wire = std::make_shared<Fake_wire>();
    const End end = end_under(monitor, wire);
    EXPECT_TRUE(end.writer.raise_when_consumer_leaves());
    end.writer.set_raise_when_consumer_leaves(false);
    EXPECT_FALSE(end.writer.raise_when_consumer_leaves());
    wire->write_error = io_error_of_errno(EPIPE);
    end.writer.write("abc");
    co_await end.writer.consumer_left();
    co_await Clock::after(1s);
    EXPECT_THAT(monitor.heard(), IsEmpty());
  });
}

TEST(Consumer_left, discards_and_counts_what_is_written_later) {
  Simulation().run([]() -> Deferred<> {
    const Recording_monitor monitor;
    const auto wire = std::make_shared<Fake_wire>();
    const End end = end_under(monitor, wire);
    wire->write_error = io_error_of_errno(ECONNRESET);
    end.writer.write("abc");
    co_await end.writer.consumer_left();
    for (int i = 0; i < 1000; ++i) end.writer.write("later");
    co_await Clock::after(1h);
    EXPECT_EQ(end.writer.bytes_dropped(), 5003U);
    EXPECT_EQ(end.writer.bytes_to_write(), 0U);
    EXPECT_EQ(co_await end.writer.flushed(), Flush_result::Consumer_left);
    EXPECT_EQ(wire->num_write_calls, 1);
    EXPECT_EQ(monitor.heard().size(), 1U);  // once
    const Close_result expected{.outcome = Flush_result::Consumer_left, .bytes_dropped = 5003};
    EXPECT_EQ(co_await end.writer.close(), expected);
  });
}

TEST(Consumer_left, leaves_what_has_arrived_to_be_read) {
  Simulation().run([]() -> Deferred<> {
    const Recording_monitor monitor;
    const auto wire = std::make_shared<Fake_wire>();
    const End end = end_under(monitor, wire);
    wire->bytes_to_read = "last words";
    wire->write_error = io_error_of_errno(EPIPE);
    end.writer.write("abc");
    co_await end.writer.consumer_left();
    const auto read = end.reader.read();
    wire->tell_readable();
    EXPECT_EQ(co_await read, "last words");
  });
}

TEST(Consumer_left, is_what_each_of_these_errors_means) {
  for (const int error : {EPIPE, ECONNRESET, ECONNABORTED, ENOTCONN, EHOSTUNREACH, ENETDOWN,
                          ENETRESET, ENETUNREACH, ETIMEDOUT}) {
    Simulation().run([&]() -> Deferred<> {
      const Recording_monitor monitor;
      const auto wire = std::make_shared<Fake_wire>();
      const End end = end_under(monitor, wire);
      wire->write_error = io_error_of_errno(error);
      end.writer.write("abc");
      EXPECT_EQ(co_await end.writer.flushed(), Flush_result::Consumer_left) << error;
      EXPECT_FALSE(wire->closed);
    });
  }
}

TEST(Consumer_left, while_it_closes_ends_the_closing) {
  Simulation().run([]() -> Deferred<> {
    const Recording_monitor monitor;
    const auto wire = std::make_shared<Fake_wire>();
    const End end = end_under(monitor, wire);
    wire->room = 0;
    end.writer.write("abc");
    const auto closed = end.writer.close();
    co_await Clock::after(1s);
    wire->write_error = io_error_of_errno(EPIPE);
    wire->tell_writable();
    EXPECT_TRUE(closed.is_determined());
    const Close_result expected{.outcome = Flush_result::Consumer_left, .bytes_dropped = 3};
    EXPECT_EQ(co_await closed, expected);
    co_await Clock::after(1s);
    EXPECT_THAT(monitor.heard(), IsEmpty());  // the result says it
  });
}

TEST(Consumer_left, never_comes_if_the_connection_is_closed_before) {
  Simulation().run([]() -> Deferred<> {
    std::optional<End> end(fake_end(std::make_shared<Fake_wire>()));
    const auto left = end->writer.consumer_left();
    Events events;
    left.upon([probe = goodbye(events, "handler")] { ADD_FAILURE(); });
    end->writer.write("abc");
    co_await end->writer.close();
    EXPECT_THAT(events, ElementsAre("handler gone"));
    end->writer.consumer_left().upon([] { ADD_FAILURE(); });
    end.reset();
    EXPECT_FALSE(co_await Clock::with_timeout(1h, left));
  });
}

TEST(Write_error, of_another_kind_ends_the_connection_and_goes_to_the_monitor) {
  Simulation().run([]() -> Deferred<> {
    const Recording_monitor monitor;
    const auto wire = std::make_shared<Fake_wire>();
    const End end = end_under(monitor, wire);
    const auto read = end.reader.read();
    wire->write_error = io_error_of_errno(EIO);
    end.writer.write("abc");
    EXPECT_EQ(co_await end.writer.flushed(), Flush_result::Error);
    EXPECT_EQ(wire->closed, Transport::How::Reset);
    EXPECT_TRUE(end.writer.is_closed());
    EXPECT_EQ(co_await read, closed_eof);
    end.writer.write("discarded");  // the program has not closed it
    EXPECT_EQ(end.writer.bytes_dropped(), 12U);
    const Close_result closed = co_await end.writer.close();
    EXPECT_EQ(closed.outcome, Flush_result::Error);
    EXPECT_EQ(closed.bytes_dropped, 3U);
    EXPECT_THAT(monitor.heard(),
                ElementsAre(AllOf(HasSubstr("write to fake"), HasSubstr("input/output"))));
  });
}

TEST(Write_error, for_want_of_memory_is_tried_again_later_and_later) {
  Simulation().run([]() -> Deferred<> {
    const auto wire = std::make_shared<Fake_wire>();
    const End end = fake_end(wire);
    wire->write_error = io_error_of_errno(ENOBUFS);
    end.writer.write("abc");
    co_await Clock::after(10s);
    EXPECT_LT(wire->num_write_calls, 25);  // it does not spin
    EXPECT_GT(wire->num_write_calls, 10);
    wire->write_error = {};
    EXPECT_EQ(co_await end.writer.flushed(), Flush_result::Flushed);
    EXPECT_EQ(wire->written(), "abc");
  });
}

TEST(Write_error, for_want_of_memory_is_forgotten_when_the_connection_ends) {
  Simulation().run([]() -> Deferred<> {
    const auto wire = std::make_shared<Fake_wire>();
    const End end = fake_end(wire);
    wire->write_error = io_error_of_errno(ENOMEM);
    end.writer.write("abc");
    co_await Clock::after(1ms);
    wire->user->writable();  // as after an error of the socket, which ends no pause
    EXPECT_EQ((co_await end.connection->abort()).outcome, Flush_result::Force_closed);
    const int calls = wire->num_write_calls;
    co_await Clock::after(10s);
    EXPECT_EQ(wire->num_write_calls, calls);
  });
}

TEST(Monitor_of_a_writer, receives_its_errors_and_has_the_creators_for_parent) {
  Simulation().run([]() -> Deferred<> {
    const Recording_monitor creator;
    const auto wire = std::make_shared<Fake_wire>();
    const End end = end_under(creator, wire);
    const Monitor monitor = end.writer.monitor();
    EXPECT_EQ(monitor.depth(), creator.monitor().depth() + 1);
    EXPECT_EQ(monitor.name(), "the writer to fake");
    const auto error = monitor.detach_and_get_next_error();
    wire->write_error = io_error_of_errno(EPIPE);
    end.writer.write("abc");
    EXPECT_EQ((co_await error).as<Io_error>()->code(), std::errc::broken_pipe);
    EXPECT_EQ((co_await error).as<Io_error>()->connection(), end.connection->number());
    EXPECT_THAT(creator.heard(), IsEmpty());
  });
}

const Limit_exceeded* limit_of(const Error& error) { return error.as<Limit_exceeded>(); }

TEST(Buffer_age_limit, ends_the_connection_when_something_has_waited_for_longer) {
  Simulation().run([]() -> Deferred<> {
    const auto wire = std::make_shared<Fake_wire>();
    wire->room = 2;
    const End end = fake_end(wire, {.buffer_age_limit = Buffer_age_limit::at_most(10s)});
    const auto error = end.writer.monitor().detach_and_get_next_error();
    const Time_ns start = Clock::now();
    end.writer.write("abc");
    const auto read = end.reader.read();
    EXPECT_EQ(co_await end.writer.flushed(), Flush_result::Error);
    EXPECT_EQ(Clock::now(), start + 10s);
    EXPECT_EQ(limit_of(co_await error)->limit(), Limit_exceeded::Limit::Buffer_age);
    EXPECT_EQ(limit_of(co_await error)->connection(), end.connection->number());
    EXPECT_EQ(wire->closed, Transport::How::Reset);
    EXPECT_EQ(co_await read, closed_eof);
    EXPECT_EQ(end.writer.bytes_dropped(), 1U);
  });
}

TEST(Buffer_age_limit, is_two_minutes_unless_something_else_is_said) {
  Simulation().run([]() -> Deferred<> {
    const Recording_monitor monitor;
    const auto wire = std::make_shared<Fake_wire>();
    wire->room = 0;
    const End end = end_under(monitor, wire);
    end.writer.write("abc");
    co_await Clock::after(119s);
    EXPECT_FALSE(end.writer.is_closed());
    co_await Clock::after(2s);
    EXPECT_TRUE(end.writer.is_closed());
    EXPECT_THAT(monitor.heard(), ElementsAre(HasSubstr("for more than 2m")));
  });
}

TEST(Buffer_age_limit, is_of_each_byte_and_not_of_the_connection) {
  Simulation().run([]() -> Deferred<> {
    const auto wire = std::make_shared<Fake_wire>();
    const End end = fake_end(wire, {.buffer_age_limit = Buffer_age_limit::at_most(10s)});
    wire->room = 0;
    // Something always waits, but nothing for long.
    for (int i = 0; i < 100; ++i) {
      end.writer.write("a");
      co_await Clock::after(1s);
      if (i < 5) continue;
      wire->room = 1;
      wire->tell_writable();
    }
    EXPECT_FALSE(end.writer.is_closed());
    co_await end.connection->abort();
  });
}

TEST(Buffer_age_limit, counts_from_when_it_was_written_though_the_system_was_full_then) {
  Simulation().run([]() -> Deferred<> {
    const Recording_monitor monitor;
    const auto wire = std::make_shared<Fake_wire>();
    wire->room = 0;
    const End end = end_under(monitor, wire, {.buffer_age_limit = Buffer_age_limit::at_most(16s)});
    end.writer.write("a");
    co_await Clock::after(2s);
    end.writer.write("b");
    co_await Clock::after(13s);
    wire->room = 1;
    wire->tell_writable();  // takes the "a"
    EXPECT_EQ(wire->written(), "a");
    co_await Clock::after(5s);
    EXPECT_TRUE(end.writer.is_closed());
  });
}

TEST(Buffer_age_limit, may_be_unlimited) {
  Simulation().run([]() -> Deferred<> {
    const auto wire = std::make_shared<Fake_wire>();
    wire->room = 0;
    const End end = fake_end(wire, {.buffer_age_limit = Buffer_age_limit::unlimited()});
    end.writer.write("abc");
    co_await Clock::after(1000h);
    EXPECT_FALSE(end.writer.is_closed());
    co_await end.connection->abort();
  });
}

TEST(Buffer_age_limit, may_be_set_later_for_what_waits_already) {
  Simulation().run([]() -> Deferred<> {
    const Recording_monitor monitor;
    const auto wire = std::make_shared<Fake_wire>();
    wire->room = 0;
    const End end = end_under(monitor, wire, {.buffer_age_limit = Buffer_age_limit::unlimited()});
    end.writer.write("abc");
    co_await Clock::after(1h);
    end.writer.set_buffer_age_limit(Buffer_age_limit::at_most(10s));
    co_await Clock::after(5s);
    end.writer.set_buffer_age_limit(Buffer_age_limit::unlimited());
    co_await Clock::after(1h);
    EXPECT_FALSE(end.writer.is_closed());
    end.writer.set_buffer_age_limit(Buffer_age_limit::at_most(10s));
    co_await Clock::after(11s);
    EXPECT_TRUE(end.writer.is_closed());
    end.writer.set_buffer_age_limit(Buffer_age_limit::at_most(1s));  // too late to matter
  });
}

TEST(Buffer_age_limit, leaves_no_alarm_when_nothing_waits) {
  Simulation().run([]() -> Deferred<> {
    const Ends ends = co_await connected_pair();
    ends.here.writer.write(std::string(1'000'000, 'x'));
    co_await ends.there.reader.really_read(1'000'000);
    co_await Scheduler::yield();
    EXPECT_EQ(Time_source::current().next_alarm_fires_at(), std::nullopt);
  });
}

TEST(Buffer_limit, ends_the_connection_at_a_write_while_more_than_that_waits) {
  Simulation().run([]() -> Deferred<> {
    const auto wire = std::make_shared<Fake_wire>();
    wire->room = 0;
    const End end = fake_end(wire, {.buffer_limit = 10});
    const auto error = end.writer.monitor().detach_and_get_next_error();
    end.writer.write("0123456789");
    end.writer.write("one of any size is accepted");
    EXPECT_FALSE(end.writer.is_closed());
    end.writer.write("x");
    EXPECT_TRUE(end.writer.is_closed());
    EXPECT_EQ(limit_of(co_await error)->limit(), Limit_exceeded::Limit::Buffer);
    EXPECT_EQ(co_await end.writer.flushed(), Flush_result::Error);
    const Close_result closed = co_await end.writer.close();
    EXPECT_EQ(closed.bytes_dropped, 10U + 27 + 1);
  });
}

TEST(Buffer_limit, keeps_memory_small_when_a_program_writes_without_end) {
  Simulation().run([]() -> Deferred<> {
    const Recording_monitor monitor;
    const auto wire = std::make_shared<Fake_wire>();
    wire->room = 0;
    const End end = end_under(monitor, wire);
    std::size_t most = 0;
    for (int i = 0; i < 3000; ++i) {
      end.writer.write(std::string(10'000, 'x'));
      most = std::max(most, end.writer.bytes_to_write());
      if (i % 100 == 0) co_await Scheduler::yield();
    }
    EXPECT_LE(most, 16U * 1024 * 1024 + 10'000);
    EXPECT_EQ(end.writer.bytes_dropped(), 30'000'000U);
    EXPECT_EQ(monitor.heard().size(), 1U);
  });
}

}  // namespace
}  // namespace async
