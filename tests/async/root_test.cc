// What an error does that no monitor takes.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

#include "async/async.h"
#include "async/testing/simulation.h"
#include "tests/support/captured_log.h"
#include "tests/support/goodbye.h"

namespace async {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::Simulation;

/// `message_of(f)` is the message of the exception that `f()` throws.
template <class F>
std::string message_of(F f) {
  try {
    f();
  } catch (const std::exception& e) {
    return e.what();
  }
  return "none";
}

TEST(Root, a_simulation_rethrows_the_failure_of_its_program) {
  EXPECT_THROW(Simulation().run([]() -> Deferred<> {
    co_await Scheduler::yield();
    throw std::out_of_range("x");
  }),
               std::out_of_range);
  EXPECT_THROW(Simulation().run([]() -> Deferred<> { throw std::out_of_range("x"); }),
               std::out_of_range);
}

TEST(Root, a_simulation_gives_the_value_of_its_program) {
  EXPECT_EQ(*Simulation().run([] { return determined(std::make_unique<int>(5)); }), 5);
}

TEST(Root, the_first_error_ends_the_program_and_later_ones_are_logged) {
  const Captured_log log;
  Events events;
  EXPECT_EQ(message_of([&] {
              Simulation().run([&]() -> Deferred<> {
                const auto local = goodbye(events, "local");
                Monitor::current().send(Error("first"));
                Monitor::create("m").send(Error("second"));
                co_await never();
              });
            }),
            "first");
  EXPECT_THAT(events, ElementsAre("local gone"));
  EXPECT_THAT(log.errors(), ElementsAre(HasSubstr("second")));
}

TEST(Root, an_error_in_the_background_ends_a_program_that_still_runs) {
  EXPECT_EQ(message_of([] {
              Simulation().run([]() -> Deferred<> {
                Clock::after(std::chrono::seconds(1)).upon([] {
                  throw std::runtime_error("in the background");
                });
                co_await Clock::after(std::chrono::seconds(2));
                ADD_FAILURE() << "it went on";
              });
            }),
            "in the background");
}

TEST(Root, go_main_returns_the_status_of_its_program) {
  EXPECT_EQ(Scheduler::go_main([] { return determined(); }), 0);
  EXPECT_EQ(Scheduler::go_main([]() -> Deferred<int> {
              co_await Scheduler::yield();
              co_return 3;
            }),
            3);
}

TEST(Root, go_main_returns_1_and_logs_the_error_with_its_chain_of_monitors) {
  const Captured_log log;
  const int status = Scheduler::go_main([]() -> Deferred<int> {
    const Monitor outer = Monitor::create("outer");
    Scheduler::within({.monitor = outer}, [] {
      const Monitor inner = Monitor::create("inner");
      Scheduler::within({.monitor = inner}, [] {
        determined().upon([] { throw std::runtime_error("what went wrong"); });
      });
    });
    co_await never();
    co_return 0;
  });
  EXPECT_EQ(status, 1);
  EXPECT_THAT(log.errors(),
              ElementsAre(AllOf(HasSubstr("what went wrong"),
                                ::testing::ContainsRegex("inner(.|\n)*outer(.|\n)*main"),
                                HasSubstr("root_test.cc"))));
}

TEST(Root, go_main_says_where_an_error_was_raised_if_that_is_known) {
  const Captured_log log;
  int line = 0;
  const int status = Scheduler::go_main([&]() -> Deferred<> {
    line = __LINE__ + 1;
    Monitor::current().send(Error("sent"));
    co_await never();
  });
  EXPECT_EQ(status, 1);
  EXPECT_THAT(log.errors(), ElementsAre(AllOf(HasSubstr("sent"),
                                              HasSubstr("root_test.cc:" + std::to_string(line)))));
}

TEST(Root, go_main_returns_1_when_its_program_fails) {
  const Captured_log log;
  EXPECT_EQ(Scheduler::go_main([] { return failed<int>(Error("x")); }), 1);
  EXPECT_THAT(log.errors(), ElementsAre(HasSubstr("x")));
}

TEST(Root, go_main_prints_the_error_to_stderr) {
  EXPECT_EXIT(std::exit(Scheduler::go_main(
                  []() -> Deferred<> { throw std::runtime_error("what went wrong"); })),
              ::testing::ExitedWithCode(1), "what went wrong(.|\n)*main");
}

TEST(Root, an_error_on_another_thread_ends_its_scheduler_and_is_rethrown_from_go) {
  const Captured_log log;
  std::string caught;
  bool destroyed = false;
  std::thread thread([&] {
    caught = message_of([&] {
      Scheduler::go([&]() -> Deferred<> {
        const std::shared_ptr<void> local(nullptr, [&](void*) { destroyed = true; });
        Monitor::create("m").send(Error("x"));
        co_await never();
      });
    });
  });
  thread.join();
  EXPECT_EQ(caught, "x");
  EXPECT_TRUE(destroyed);
  EXPECT_THAT(log.errors(), IsEmpty());
}

TEST(Root, go_gives_the_value_of_its_program_on_any_thread) {
  std::string value;
  std::thread thread([&] {
    value = Scheduler::go([]() -> Deferred<std::string> {
      co_await Scheduler::yield();
      co_return "value";
    });
  });
  thread.join();
  EXPECT_EQ(value, "value");
}

}  // namespace
}  // namespace async
