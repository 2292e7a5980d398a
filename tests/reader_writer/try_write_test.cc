// Writes that may be refused, their tokens, and what became of each.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "async/async.h"
#include "async/testing/simulation.h"
#include "tests/support/connected_pair.h"
#include "tests/support/fake_transport.h"
#include "tests/support/recording_monitor.h"

namespace async {
namespace {

using namespace std::chrono_literals;
using ::testing::Each;
using ::testing::ElementsAre;
using testing::Simulation;

const std::unexpected not_connected(Send_error::Not_connected);
const std::unexpected not_writeable(Send_error::Not_writeable);

TEST(Try_write, gives_tokens_in_the_order_of_the_writes) {
  Simulation().run([]() -> Deferred<> {
    const Ends ends = co_await connected_pair();
    const auto first = ends.here.writer.try_write("one");
    const auto second = ends.here.writer.try_write("three");
    EXPECT_EQ(first, Send_token(3));
    EXPECT_EQ(second, Send_token(8));
    EXPECT_LT(*first, *second);
    EXPECT_EQ(co_await ends.here.writer.outcome(*second), Flush_result::Flushed);
    EXPECT_EQ(co_await ends.here.writer.outcome(*first), Flush_result::Flushed);
    EXPECT_EQ(co_await ends.there.reader.read(), "onethree");
  });
}

TEST(Try_write, of_nothing_is_accepted_and_flushed_with_what_came_before) {
  Simulation().run([]() -> Deferred<> {
    const auto wire = std::make_shared<Fake_wire>();
    wire->room = 0;
    const End end = fake_end(wire);
    EXPECT_EQ(co_await end.writer.outcome(*end.writer.try_write("")), Flush_result::Flushed);
    end.writer.write("x");
    const auto outcome = end.writer.outcome(*end.writer.try_writev({}));
    co_await Scheduler::yield();
    EXPECT_FALSE(outcome.is_determined());
    wire->room = 1;
    wire->tell_writable();
    EXPECT_EQ(co_await outcome, Flush_result::Flushed);
  });
}

TEST(Try_write, refuses_while_throttled_without_any_effect) {
  Simulation().run([]() -> Deferred<> {
    const auto wire = std::make_shared<Fake_wire>();
    wire->room = 10;
    const End end = fake_end(wire);
    end.writer.set_water_marks({.high = 20, .low = 5});
    EXPECT_TRUE(end.writer.try_write(std::string(40, 'a')));
    EXPECT_EQ(end.writer.try_write("more"), not_writeable);  // it was offered to the system first
    EXPECT_EQ(end.writer.bytes_received(), 40U);
    EXPECT_EQ(end.writer.bytes_dropped(), 0U);
    EXPECT_EQ(end.writer.bytes_to_write(), 30U);

    wire->room = 24;  // leaves six: above the low mark
    wire->tell_writable();
    EXPECT_EQ(end.writer.try_write("more"), not_writeable);
    wire->room = 1;
    wire->tell_writable();
    EXPECT_EQ(end.writer.try_write("more"), Send_token(44));
    co_return;
  });
}

TEST(Try_write, never_makes_more_wait_than_the_limit_but_takes_one_write_of_any_size) {
  Simulation().run([]() -> Deferred<> {
    const auto wire = std::make_shared<Fake_wire>();
    wire->room = 0;
    const End end = fake_end(wire, {.buffer_limit = 100});
    EXPECT_TRUE(end.writer.try_write(std::string(90, 'a')));
    EXPECT_EQ(end.writer.try_write(std::string(11, 'a')), not_writeable);
    EXPECT_TRUE(end.writer.try_write(std::string(10, 'a')));
    EXPECT_EQ(end.writer.try_write("a"), not_writeable);
    EXPECT_FALSE(end.writer.is_closed());

    const auto other = std::make_shared<Fake_wire>();
    const End empty = fake_end(other, {.buffer_limit = 100});
    EXPECT_TRUE(empty.writer.try_write(std::string(1000, 'a')));
    co_return;
  });
}

TEST(Try_write, is_not_connected_once_the_writer_has_ended_in_whatever_way) {
  Simulation().run([]() -> Deferred<> {
    const End closed = fake_end(std::make_shared<Fake_wire>());
    dont_wait_for(closed.writer.close().map([](const Close_result&) {}));
    EXPECT_EQ(closed.writer.try_write("x"), not_connected);

    const End ended = fake_end(std::make_shared<Fake_wire>());
    ended.writer.shutdown_send();
    EXPECT_EQ(ended.writer.try_write("x"), not_connected);

    const auto wire = std::make_shared<Fake_wire>();
    const End left = fake_end(wire);
    left.writer.set_raise_when_consumer_leaves(false);
    wire->write_error = io_error_of_errno(ECONNRESET);
    EXPECT_TRUE(left.writer.try_write("x"));
    co_await left.writer.flushed();
    EXPECT_EQ(left.writer.try_write("x"), not_connected);
    EXPECT_EQ(left.writer.bytes_dropped(), 1U);
  });
}

// Those that had left entirely are flushed, and no others: whatever the connection dies of.
Deferred<std::vector<Flush_result>> outcomes_when(
    std::size_t room, std::function<void(Fake_wire&, const End&)> end_it) {
  const auto wire = std::make_shared<Fake_wire>();
  wire->room = room;
  const End end = fake_end(wire);
  end.writer.set_raise_when_consumer_leaves(false);
  std::vector<Deferred<Flush_result>> outcomes;
  for (int i = 0; i < 5; ++i) {
    outcomes.push_back(end.writer.outcome(*end.writer.try_write("0123456789")));
  }
  co_await Scheduler::yield();
  end_it(*wire, end);
  std::vector<Flush_result> results;
  for (const auto& outcome : outcomes) results.push_back(co_await outcome);
  co_return results;
}

TEST(Outcome, is_exact_to_the_byte_when_a_connection_dies_with_sends_queued) {
  Simulation().run([]() -> Deferred<> {
    constexpr auto flushed = Flush_result::Flushed;
    const Recording_monitor monitor;
    for (const std::size_t room : {20UL, 29UL}) {
      const auto aborted = co_await outcomes_when(
          room, [](Fake_wire&, const End& end) { static_cast<void>(end.writer.abort()); });
      constexpr auto force_closed = Flush_result::Force_closed;
      EXPECT_THAT(aborted, ElementsAre(flushed, flushed, force_closed, force_closed, force_closed));

      const auto left = co_await outcomes_when(room, [](Fake_wire& wire, const End&) {
        wire.write_error = io_error_of_errno(ECONNRESET);
        wire.tell_writable();
      });
      constexpr auto consumer_left = Flush_result::Consumer_left;
      EXPECT_THAT(left, ElementsAre(flushed, flushed, consumer_left, consumer_left, consumer_left));

      const auto failed = co_await monitor.under([room] {
        return outcomes_when(room, [](Fake_wire& wire, const End&) {
          wire.write_error = io_error_of_errno(EIO);
          wire.tell_writable();
        });
      });
      constexpr auto error = Flush_result::Error;
      EXPECT_THAT(failed, ElementsAre(flushed, flushed, error, error, error));
    }
    const auto all = co_await outcomes_when(
        50, [](Fake_wire&, const End& end) { static_cast<void>(end.writer.abort()); });
    EXPECT_THAT(all, Each(flushed));
  });
}

TEST(Outcome, comes_in_the_order_of_the_bytes_whatever_it_was_asked_in) {
  Simulation().run([]() -> Deferred<> {
    const auto wire = std::make_shared<Fake_wire>();
    wire->room = 0;
    const End end = fake_end(wire);
    const Send_token one = *end.writer.try_write("1");
    const Send_token two = *end.writer.try_write("2");
    const Send_token three = *end.writer.try_write("3");
    std::string order;
    for (const auto& [token, name] :
         {std::pair(three, '3'), std::pair(one, '1'), std::pair(two, '2')}) {
      end.writer.outcome(token).upon([&order, name](Flush_result) { order += name; });
    }
    for (const std::string expected : {"1", "12", "123"}) {
      wire->room = 1;
      wire->tell_writable();
      co_await Scheduler::yield();
      EXPECT_EQ(order, expected);
    }
  });
}

TEST(Outcome, may_lead_to_another_write_without_recursion) {
  Simulation().run([]() -> Deferred<> {
    const End end = fake_end(std::make_shared<Fake_wire>());
    int left = 10'000;
    const std::function<void()> send = [&] {
      if (--left == 0) return;
      end.writer.outcome(*end.writer.try_write("x")).upon([&](Flush_result) { send(); });
    };
    send();
    while (left > 0) co_await Scheduler::yield();
    EXPECT_EQ(co_await end.writer.flushed(), Flush_result::Flushed);
    EXPECT_EQ(end.writer.bytes_written(), 9'999U);
  });
}

TEST(Writev, is_one_write_of_all_parts) {
  Simulation().run([]() -> Deferred<> {
    const Ends ends = co_await connected_pair();
    const std::array<std::string_view, 4> parts{"header ", "", "body", "!"};
    ends.here.writer.writev(parts);
    ends.here.writer.writev({});
    EXPECT_EQ(ends.here.writer.try_writev(parts), Send_token(24));
    EXPECT_EQ(co_await ends.there.reader.really_read(24), "header body!header body!");
  });
}

TEST(Schedule_iovecs, leaves_in_batches_of_as_many_as_the_system_takes) {
  Simulation().run([]() -> Deferred<> {
    const auto wire = std::make_shared<Fake_wire>();
    const End end = fake_end(wire);
    const auto bytes = std::make_shared<const std::string>(600, 'x');  // too much to copy
    const std::vector<Iovec> iovecs(2500, Iovec{.bytes = *bytes, .owner = bytes});
    end.writer.schedule_iovecs(iovecs);
    EXPECT_EQ(co_await end.writer.flushed(), Flush_result::Flushed);
    EXPECT_THAT(wire->num_parts, ElementsAre(1024, 1024, 452));
    EXPECT_EQ(wire->written().size(), 1'500'000U);
    EXPECT_EQ(bytes.use_count(), 2501);  // those of the test
  });
}

TEST(Schedule_iovecs, of_none_or_of_empty_ones_is_no_write) {
  Simulation().run([]() -> Deferred<> {
    const auto wire = std::make_shared<Fake_wire>();
    const End end = fake_end(wire);
    end.writer.schedule_iovecs({});
    end.writer.schedule_iovecs(std::vector<Iovec>(3));
    EXPECT_EQ(co_await end.writer.flushed(), Flush_result::Flushed);
    EXPECT_EQ(wire->num_write_calls, 0);
  });
}

TEST(Write_nodelay, hands_over_at_once_with_all_that_is_queued) {
  Simulation().run([]() -> Deferred<> {
    const auto wire = std::make_shared<Fake_wire>();
    const End end = fake_end(wire);
    end.writer.write("before ");
    const auto flushed = end.writer.write_nodelay("now");
    EXPECT_THAT(wire->writes, ElementsAre("before now"));
    EXPECT_EQ(co_await flushed, Flush_result::Flushed);
    wire->room = 1;
    const auto rest = end.writer.write_nodelay("ab");
    co_await Scheduler::yield();
    EXPECT_FALSE(rest.is_determined());
    wire->room = 1;
    wire->tell_writable();
    EXPECT_EQ(co_await rest, Flush_result::Flushed);
    dont_wait_for(end.writer.close().map([](const Close_result&) {}));
    EXPECT_THROW(static_cast<void>(end.writer.write_nodelay("x")), Writer_closed);
  });
}

}  // namespace
}  // namespace async
