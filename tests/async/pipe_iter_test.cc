// Pipe::Reader::iter.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <expected>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "async/async.h"
#include "async/testing/simulation.h"
#include "tests/support/goodbye.h"

namespace async {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::Simulation;

TEST(Pipe_iter, calls_its_function_with_each_value_until_the_end) {
  std::vector<int> seen;
  Simulation().run([&]() -> Deferred<> {
    const auto [reader, writer] = Pipe::create<int>();
    writer.write_without_pushback(1);
    const Deferred<> done = reader.iter([&](int value) { seen.push_back(value); });
    writer.write_without_pushback(2);
    co_await Clock::after(1s);
    writer.write_without_pushback(3);
    co_await Clock::after(1s);
    EXPECT_THAT(seen, ElementsAre(1, 2, 3));
    EXPECT_FALSE(done.is_determined());
    writer.close();
    co_await done;
    EXPECT_THAT(seen, ElementsAre(1, 2, 3));
  });
}

TEST(Pipe_iter, of_an_empty_closed_pipe_calls_nothing) {
  Simulation().run([]() -> Deferred<> {
    const auto [reader, writer] = Pipe::create<int>();
    writer.close();
    co_await reader.iter([](int) { ADD_FAILURE(); });
  });
}

TEST(Pipe_iter, begins_at_once_with_what_is_there) {
  std::vector<int> seen;
  Simulation().run([&]() -> Deferred<> {
    const auto [reader, writer] = Pipe::create<int>();
    writer.write_without_pushback(1);
    const Deferred<> done = reader.iter([&](int value) { seen.push_back(value); });
    EXPECT_THAT(seen, ElementsAre(1));
    writer.close();
    co_await done;
  });
}

TEST(Pipe_iter, waits_for_what_its_function_returns) {
  Events events;
  Simulation().run([&]() -> Deferred<> {
    const auto [reader, writer] = Pipe::create<std::string>({.size_budget = 10});
    for (const char* text : {"a", "b"}) writer.write_without_pushback(text);
    writer.close();
    co_await reader.iter([&](std::string value) -> Deferred<> {
      events.push_back("begin " + value);
      co_await Clock::after(1s);
      events.push_back("end " + value);
    });
    EXPECT_THAT(events, ElementsAre("begin a", "end a", "begin b", "end b"));
  });
}

TEST(Pipe_iter, takes_no_value_before_the_one_before_it_is_done) {
  Simulation().run([]() -> Deferred<> {
    const auto [reader, writer] = Pipe::create<int>();
    const Deferred<> done = reader.iter([](int) { return Clock::after(10s); });
    const Deferred<> first = writer.write(1);
    const Deferred<> second = writer.write(2);
    co_await Clock::after(5s);
    EXPECT_EQ(reader.length(), 1);
    EXPECT_FALSE(second.is_determined());
    co_await Clock::after(10s);
    EXPECT_TRUE(second.is_determined());
  });
}

TEST(Pipe_iter, fails_with_an_error_and_leaves_the_rest_in_the_pipe) {
  Simulation().run([]() -> Deferred<> {
    const auto [reader, writer] = Pipe::create<int>();
    for (int i = 1; i <= 4; ++i) writer.write_without_pushback(i);
    const Or_error<void> thrown = co_await or_error(reader.iter([](int value) {
      if (value == 2) throw std::out_of_range("thrown");
    }));
    EXPECT_NE(thrown.error().as<std::out_of_range>(), nullptr);
    EXPECT_EQ(reader.length(), 2);
    EXPECT_FALSE(reader.is_closed());
    const Or_error<void> failure = co_await or_error(reader.iter([](int) -> Deferred<> {
      co_await Clock::after(1s);
      throw std::out_of_range("failed");
    }));
    EXPECT_STREQ(failure.error().what(), "failed");
    EXPECT_EQ(co_await reader.read(), 4);
  });
}

TEST(Pipe_iter, is_determined_only_after_its_last_call_has_ended) {
  Events events;
  Simulation().run([&]() -> Deferred<> {
    const auto [reader, writer] = Pipe::create<int>();
    const std::string local = "end";
    const Deferred<> done = reader.iter([&](int) -> Deferred<> {
      co_await Clock::after(10s);
      events.push_back(local);
    });
    writer.write_without_pushback(1);
    co_await Clock::after(1s);
    writer.close();
    reader.close_read();
    co_await Clock::after(1s);
    EXPECT_FALSE(done.is_determined());
    co_await done;
    EXPECT_THAT(events, ElementsAre("end"));
  });
}

TEST(Pipe_iter, stops_when_its_function_closes_the_reader) {
  std::vector<int> seen;
  Simulation().run([&]() -> Deferred<> {
    const auto [reader, writer] = Pipe::create<int>();
    for (int i = 1; i <= 4; ++i) writer.write_without_pushback(i);
    co_await reader.iter([&](int value) {
      seen.push_back(value);
      if (value == 2) reader.close_read();
    });
    EXPECT_THAT(seen, ElementsAre(1, 2));
    EXPECT_TRUE(writer.is_closed());
  });
}

TEST(Pipe_iter, sees_what_its_function_writes) {
  std::vector<int> seen;
  Simulation().run([&]() -> Deferred<> {
    const auto [reader, writer] = Pipe::create<int>();
    writer.write_without_pushback(0);
    co_await reader.iter([&](int value) {
      seen.push_back(value);
      if (value < 3) {
        writer.write_without_pushback(value + 1);
      } else {
        writer.close();
      }
    });
    EXPECT_THAT(seen, ElementsAre(0, 1, 2, 3));
  });
}

TEST(Pipe_iter, keeps_the_pipe_and_its_function_as_long_as_it_goes_on) {
  Events events;
  Simulation().run([&]() -> Deferred<> {
    auto [reader, writer] = Pipe::create<int>();
    int sum = 0;
    const Deferred<> done = [&sum, &events](Pipe::Reader<int> r) {
      return r.iter([&sum, g = goodbye(events, "f"), step = std::make_unique<int>(1)](int value) {
        sum += value + *step;
      });
    }(std::move(reader));
    writer.write_without_pushback(1);
    co_await Clock::after(1s);
    EXPECT_FALSE(writer.is_closed());
    writer.write_without_pushback(2);
    writer.close();
    co_await done;
    EXPECT_EQ(sum, 5);
    EXPECT_THAT(events, ElementsAre("f gone"));
  });
}

TEST(Pipe_iter, lets_the_pipe_be_closed_when_it_fails_and_has_the_last_reader) {
  Simulation().run([]() -> Deferred<> {
    auto [reader, writer] = Pipe::create<int>();
    const Deferred<> done = reader.iter([](int) { throw std::runtime_error("x"); });
    {
      const auto gone = std::move(reader);
    }
    EXPECT_FALSE(writer.is_closed());
    writer.write_without_pushback(1);
    EXPECT_FALSE(co_await or_error(done));
    EXPECT_TRUE(writer.is_closed());
  });
}

TEST(Pipe_iter, shares_the_values_among_several) {
  Events events;
  Simulation().run([&]() -> Deferred<> {
    const auto [reader, writer] = Pipe::create<int>();
    const auto take = [&](std::string name) {
      return reader.iter([&events, name](int value) -> Deferred<> {
        events.push_back(name + std::to_string(value));
        co_await Clock::after(1s);
      });
    };
    const Deferred<> a = take("a");
    const Deferred<> b = take("b");
    for (int i = 1; i <= 4; ++i) writer.write_without_pushback(i);
    writer.close();
    co_await both(a, b);
    EXPECT_THAT(events, ElementsAre("a1", "b2", "a3", "b4"));
  });
}

TEST(Pipe_iter, takes_many_values_without_using_up_the_stack) {
  Simulation().run([]() -> Deferred<> {
    const auto [reader, writer] = Pipe::create<int>();
    for (int i = 0; i < 200'000; ++i) writer.write_without_pushback(i);
    writer.close();
    std::int64_t sum = 0;
    co_await reader.iter([&](int value) {
      sum += value;
      return determined();
    });
    EXPECT_EQ(sum, std::int64_t{200'000} * 199'999 / 2);
  });
}

}  // namespace
}  // namespace async
