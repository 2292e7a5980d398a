#include "async/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <string>
#include <thread>
#include <vector>

#include "async/async.h"
#include "async/testing/simulation.h"

namespace async {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::Simulation;

/// Brings the defaults back.
class Log_test : public ::testing::Test {
 protected:
  ~Log_test() override {
    Log::set_sink(nullptr);
    Log::set_level(Log::Level::Info);
  }

  /// `record()` has messages written down here.
  void record() {
    Log::set_sink([this](Log::Level level, std::string_view message) {
      messages.push_back(std::string(Log::to_string(level)) + ": " + std::string(message));
    });
  }

  std::vector<std::string> messages;
};

TEST_F(Log_test, gives_messages_with_their_level_to_the_sink) {
  record();
  Log::error("one");
  Log::info("two");
  Log::message(Log::Level::Error, "three");
  EXPECT_THAT(messages, ElementsAre("error: one", "info: two", "error: three"));
}

TEST_F(Log_test, drops_messages_that_matter_less_than_the_level) {
  record();
  EXPECT_EQ(Log::level(), Log::Level::Info);
  Log::debug("1");
  Log::set_level(Log::Level::Error);
  EXPECT_EQ(Log::level(), Log::Level::Error);
  Log::info("2");
  Log::error("3");
  Log::set_level(Log::Level::Debug);
  Log::debug("4");
  Log::message(Log::Level::Debug, "5");
  EXPECT_THAT(messages, ElementsAre("error: 3", "debug: 4", "debug: 5"));
}

TEST_F(Log_test, names_its_levels) {
  EXPECT_EQ(Log::to_string(Log::Level::Debug), "debug");
  EXPECT_EQ(Log::to_string(Log::Level::Info), "info");
  EXPECT_EQ(Log::to_string(Log::Level::Error), "error");
}

TEST_F(Log_test, writes_a_line_to_stderr_unless_there_is_a_sink) {
  record();
  Log::set_sink(nullptr);
  ::testing::internal::CaptureStderr();
  Log::error("message");
  Log::debug("dropped");
  const std::string written = ::testing::internal::GetCapturedStderr();
  EXPECT_THAT(written, AllOf(HasSubstr("error"), HasSubstr("message"), ::testing::EndsWith("\n")));
  EXPECT_THAT(written, ::testing::Not(HasSubstr("dropped")));
  EXPECT_THAT(messages, IsEmpty());
}

// All that the library has to say goes to the log, and nothing anywhere else.
TEST_F(Log_test, is_the_only_place_where_the_library_writes) {
  record();
  ::testing::internal::CaptureStderr();
  ::testing::internal::CaptureStdout();
  Simulation().run([]() -> Deferred<> {
    const Monitor monitor = Monitor::create();
    monitor.detach();
    monitor.send(Error("nobody handles it"));
    const auto fail_later = []() -> Deferred<> {
      co_await Scheduler::yield();
      throw std::runtime_error("lost a race");
    };
    co_await any_unit(fail_later(), determined());
    co_await Scheduler::yield_until_no_jobs_remain();
  });
  const int status = Scheduler::go_main([] { return failed(Error("unhandled")); });
  const std::string err = ::testing::internal::GetCapturedStderr();
  const std::string out = ::testing::internal::GetCapturedStdout();
  EXPECT_EQ(status, 1);
  EXPECT_EQ(err, "");
  EXPECT_EQ(out, "");
  EXPECT_THAT(messages,
              ::testing::IsSupersetOf({HasSubstr("nobody handles it"), HasSubstr("lost a race"),
                                       HasSubstr("unhandled")}));
}

TEST_F(Log_test, takes_messages_from_every_thread_one_at_a_time) {
  record();
  const auto say = [] {
    for (int i = 0; i < 1000; ++i) Log::error("x");
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) threads.emplace_back(say);
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(messages.size(), 4000u);
}

TEST_F(Log_test, can_change_its_sink_while_others_log) {
  int before = 0;
  int after = 0;
  Log::set_sink([&](Log::Level, std::string_view) { ++before; });
  std::thread thread([] {
    for (int i = 0; i < 1000; ++i) Log::error("x");
  });
  Log::set_sink([&](Log::Level, std::string_view) { ++after; });
  thread.join();
  EXPECT_EQ(before + after, 1000);
}

}  // namespace
}  // namespace async
