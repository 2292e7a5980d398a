// Writer::schedule, and the memory of what waits to be written.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <memory>
#include <string>

#include "async/async.h"
#include "async/testing/simulation.h"
#include "tests/support/bytes_in_use.h"
#include "tests/support/connected_pair.h"
#include "tests/support/fake_transport.h"
#include "tests/support/goodbye.h"

namespace async {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::Simulation;

TEST(Writer_schedule, copies_nothing_and_holds_on_until_it_is_written) {
  Simulation().run([]() -> Deferred<> {
    const auto wire = std::make_shared<Fake_wire>();
    wire->room = 300;
    const End end = fake_end(wire);
    Events events;
    const auto bytes = std::make_shared<std::string>(600, 'a');
    end.writer.schedule(*bytes, goodbye(events, "owner"));
    bytes->front() = 'A';  // which nobody should, but it shows that there is no copy
    co_await Scheduler::yield();
    EXPECT_THAT(events, IsEmpty());
    EXPECT_EQ(wire->written(), bytes->substr(0, 300));
    wire->room = 300;
    wire->tell_writable();
    EXPECT_EQ(wire->written(), *bytes);
    EXPECT_THAT(events, ElementsAre("owner gone"));
  });
}

TEST(Writer_schedule, copies_what_is_small_and_lets_go_of_it) {
  Simulation().run([]() -> Deferred<> {
    const auto wire = std::make_shared<Fake_wire>();
    const End end = fake_end(wire);
    const auto owner = std::make_shared<std::string>(511, 'a');
    end.writer.schedule(*owner, owner);
    EXPECT_EQ(owner.use_count(), 1);
    co_await Scheduler::yield();
    EXPECT_EQ(wire->written(), *owner);
  });
}

TEST(Writer_schedule, keeps_the_order_among_copies_however_little_is_taken_at_once) {
  Simulation().run([]() -> Deferred<> {
    const auto wire = std::make_shared<Fake_wire>();
    wire->room = 0;
    const End end = fake_end(wire);
    std::string expected;
    const auto write = [&](std::size_t size, bool copies) {
      const std::string bytes(size, static_cast<char>('a' + expected.size() % 26));
      expected += bytes;
      copies ? end.writer.write(bytes) : end.writer.schedule(bytes);
    };
    // Small and large ones, over the ends of buffers, with all in between in the middle of a write.
    for (const std::size_t size : {1, 700, 5'000, 12'000, 3, 20'000, 16'384, 2}) {
      write(size, /*copies=*/true);
      write(size + 511, /*copies=*/false);
      write(size, /*copies=*/true);
      write(7, /*copies=*/true);
      wire->room = 1'000;
      wire->tell_writable();
      co_await Scheduler::yield();
    }
    while (end.writer.bytes_to_write() > 0) {
      wire->room = 999;
      wire->tell_writable();
      co_await Scheduler::yield();
    }
    EXPECT_EQ(wire->written(), expected);
    EXPECT_EQ(end.writer.bytes_written(), expected.size());
  });
}

TEST(Writer_schedule, holds_little_more_memory_than_what_waits_however_small_the_pieces) {
  Simulation().run([]() -> Deferred<> {
    const auto wire = std::make_shared<Fake_wire>();
    wire->room = 0;
    const End end = fake_end(wire);
    const std::size_t before = bytes_in_use();
    for (int i = 0; i < 5000; ++i) {
      end.writer.write("x");
      end.writer.schedule(std::string(600, 'y'));
      end.writer.schedule("z");
    }
    EXPECT_LT(bytes_in_use() - before, 2 * end.writer.bytes_to_write());
    wire->room = std::numeric_limits<std::size_t>::max();
    wire->tell_writable();
    co_await end.writer.flushed();
    const std::string one = "x" + std::string(600, 'y') + "z";
    std::string all;
    for (int i = 0; i < 5000; ++i) all += one;
    EXPECT_EQ(wire->written(), all);
  });
}

TEST(Writer_schedule, what_was_scheduled_is_let_go_when_it_is_dropped) {
  Simulation().run([]() -> Deferred<> {
    const auto wire = std::make_shared<Fake_wire>();
    wire->room = 0;
    const End end = fake_end(wire);
    const auto owner = std::make_shared<std::string>(600, 'a');
    end.writer.schedule(*owner, owner);
    co_await Scheduler::yield();
    EXPECT_EQ(owner.use_count(), 2);
    co_await end.connection->abort();
    EXPECT_EQ(owner.use_count(), 1);
    EXPECT_THROW(end.writer.schedule(*owner, owner), Writer_closed);
    EXPECT_EQ(owner.use_count(), 1);
  });
}

}  // namespace
}  // namespace async
