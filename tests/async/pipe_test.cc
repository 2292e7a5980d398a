#include "async/pipe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "async/async.h"
#include "async/testing/simulation.h"
#include "tests/support/bytes_in_use.h"
#include "tests/support/captured_log.h"
#include "tests/support/goodbye.h"

namespace async {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::Simulation;

const auto end_of_file = std::unexpected(Eof());

TEST(Pipe, gives_values_in_the_order_in_which_they_were_written) {
  Simulation().run([]() -> Deferred<> {
    const auto [reader, writer] = Pipe::create<std::string>();
    for (const char* text : {"a", "b", "c"}) (void)writer.write(text);
    EXPECT_EQ(writer.length(), 3);
    EXPECT_EQ(reader.length(), 3);
    EXPECT_EQ(co_await reader.read(), "a");
    EXPECT_EQ(co_await reader.read(), "b");
    EXPECT_FALSE(reader.is_empty());
    EXPECT_EQ(co_await reader.read(), "c");
    EXPECT_TRUE(reader.is_empty());
  });
}

TEST(Pipe, gives_a_value_that_is_there_at_once) {
  Simulation().run([]() -> Deferred<> {
    const auto [reader, writer] = Pipe::create<int>();
    writer.write_without_pushback(1);
    const Deferred<Read_result<int>> read = reader.read();
    EXPECT_EQ(read.peek(), Read_result<int>(1));
    co_return;
  });
}

TEST(Pipe, serves_reads_in_order) {
  Simulation().run([]() -> Deferred<> {
    const auto [reader, writer] = Pipe::create<int>();
    const Deferred<Read_result<int>> first = reader.read();
    const Deferred<Read_result<int>> second = reader.read();
    const Deferred<Read_result<int>> third = reader.read();
    writer.write_without_pushback(1);
    EXPECT_TRUE(first.is_determined());
    EXPECT_FALSE(second.is_determined());
    writer.write_without_pushback(2);
    writer.close();
    EXPECT_EQ(co_await first, 1);
    EXPECT_EQ(co_await second, 2);
    EXPECT_EQ(co_await third, end_of_file);
  });
}

TEST(Pipe, pushes_back_until_each_value_is_read_when_it_has_no_budget) {
  Simulation().run([]() -> Deferred<> {
    const auto [reader, writer] = Pipe::create<int>();
    EXPECT_EQ(writer.size_budget(), 0);
    EXPECT_TRUE(writer.pushback().is_determined());
    const Deferred<> first = writer.write(1);
    const Deferred<> second = writer.write(2);
    EXPECT_FALSE(writer.pushback().is_determined());
    (void)co_await reader.read();
    EXPECT_FALSE(first.is_determined());
    (void)co_await reader.read();
    EXPECT_TRUE(first.is_determined());
    EXPECT_TRUE(second.is_determined());
    EXPECT_TRUE(writer.pushback().is_determined());
  });
}

TEST(Pipe, does_not_push_back_while_somebody_waits_for_the_value) {
  Simulation().run([]() -> Deferred<> {
    const auto [reader, writer] = Pipe::create<int>();
    const Deferred<Read_result<int>> read = reader.read();
    EXPECT_TRUE(writer.write(1).is_determined());
    EXPECT_FALSE(writer.write(2).is_determined());
    co_return;
  });
}

TEST(Pipe, pushes_back_beyond_its_budget) {
  Simulation().run([]() -> Deferred<> {
    const auto [reader, writer] = Pipe::create<int>({.size_budget = 2});
    EXPECT_EQ(writer.size_budget(), 2);
    EXPECT_TRUE(writer.write(1).is_determined());
    EXPECT_TRUE(writer.write(2).is_determined());
    const Deferred<> third = writer.write(3);
    const Deferred<> fourth = writer.write(4);
    EXPECT_FALSE(third.is_determined());
    (void)co_await reader.read();
    EXPECT_FALSE(third.is_determined());
    (void)co_await reader.read();
    EXPECT_TRUE(third.is_determined());
    EXPECT_TRUE(fourth.is_determined());
    EXPECT_FALSE(writer.write(5).is_determined());
  });
}

TEST(Pipe, lets_a_producer_run_no_further_ahead_than_its_budget) {
  Simulation().run([]() -> Deferred<> {
    const auto [reader, writer] = Pipe::create<int>({.size_budget = 3});
    int written = 0;
    dont_wait_for([](Pipe::Writer<int> w, int& n) -> Deferred<> {
      for (n = 0; n < 100; ++n) co_await w.write(n);
      w.close();
    }(writer, written));
    co_await Clock::after(1s);
    EXPECT_EQ(writer.length(), 4);
    for (int i = 0; i < 100; ++i) {
      EXPECT_EQ(co_await reader.read(), i);
      EXPECT_LE(reader.length(), 4);
    }
    EXPECT_EQ(co_await reader.read(), end_of_file);
    EXPECT_EQ(written, 100);
  });
}

TEST(Pipe, can_be_read_to_its_end_after_it_was_closed) {
  Simulation().run([]() -> Deferred<> {
    const auto [reader, writer] = Pipe::create<int>();
    EXPECT_FALSE(reader.is_closed());
    EXPECT_FALSE(reader.closed().is_determined());
    writer.write_without_pushback(1);
    writer.close();
    EXPECT_TRUE(reader.is_closed());
    EXPECT_TRUE(writer.is_closed());
    EXPECT_TRUE(reader.closed().is_determined());
    EXPECT_TRUE(writer.closed().is_determined());
    EXPECT_EQ(co_await reader.read(), 1);
    EXPECT_EQ(co_await reader.read(), end_of_file);
    EXPECT_EQ(co_await reader.read(), end_of_file);
  });
}

TEST(Pipe, lets_those_go_on_who_wait_when_it_is_closed) {
  Simulation().run([]() -> Deferred<> {
    const auto [reader, writer] = Pipe::create<int>();
    const Deferred<> closed = writer.closed();
    const Deferred<> pushback = writer.write(1);
    writer.close();
    EXPECT_TRUE(closed.is_determined());
    EXPECT_TRUE(pushback.is_determined());
    EXPECT_TRUE(writer.pushback().is_determined());
    co_return;
  });
}

TEST(Pipe, refuses_writes_once_it_is_closed) {
  Simulation().run([]() -> Deferred<> {
    const auto [reader, writer] = Pipe::create<int>({.size_budget = 10});
    EXPECT_TRUE(writer.write_without_pushback_if_open(1));
    writer.close();
    const Or_error<void> written = co_await or_error(writer.write(2));
    EXPECT_NE(written.error().as<Pipe::Write_to_closed_pipe>(), nullptr);
    EXPECT_THROW(writer.write_without_pushback(3), Pipe::Write_to_closed_pipe);
    EXPECT_FALSE(writer.write_without_pushback_if_open(4));
    EXPECT_EQ(reader.length(), 1);
  });
}

TEST(Pipe, can_be_closed_twice) {
  Simulation().run([]() -> Deferred<> {
    const auto [reader, writer] = Pipe::create<int>();
    writer.write_without_pushback(1);
    writer.close();
    writer.close();
    EXPECT_EQ(reader.length(), 1);
    reader.close_read();
    reader.close_read();
    writer.close();
    EXPECT_EQ(co_await reader.read(), end_of_file);
  });
}

TEST(Pipe, drops_its_content_when_its_reader_closes_it) {
  Events events;
  Simulation().run([&]() -> Deferred<> {
    const auto [reader, writer] = Pipe::create<std::shared_ptr<void>>();
    const Deferred<> first = writer.write(goodbye(events, "first"));
    const Deferred<> second = writer.write(goodbye(events, "second"));
    const Deferred<> closed = writer.closed();
    EXPECT_THAT(events, IsEmpty());
    reader.close_read();
    EXPECT_THAT(events, ElementsAre("first gone", "second gone"));
    EXPECT_TRUE(first.is_determined());
    EXPECT_TRUE(second.is_determined());
    EXPECT_TRUE(closed.is_determined());
    EXPECT_TRUE(writer.is_closed());
    EXPECT_EQ(writer.length(), 0);
    EXPECT_THROW(writer.write_without_pushback(nullptr), Pipe::Write_to_closed_pipe);
    EXPECT_FALSE(co_await reader.read());
  });
}

TEST(Pipe, ends_the_reads_that_wait_when_its_reader_closes_it) {
  Simulation().run([]() -> Deferred<> {
    const auto [reader, writer] = Pipe::create<int>();
    const Deferred<Read_result<int>> read = reader.read();
    reader.close_read();
    EXPECT_FALSE(co_await read);
  });
}

TEST(Pipe, runs_nobody_inside_its_functions) {
  Events events;
  Simulation().run([&]() -> Deferred<> {
    const auto [reader, writer] = Pipe::create<int>();
    reader.read().upon([&](const Read_result<int>&) { events.emplace_back("read"); });
    writer.closed().upon([&] { events.emplace_back("closed"); });
    writer.write_without_pushback(1);
    writer.write(2).upon([&] { events.emplace_back("pushback"); });
    writer.close();
    reader.close_read();
    EXPECT_THAT(events, IsEmpty());
    co_await Scheduler::yield();
    EXPECT_THAT(events, ElementsAre("read", "pushback", "closed"));
  });
}

TEST(Pipe, a_read_whose_deferred_was_dropped_takes_no_value) {
  Simulation().run([]() -> Deferred<> {
    const auto [reader, writer] = Pipe::create<int>();
    (void)reader.read();
    const Deferred<Read_result<int>> kept = reader.read();
    (void)reader.read();
    writer.write_without_pushback(1);
    writer.write_without_pushback(2);
    EXPECT_EQ(co_await kept, 1);
    EXPECT_EQ(co_await reader.read(), 2);
  });
}

TEST(Pipe, a_read_whose_deferred_was_dropped_while_it_has_a_handler_takes_a_value) {
  Simulation().run([]() -> Deferred<> {
    const auto [reader, writer] = Pipe::create<int>();
    int seen = 0;
    reader.read().upon([&](const Read_result<int>& value) { seen = value.value_or(-1); });
    writer.write_without_pushback(1);
    writer.write_without_pushback(2);
    co_await Scheduler::yield();
    EXPECT_EQ(seen, 1);
    EXPECT_EQ(co_await reader.read(), 2);
  });
}

TEST(Pipe, a_read_whose_timeout_has_passed_takes_no_value) {
  Simulation().run([]() -> Deferred<> {
    const auto [reader, writer] = Pipe::create<int>();
    for (int i = 0; i < 3; ++i) EXPECT_FALSE(co_await Clock::with_timeout(1s, reader.read()));
    writer.write_without_pushback(1);
    EXPECT_EQ(co_await reader.read(), 1);
  });
}

TEST(Pipe, a_read_with_a_timeout_loses_no_value_that_comes_at_that_very_time) {
  Simulation().run([]() -> Deferred<> {
    const auto [reader, writer] = Pipe::create<int>({.size_budget = 1000});
    std::vector<int> seen;
    // Half of the writers come before the timeout of the same time, half of them after it.
    for (int i = 0; i < 20; i += 2) {
      const auto before = Clock::Event::run_after(1s, [&] { writer.write_without_pushback(i); });
      const auto waiting = Clock::with_timeout(1s, reader.read());
      const auto after = Clock::Event::run_after(1s, [&] { writer.write_without_pushback(i + 1); });
      if (const auto read = co_await waiting) seen.push_back(read->value());
      co_await Clock::after(1s);
      while (!reader.is_empty()) seen.push_back((co_await reader.read()).value());
    }
    std::vector<int> expected(20);
    for (int i = 0; i < 20; ++i) expected[static_cast<std::size_t>(i)] = i;
    EXPECT_EQ(seen, expected);
  });
}

TEST(Pipe, a_read_that_lost_a_choice_takes_no_value) {
  Simulation().run([]() -> Deferred<> {
    const auto [reader, writer] = Pipe::create<int>();
    co_await choose(choice(reader.read(), [](const auto&) { ADD_FAILURE(); }),
                    choice(Clock::after(1s), [] {}));
    writer.write_without_pushback(1);
    EXPECT_EQ(co_await reader.read(), 1);
  });
}

TEST(Pipe, forgets_reads_that_were_dropped) {
  Simulation().run([]() -> Deferred<> {
    const auto [reader, writer] = Pipe::create<int>();
    const std::size_t before = bytes_in_use();
    for (int i = 0; i < 100'000; ++i) (void)reader.read();
    EXPECT_LT(bytes_in_use(), before + 1'000'000);
    writer.write_without_pushback(1);
    EXPECT_EQ(reader.length(), 1);
    co_return;
  });
}

TEST(Pipe, needs_a_scheduler) { EXPECT_THROW((void)Pipe::create<int>(), No_scheduler); }

TEST(Read_result, says_how_reading_ended) {
  EXPECT_EQ(Eof().reason, Eof::Reason::Clean);
  EXPECT_EQ(to_string(Eof::Reason::Clean), "clean");
  EXPECT_EQ(to_string(Eof::Reason::Reset), "reset");
  EXPECT_EQ(to_string(Eof::Reason::Timed_out), "timed out");
  EXPECT_EQ(to_string(Eof::Reason::Closed), "closed");
}

}  // namespace
}  // namespace async
