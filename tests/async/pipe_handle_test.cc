// Pipes and their handles.

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
#include "tests/support/captured_log.h"
#include "tests/support/goodbye.h"

namespace async {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::Simulation;

const auto end_of_file = std::unexpected(Eof());

TEST(Pipe, is_closed_when_the_last_writer_is_dropped) {
  Simulation().run([]() -> Deferred<> {
    auto [reader, writer] = Pipe::create<int>();
    std::optional<Pipe::Writer<int>> first(std::move(writer));
    std::optional<Pipe::Writer<int>> second(first);
    first->write_without_pushback(1);
    first.reset();
    EXPECT_FALSE(reader.is_closed());
    second->write_without_pushback(2);
    second.reset();
    EXPECT_TRUE(reader.is_closed());
    EXPECT_EQ(co_await reader.read(), 1);
    EXPECT_EQ(co_await reader.read(), 2);
    EXPECT_EQ(co_await reader.read(), end_of_file);
  });
}

TEST(Pipe, is_closed_and_emptied_when_the_last_reader_is_dropped) {
  Events events;
  Simulation().run([&]() -> Deferred<> {
    auto [reader, writer] = Pipe::create<std::shared_ptr<void>>();
    std::optional<Pipe::Reader<std::shared_ptr<void>>> first(std::move(reader));
    std::optional<Pipe::Reader<std::shared_ptr<void>>> second(first);
    const Deferred<> written = writer.write(goodbye(events, "value"));
    first.reset();
    EXPECT_FALSE(writer.is_closed());
    EXPECT_THAT(events, IsEmpty());
    second.reset();
    EXPECT_TRUE(writer.is_closed());
    EXPECT_TRUE(written.is_determined());
    EXPECT_THAT(events, ElementsAre("value gone"));
    co_return;
  });
}

TEST(Pipe, counts_handles_that_are_assigned) {
  Simulation().run([]() -> Deferred<> {
    auto [reader, writer] = Pipe::create<int>();
    auto [other_reader, other_writer] = Pipe::create<int>();
    other_writer = writer;
    EXPECT_TRUE(other_reader.is_closed());
    writer = std::move(other_writer);
    const auto& same = writer;
    writer = same;
    EXPECT_FALSE(reader.is_closed());
    other_reader = reader;
    reader = other_reader;
    writer.write_without_pushback(1);
    EXPECT_EQ(other_reader.length(), 1);
    EXPECT_EQ(co_await reader.read(), 1);
  });
}

TEST(Pipe, ends_for_a_coroutine_that_waits_when_the_writer_is_gone) {
  Simulation().run([]() -> Deferred<> {
    auto [reader, writer] = Pipe::create<int>();
    const auto wait = [](Pipe::Reader<int> r) -> Deferred<bool> {
      co_return (co_await r.read()).has_value();
    };
    const Deferred<bool> waiting = wait(reader);
    {
      const auto gone = std::move(writer);
    }
    EXPECT_FALSE(co_await waiting);
  });
}

TEST(Pipe, holds_values_that_can_only_be_moved) {
  Simulation().run([]() -> Deferred<> {
    const auto [reader, writer] = Pipe::create<std::unique_ptr<int>>();
    Deferred<Read_result<std::unique_ptr<int>>> waiting = reader.read();
    writer.write_without_pushback(std::make_unique<int>(1));
    writer.write_without_pushback_if_open(std::make_unique<int>(2));
    (void)writer.write(std::make_unique<int>(3));
    const auto first = co_await std::move(waiting);
    EXPECT_EQ(**first, 1);
    const auto second = co_await Clock::with_timeout(1s, reader.read());
    EXPECT_EQ(***second, 2);
    int third = 0;
    writer.close();
    co_await reader.iter([&](std::unique_ptr<int> value) { third = *value; });
    EXPECT_EQ(third, 3);
  });
}

TEST(Pipe, may_outlive_its_scheduler) {
  Events events;
  Captured_log log;
  std::optional<Pipe::Ends<std::shared_ptr<void>>> pipe;
  Simulation().run([&]() -> Deferred<> {
    pipe = Pipe::create<std::shared_ptr<void>>();
    pipe->writer.write_without_pushback(goodbye(events, "value"));
    co_return;
  });
  EXPECT_THAT(events, ElementsAre("value gone"));
  EXPECT_TRUE(pipe->reader.is_empty());
  EXPECT_TRUE(pipe->writer.is_closed());
  pipe.reset();
  EXPECT_THAT(log.errors(), IsEmpty());
}

}  // namespace
}  // namespace async
