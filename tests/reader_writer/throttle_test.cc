// Water marks: when a writer is throttled, and who is released by what.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "async/async.h"
#include "async/testing/simulation.h"
#include "tests/support/connected_pair.h"
#include "tests/support/fake_transport.h"
#include "tests/support/recording_observer.h"

namespace async {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using testing::Simulation;

struct Throttled {
  std::shared_ptr<Fake_wire> wire = std::make_shared<Fake_wire>();
  End end = fake_end(wire);
};

// 100 bytes wait; the marks are 50 and 20.
Deferred<Throttled> throttled() {
  Throttled result;
  result.wire->room = 0;
  result.end.writer.set_raise_when_consumer_leaves(false);
  result.end.writer.set_water_marks({.high = 50, .low = 20});
  result.end.writer.write(std::string(100, 'x'));
  co_await Scheduler::yield();
  EXPECT_TRUE(result.end.writer.is_throttled());
  co_return result;
}

TEST(Pushed_back, is_determined_while_the_system_takes_all) {
  Simulation().run([]() -> Deferred<> {
    const auto wire = std::make_shared<Fake_wire>();
    const End end = fake_end(wire);
    for (int i = 0; i < 100; ++i) {
      end.writer.write(std::string(10'000, 'x'));
      EXPECT_TRUE(end.writer.pushed_back().is_determined());
      EXPECT_FALSE(end.writer.is_throttled());
      EXPECT_LE(end.writer.bytes_to_write(), 74'000U);  // it was offered in between
    }
    co_return;
  });
}

TEST(Pushed_back, waits_until_no_more_than_the_low_mark_is_left) {
  Simulation().run([]() -> Deferred<> {
    const auto [wire, end] = co_await throttled();
    const auto pushed_back = end.writer.pushed_back();
    const auto again = end.writer.pushed_back();
    wire->room = 79;
    wire->tell_writable();
    EXPECT_FALSE(pushed_back.is_determined());
    EXPECT_TRUE(end.writer.is_throttled());
    wire->room = 1;
    wire->tell_writable();
    EXPECT_FALSE(end.writer.is_throttled());
    co_await pushed_back;
    co_await again;
    EXPECT_EQ(end.writer.bytes_to_write(), 20U);
  });
}

TEST(Pushed_back, bounds_what_a_loop_that_writes_holds) {
  Simulation simulation;
  const testing::Host far = simulation.host("far");
  simulation.run([&]() -> Deferred<> {
    const Ends ends = co_await connected_pair({.other = far});
    std::size_t most = 0;
    const auto write = [&]() -> Deferred<> {
      for (int i = 0; i < 1000; ++i) {
        ends.here.writer.write(std::string(10'000, 'x'));
        most = std::max(most, ends.here.writer.bytes_to_write());
        co_await ends.here.writer.pushed_back();
      }
      ends.here.writer.shutdown_send();
    };
    const Deferred<> written = write();
    EXPECT_EQ((co_await ends.there.reader.contents()).size(), 10'000'000U);
    co_await written;
    EXPECT_LE(most, 80'000U);
  });
}

TEST(Pushed_back, is_released_by_every_way_to_end) {
  Simulation().run([]() -> Deferred<> {
    const std::vector<std::function<void(const Throttled&)>> ways{
        [](const Throttled& t) { static_cast<void>(t.end.writer.close()); },
        [](const Throttled& t) { static_cast<void>(t.end.writer.abort()); },
        [](const Throttled& t) { t.end.writer.shutdown_send(); },
        [](const Throttled& t) {
          t.wire->write_error = io_error_of_errno(EPIPE);
          t.wire->tell_writable();
        },
        [](const Throttled& t) { static_cast<void>(t.end.writer.close({.wait_for_peer = true})); },
    };
    for (const auto& way : ways) {
      const Throttled t = co_await throttled();
      const auto pushed_back = t.end.writer.pushed_back();
      way(t);
      co_await pushed_back;
      EXPECT_FALSE(t.end.writer.is_throttled());
      EXPECT_TRUE(t.end.writer.pushed_back().is_determined());
    }
  });
}

TEST(Throttled, and_unthrottled_alternate_and_end_with_unthrottled_before_closed) {
  Simulation().run([]() -> Deferred<> {
    const auto wire = std::make_shared<Fake_wire>();
    const End end = fake_end(wire);
    const auto observer = std::make_shared<Recording_observer>();
    end.writer.observe(observer);
    end.writer.set_raise_when_consumer_leaves(false);
    end.writer.set_water_marks({.high = 5, .low = 2});
    wire->room = 0;
    for (int i = 0; i < 3; ++i) {
      end.writer.write("0123456789");
      end.writer.write("0123456789");
      co_await Scheduler::yield();
      wire->room = 20;
      wire->tell_writable();
      wire->room = 0;
      co_await Scheduler::yield();
    }
    end.writer.write("0123456789");
    co_await Scheduler::yield();
    co_await end.writer.abort();
    co_await Scheduler::yield();
    EXPECT_THAT(observer->events,
                ElementsAre("throttled", "sent 20", "unthrottled", "throttled", "sent 20",
                            "unthrottled", "throttled", "sent 20", "unthrottled", "throttled",
                            "unthrottled", "closed: force closed, 10 dropped, aborted"));
  });
}

TEST(Throttled, by_a_pause_of_the_system_ends_with_it) {
  Simulation().run([]() -> Deferred<> {
    const auto wire = std::make_shared<Fake_wire>();
    const End end = fake_end(wire);
    end.writer.set_water_marks({.high = 5, .low = 2});
    wire->write_error = io_error_of_errno(ENOBUFS);
    end.writer.write("0123456789");
    co_await Scheduler::yield();
    EXPECT_TRUE(end.writer.is_throttled());
    EXPECT_EQ(end.writer.try_write("x"), std::unexpected(Send_error::Not_writeable));
    wire->write_error = {};
    co_await end.writer.pushed_back();
    EXPECT_EQ(co_await end.writer.flushed(), Flush_result::Flushed);
    EXPECT_EQ(wire->written(), "0123456789");
    EXPECT_EQ(wire->num_write_calls, 2);
  });
}

TEST(Water_marks, count_for_what_waits_already) {
  Simulation().run([]() -> Deferred<> {
    const auto wire = std::make_shared<Fake_wire>();
    wire->room = 0;
    const End end = fake_end(wire);
    EXPECT_EQ(end.writer.water_marks().high, 65'536U);
    end.writer.write("0123456789");
    co_await Scheduler::yield();
    EXPECT_FALSE(end.writer.is_throttled());
    end.writer.set_water_marks({.high = 9, .low = 0});
    EXPECT_TRUE(end.writer.is_throttled());
    end.writer.set_water_marks({.high = 20, .low = 10});
    EXPECT_FALSE(end.writer.is_throttled());
    EXPECT_THROW(end.writer.set_water_marks({.high = 1, .low = 2}), std::invalid_argument);
    EXPECT_EQ(end.writer.water_marks().high, 20U);
  });
}

}  // namespace
}  // namespace async
