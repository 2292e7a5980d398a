// Writer::write of much: it leaves at once, and only what the system does not take is copied.

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

constexpr std::size_t much = std::size_t{16} * 1024;
const std::string large(much, 'x');

TEST(Write_through, hands_much_to_the_system_at_once) {
  Simulation().run([]() -> Deferred<> {
    const auto wire = std::make_shared<Fake_wire>();
    const End end = fake_end(wire);
    end.writer.write(large);
    EXPECT_THAT(wire->writes, ElementsAre(large));
    EXPECT_EQ(end.writer.bytes_to_write(), 0U);
    EXPECT_EQ(end.writer.bytes_written(), much);
    EXPECT_TRUE(end.writer.flushed().is_determined());
    co_await Scheduler::yield();
    EXPECT_EQ(wire->num_write_calls, 1);
  });
}

TEST(Write_through, leaves_less_to_the_end_of_the_cycle) {
  Simulation().run([]() -> Deferred<> {
    const auto wire = std::make_shared<Fake_wire>();
    const End end = fake_end(wire);
    end.writer.write(large.substr(1));
    EXPECT_THAT(wire->writes, IsEmpty());
    co_await Scheduler::yield();
    EXPECT_EQ(wire->num_write_calls, 1);
  });
}

TEST(Write_through, takes_along_what_is_queued_in_one_call) {
  Simulation().run([]() -> Deferred<> {
    const auto wire = std::make_shared<Fake_wire>();
    const End end = fake_end(wire);
    end.writer.write("head");
    const Deferred<Flush_result> head = end.writer.flushed();
    end.writer.write(large);
    EXPECT_THAT(wire->writes, ElementsAre("head" + large));
    EXPECT_TRUE(head.is_determined());
    end.writer.write("tail");
    co_await Scheduler::yield();
    EXPECT_EQ(wire->written(), "head" + large + "tail");
    EXPECT_EQ(wire->num_write_calls, 2);
  });
}

TEST(Write_through, copies_what_the_system_does_not_take) {
  Simulation().run([]() -> Deferred<> {
    for (const std::size_t room :
         {std::size_t{0}, std::size_t{2}, std::size_t{4}, std::size_t{9}}) {
      const auto wire = std::make_shared<Fake_wire>();
      const End end = fake_end(wire);
      wire->room = room;
      std::string mine = large;
      end.writer.write("head");
      end.writer.write(mine);
      mine.assign(much, 'y');
      EXPECT_EQ(end.writer.bytes_to_write(), much + 4 - room);
      EXPECT_TRUE(wire->wants_writable);
      end.writer.write(large);  // no call while the system takes nothing
      EXPECT_EQ(wire->num_write_calls, 1);
      co_await Scheduler::yield();
      EXPECT_EQ(wire->num_write_calls, 1);
      wire->room = 3 * much;
      wire->tell_writable();
      EXPECT_EQ(wire->written(), "head" + large + large);
      EXPECT_EQ(end.writer.bytes_to_write(), 0U);
      EXPECT_FALSE(wire->wants_writable);
    }
  });
}

TEST(Write_through, has_a_limit_in_each_cycle) {
  Simulation().run([]() -> Deferred<> {
    const auto wire = std::make_shared<Fake_wire>();
    const End end = fake_end(wire);
    for (int i = 0; i < 100; ++i) end.writer.write(large);
    EXPECT_EQ(wire->num_write_calls, 64);  // 1 MiB
    co_await Scheduler::yield();
    EXPECT_EQ(wire->num_write_calls, 65);
    EXPECT_EQ(wire->written().size(), 100 * much);
    end.writer.write(large);
    EXPECT_EQ(wire->num_write_calls, 66);
  });
}

TEST(Write_through, that_fails_is_counted_as_dropped_with_all_that_was_queued) {
  Simulation().run([]() -> Deferred<> {
    const Recording_monitor monitor;
    const auto wire = std::make_shared<Fake_wire>();
    co_await monitor.under([wire]() -> Deferred<> {
      const End end = fake_end(wire);
      end.writer.write("head");
      wire->write_error = io_error_of_errno(ECONNRESET);
      end.writer.write(large);
      EXPECT_EQ(end.writer.bytes_dropped(), much + 4);
      EXPECT_EQ(end.writer.bytes_to_write(), 0U);
      EXPECT_TRUE(end.writer.consumer_left().is_determined());
      EXPECT_EQ(co_await end.writer.flushed(), Flush_result::Consumer_left);
      end.writer.write(large);
      EXPECT_EQ(end.writer.bytes_dropped(), 2 * much + 4);
      EXPECT_EQ(wire->num_write_calls, 1);
    });
    co_await Scheduler::yield();
    EXPECT_EQ(monitor.heard().size(), 1U);
  });
}

TEST(Write_through, that_fails_for_good_ends_the_connection) {
  Simulation().run([]() -> Deferred<> {
    const Recording_monitor monitor;
    const auto wire = std::make_shared<Fake_wire>();
    co_await monitor.under([wire]() -> Deferred<> {
      const End end = fake_end(wire);
      wire->write_error = io_error_of_errno(EIO);
      end.writer.write(large);
      EXPECT_TRUE(end.writer.is_closed());
      EXPECT_EQ(end.writer.bytes_dropped(), much);
      EXPECT_EQ(co_await end.reader.read_chunk(), closed_eof);
    });
    co_await Scheduler::yield();
    EXPECT_EQ(monitor.heard().size(), 1U);
  });
}

TEST(Write_through, waits_when_the_system_has_no_buffers) {
  Simulation().run([]() -> Deferred<> {
    const auto wire = std::make_shared<Fake_wire>();
    const End end = fake_end(wire);
    wire->write_error = io_error_of_errno(ENOBUFS);
    end.writer.write(large);
    EXPECT_EQ(end.writer.bytes_to_write(), much);
    wire->write_error = {};
    EXPECT_EQ(co_await end.writer.flushed(), Flush_result::Flushed);
    EXPECT_EQ(wire->written(), large);
  });
}

TEST(Write_through, is_followed_by_the_end_of_sending) {
  Simulation().run([]() -> Deferred<> {
    const auto wire = std::make_shared<Fake_wire>();
    const End end = fake_end(wire);
    end.writer.write(large);
    end.writer.shutdown_send();
    EXPECT_TRUE(wire->has_sent_end);
    co_await Scheduler::yield();
    EXPECT_EQ(wire->num_write_calls, 1);
  });
}

}  // namespace
}  // namespace async
