// Writer: what is written, how it leaves, and the counts.

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
#include "async/random.h"
#include "async/testing/simulation.h"
#include "tests/support/connected_pair.h"
#include "tests/support/fake_transport.h"

namespace async {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::Simulation;

TEST(Writer, writes_in_all_its_ways_in_order) {
  Simulation().run([]() -> Deferred<> {
    const Ends ends = co_await connected_pair();
    const Writer& writer = ends.here.writer;
    writer.write("write ");
    writer.write_char('c');
    writer.newline();
    writer.newline(Line_ending::Dos);
    writer.write_line("line");
    writer.write_line("dos", Line_ending::Dos);
    writer.schedule("scheduled ");
    writer.write("copied ");
    writer.schedule("owned ", std::make_shared<int>(1));
    writer.write("end");
    EXPECT_EQ(co_await ends.there.reader.read(),
              "write c\n\r\nline\ndos\r\nscheduled copied owned end");
  });
}

TEST(Writer, copies_what_it_is_given_to_write) {
  Simulation().run([]() -> Deferred<> {
    const Ends ends = co_await connected_pair();
    std::string mine = "before";
    ends.here.writer.write(mine);
    mine = "after!";
    EXPECT_EQ(co_await ends.there.reader.read(), "before");
  });
}

TEST(Writer, all_that_a_cycle_writes_leaves_in_one_call_at_its_end) {
  Simulation().run([]() -> Deferred<> {
    const auto wire = std::make_shared<Fake_wire>();
    const End end = fake_end(wire);
    for (int i = 0; i < 3; ++i) {
      end.writer.write("copied");
      end.writer.schedule("taken");
      end.writer.write_line("line");
      EXPECT_THAT(wire->writes, IsEmpty());
    }
    co_await Scheduler::yield();
    EXPECT_EQ(wire->num_write_calls, 1);
    const std::string one = "copiedtakenline\n";
    EXPECT_THAT(wire->writes, ElementsAre(one + one + one));
  });
}

TEST(Writer, small_copies_are_gathered_into_one_part) {
  Simulation().run([]() -> Deferred<> {
    const auto wire = std::make_shared<Fake_wire>();
    const End end = fake_end(wire);
    for (int i = 0; i < 1000; ++i) end.writer.write("small");
    co_await Scheduler::yield();
    EXPECT_THAT(wire->num_parts, ElementsAre(1));
  });
}

TEST(Writer, makes_another_call_only_when_there_are_more_parts_than_the_system_takes) {
  Simulation().run([]() -> Deferred<> {
    const auto wire = std::make_shared<Fake_wire>();
    const End end = fake_end(wire);
    std::string all;
    for (int i = 0; i < 1500; ++i) {
      const std::string part(600, static_cast<char>('a' + i % 26));
      end.writer.schedule(part);
      all += part;
    }
    co_await Scheduler::yield();
    EXPECT_THAT(wire->num_parts, ElementsAre(1024, 476));
    EXPECT_EQ(wire->written(), all);
  });
}

TEST(Writer, of_no_bytes_writes_nothing) {
  Simulation().run([]() -> Deferred<> {
    const auto wire = std::make_shared<Fake_wire>();
    const End end = fake_end(wire);
    end.writer.write("");
    end.writer.schedule("");
    end.writer.schedule("", std::make_shared<int>(1));
    co_await Scheduler::yield();
    EXPECT_EQ(wire->num_write_calls, 0);
    EXPECT_EQ(end.writer.bytes_received(), 0U);
    EXPECT_EQ(co_await end.writer.flushed(), Flush_result::Flushed);
  });
}

TEST(Writer, goes_on_where_the_system_stopped) {
  Simulation().run([]() -> Deferred<> {
    const auto wire = std::make_shared<Fake_wire>();
    const End end = fake_end(wire);
    wire->room = 0;
    end.writer.write("abc");
    end.writer.schedule("def");
    end.writer.write("ghi");
    co_await Scheduler::yield();
    for (int i = 0; i < 9; ++i) {
      EXPECT_EQ(wire->written(), std::string("abcdefghi", static_cast<std::size_t>(i)));
      EXPECT_EQ(end.writer.bytes_to_write(), static_cast<std::size_t>(9 - i));
      wire->room = 1;
      wire->tell_writable();
    }
    EXPECT_EQ(wire->written(), "abcdefghi");
    wire->tell_writable();
    EXPECT_FALSE(wire->wants_writable);
  });
}

TEST(Writer, tries_nothing_while_the_system_takes_nothing) {
  Simulation().run([]() -> Deferred<> {
    const auto wire = std::make_shared<Fake_wire>();
    const End end = fake_end(wire);
    wire->room = 0;
    for (int i = 0; i < 10; ++i) {
      end.writer.write("abc");
      co_await Clock::after(1s);
    }
    EXPECT_EQ(wire->num_write_calls, 1);
    co_await end.connection->abort();
  });
}

TEST(Writer, counts_what_waits_and_what_has_been_written) {
  Simulation().run([]() -> Deferred<> {
    const auto wire = std::make_shared<Fake_wire>();
    const End end = fake_end(wire);
    const auto counts = [&end] {
      return std::vector<std::uint64_t>{end.writer.bytes_received(), end.writer.bytes_to_write(),
                                        end.writer.bytes_written(), end.writer.bytes_dropped()};
    };
    EXPECT_THAT(counts(), ElementsAre(0, 0, 0, 0));
    wire->room = 4;
    end.writer.write_line("hello");
    EXPECT_THAT(counts(), ElementsAre(6, 6, 0, 0));
    co_await Scheduler::yield();
    EXPECT_THAT(counts(), ElementsAre(6, 2, 4, 0));
    co_await end.connection->abort();
    EXPECT_THAT(counts(), ElementsAre(6, 0, 4, 2));
    EXPECT_THROW(end.writer.write("more"), Writer_closed);
    EXPECT_THAT(counts(), ElementsAre(6, 0, 4, 2));
  });
}

TEST(Writer, takes_a_write_of_any_size) {
  Simulation().run([]() -> Deferred<> {
    const Ends ends = co_await connected_pair();
    std::string sent;
    while (sent.size() < 40'000'000) sent += std::to_string(sent.size()) + "\n";
    ends.here.writer.write(sent);
    EXPECT_TRUE(co_await ends.there.reader.really_read(sent.size(), sent.size()) == sent);
    EXPECT_EQ(co_await ends.here.writer.flushed(), Flush_result::Flushed);
  });
}

TEST(Writer, keeps_the_order_of_writes_of_all_sizes_and_kinds) {
  Simulation({.seed = 1}).run([]() -> Deferred<> {
    const Ends ends = co_await connected_pair();
    std::string sent;
    std::string received;
    for (int round = 0; round < 100; ++round) {
      for (std::uint64_t n = Random::below(5); n > 0; --n) {
        std::string one(Random::below(3) == 0 ? Random::below(60'000) : Random::below(20), '\0');
        for (char& c : one) c = static_cast<char>(Random::bits());
        sent += one;
        if (Random::below(2) == 0) {
          ends.here.writer.write(one);
        } else {
          ends.here.writer.schedule(std::move(one));
        }
      }
      while (received.size() < sent.size()) received += *co_await ends.there.reader.read();
    }
    EXPECT_GT(sent.size(), 1'000'000U);
    EXPECT_TRUE(received == sent);
  });
}

TEST(Writer, may_write_to_itself_from_the_callback_of_a_flush) {
  Simulation().run([]() -> Deferred<> {
    const Ends ends = co_await connected_pair();
    const Writer writer = ends.here.writer;
    writer.write("a");
    writer.flushed().upon([writer](Flush_result) { writer.write("b"); });
    EXPECT_EQ(co_await ends.there.reader.really_read(2), "ab");
  });
}

TEST(Writer, throws_after_the_program_has_closed_it) {
  Simulation().run([]() -> Deferred<> {
    const Ends ends = co_await connected_pair();
    const auto closed = ends.here.reader.close();
    EXPECT_THROW(ends.here.writer.write("x"), Writer_closed);
    EXPECT_THROW(ends.here.writer.write(""), Writer_closed);
    EXPECT_THROW(ends.here.writer.write_line("x"), Writer_closed);
    EXPECT_THROW(ends.here.writer.write_char('x'), Writer_closed);
    EXPECT_THROW(ends.here.writer.newline(), Writer_closed);
    EXPECT_THROW(ends.here.writer.schedule("x"), Writer_closed);
    EXPECT_THROW(ends.here.writer.schedule("x", nullptr), Writer_closed);
    co_await closed;
    EXPECT_THROW(ends.here.writer.write("x"), Writer_closed);
    EXPECT_EQ(ends.here.writer.bytes_received(), 0U);
    ends.here.writer.shutdown_send();  // does nothing
  });
}

TEST(Writer, copies_share_the_connection) {
  Simulation().run([]() -> Deferred<> {
    const Ends ends = co_await connected_pair();
    const Writer copy = ends.here.writer;  // NOLINT(performance-unnecessary-copy-initialization)
    ends.here.writer.write("a");
    copy.write("b");
    EXPECT_EQ(copy.bytes_to_write(), 2U);
    EXPECT_EQ(co_await ends.there.reader.read(), "ab");
  });
}

TEST(Flushed, is_determined_at_once_when_nothing_waits) {
  Simulation().run([]() -> Deferred<> {
    const Ends ends = co_await connected_pair();
    EXPECT_TRUE(ends.here.writer.flushed().is_determined());
    ends.here.writer.write("x");
    EXPECT_FALSE(ends.here.writer.flushed().is_determined());
    EXPECT_EQ(co_await ends.here.writer.flushed(), Flush_result::Flushed);
    EXPECT_TRUE(ends.here.writer.flushed().is_determined());
  });
}

TEST(Flushed, waits_for_what_was_written_before_and_for_nothing_else) {
  Simulation().run([]() -> Deferred<> {
    const auto wire = std::make_shared<Fake_wire>();
    wire->room = 0;
    const End end = fake_end(wire);
    end.writer.write("abc");
    const auto first = end.writer.flushed();
    end.writer.write("def");
    const auto second = end.writer.flushed();
    const auto same = end.writer.flushed();
    co_await Scheduler::yield();
    wire->room = 5;
    wire->tell_writable();
    EXPECT_EQ(co_await first, Flush_result::Flushed);
    EXPECT_FALSE(second.is_determined());
    wire->room = 1;
    wire->tell_writable();
    EXPECT_EQ(co_await second, Flush_result::Flushed);
    EXPECT_EQ(co_await same, Flush_result::Flushed);
  });
}

TEST(Flushed, that_nobody_waits_for_any_more_is_no_trouble) {
  Simulation().run([]() -> Deferred<> {
    const auto wire = std::make_shared<Fake_wire>();
    wire->room = 0;
    const End end = fake_end(wire);
    end.writer.write("abc");
    EXPECT_FALSE(co_await Clock::with_timeout(1s, end.writer.flushed()));
    static_cast<void>(end.writer.flushed());
    wire->room = 3;
    wire->tell_writable();
    EXPECT_EQ(co_await end.writer.flushed(), Flush_result::Flushed);
  });
}

TEST(Flushed, says_force_closed_when_this_side_gave_up) {
  Simulation().run([]() -> Deferred<> {
    const auto wire = std::make_shared<Fake_wire>();
    wire->room = 0;
    const End end = fake_end(wire);
    end.writer.write("abc");
    const auto flushed = end.writer.flushed();
    const auto closed = end.writer.close({.force_close = 5s});
    co_await Clock::after(4s);
    EXPECT_FALSE(flushed.is_determined());
    EXPECT_EQ(co_await flushed, Flush_result::Force_closed);
    EXPECT_EQ(co_await end.writer.flushed(), Flush_result::Force_closed);
    const Close_result expected{.outcome = Flush_result::Force_closed, .bytes_dropped = 3};
    EXPECT_EQ(co_await closed, expected);
  });
}

TEST(Flushed, says_force_closed_for_what_is_written_after_the_library_has_closed) {
  Simulation().run([]() -> Deferred<> {
    const auto wire = std::make_shared<Fake_wire>();
    wire->room = 0;
    const End end = fake_end(wire);
    end.writer.write("abc");
    const auto before = end.writer.flushed();
    co_await Scheduler::yield();
    // As a server does that closes its connections.
    const auto closed = end.connection->begin_to_close({});
    end.writer.write("lost");
    EXPECT_EQ(end.writer.bytes_dropped(), 4U);
    EXPECT_EQ(co_await end.writer.flushed(), Flush_result::Force_closed);
    wire->room = 3;
    wire->tell_writable();
    EXPECT_EQ(co_await before, Flush_result::Flushed);
    EXPECT_EQ((co_await closed).bytes_dropped, 4U);
    end.writer.write("lost as well");
    EXPECT_EQ(co_await end.writer.flushed(), Flush_result::Force_closed);
  });
}

TEST(Flushed, has_names) {
  EXPECT_EQ(to_string(Flush_result::Flushed), "flushed");
  EXPECT_EQ(to_string(Flush_result::Consumer_left), "consumer left");
  EXPECT_EQ(to_string(Flush_result::Force_closed), "force closed");
  EXPECT_EQ(to_string(Flush_result::Error), "error");
}

}  // namespace
}  // namespace async
