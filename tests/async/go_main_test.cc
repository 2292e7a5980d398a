// Scheduler::go_main, on the machine.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>

#include "async/async.h"
#include "tests/support/captured_log.h"
#include "tests/support/goodbye.h"

namespace async {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::ExitedWithCode;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::KilledBySignal;

TEST(Go_main, returns_the_status_that_main_chooses) {
  EXPECT_EQ(Scheduler::go_main([] { return determined(0); }), 0);
  EXPECT_EQ(Scheduler::go_main([]() -> Deferred<int> {
              co_await Clock::after(1ms);
              co_return 42;
            }),
            42);
}

TEST(Go_main, returns_0_when_main_chooses_none) {
  EXPECT_EQ(Scheduler::go_main([]() -> Deferred<> { co_await Clock::after(1ms); }), 0);
}

TEST(Go_main, returns_1_when_main_fails_and_logs_why) {
  Captured_log log;
  EXPECT_EQ(Scheduler::go_main([]() -> Deferred<int> {
              co_await Scheduler::yield();
              throw std::runtime_error("failed");
            }),
            1);
  EXPECT_EQ(Scheduler::go_main([]() -> Deferred<> { throw std::runtime_error("thrown"); }), 1);
  EXPECT_THAT(log.errors(),
              ElementsAre(AllOf(HasSubstr("unhandled error: failed"), HasSubstr("\"main\"")),
                          HasSubstr("unhandled error: thrown")));
}

TEST(Go_main, returns_1_when_an_error_reaches_the_top) {
  Captured_log log;
  EXPECT_EQ(Scheduler::go_main([]() -> Deferred<int> {
              Scheduler::schedule({.monitor = Monitor::create("background")},
                                  [] { throw std::runtime_error("x"); });
              co_await never();
              co_return 0;
            }),
            1);
  EXPECT_THAT(log.errors(), ElementsAre(AllOf(HasSubstr("unhandled error: x"),
                                              HasSubstr("\"background\""), HasSubstr("\"main\""))));
}

TEST(Go_main, returns_1_when_an_error_was_on_its_way_as_main_ended) {
  Captured_log log;
  EXPECT_EQ(Scheduler::go_main([]() -> Deferred<int> {
              (void)failed(Error("dropped"));
              co_return 0;
            }),
            1);
  EXPECT_THAT(log.errors(), ElementsAre(HasSubstr("unhandled error: dropped")));
}

TEST(Go_main, logs_each_error_that_reaches_the_top) {
  Captured_log log;
  EXPECT_EQ(Scheduler::go_main([]() -> Deferred<> {
              Scheduler::schedule([] { throw std::runtime_error("first"); });
              Scheduler::schedule([] { throw std::runtime_error("second"); });
              co_await never();
            }),
            1);
  EXPECT_THAT(log.errors(), ElementsAre(HasSubstr("first"), HasSubstr("second")));
}

TEST(Go_main, logs_nothing_when_all_goes_well) {
  Captured_log log;
  EXPECT_EQ(Scheduler::go_main([]() -> Deferred<> {
              dont_wait_for([]() -> Deferred<> { co_await never(); }());
              const auto handled = co_await try_with([] { return failed(Error("x")); });
              EXPECT_FALSE(handled);
            }),
            0);
  EXPECT_THAT(log.errors(), IsEmpty());
}

TEST(Go_main, returns_the_status_that_a_shutdown_chooses) {
  EXPECT_EQ(Scheduler::go_main([]() -> Deferred<int> {
              Shutdown::shutdown(7);
              co_await never();
              co_return 3;
            }),
            7);
  EXPECT_EQ(Scheduler::go_main([]() -> Deferred<int> {
              Shutdown::shutdown();
              co_await never();
              co_return 3;
            }),
            0);
}

TEST(Go_main, destroys_what_is_suspended_before_it_returns) {
  Events events;
  const auto waits = [](std::shared_ptr<void> held) -> Deferred<> {
    co_await Clock::after(1h);
    (void)held;
  };
  EXPECT_EQ(Scheduler::go_main([&]() -> Deferred<> {
              dont_wait_for(waits(goodbye(events, "older")));
              dont_wait_for(waits(goodbye(events, "newer")));
              co_return;
            }),
            0);
  EXPECT_THAT(events, ElementsAre("newer gone", "older gone"));
}

TEST(Go_main, takes_a_main_that_can_only_be_moved) {
  EXPECT_EQ(Scheduler::go_main([n = std::make_unique<int>(4)]() -> Deferred<int> {
              co_await Scheduler::yield();
              co_return *n;
            }),
            4);
}

// The following run in a process of their own, which they change or end.

int write_to_a_pipe_without_reader() {
  return Scheduler::go_main([]() -> Deferred<int> {
    std::array<int, 2> fds{};
    if (pipe2(fds.data(), O_CLOEXEC) != 0) co_return 1;
    close(fds[0]);
    co_return write(fds[1], "x", 1) == -1 && errno == EPIPE ? 42 : 1;
  });
}

TEST(Go_main_process, ignores_sigpipe) {
  EXPECT_EXIT(std::exit(write_to_a_pipe_without_reader()), ExitedWithCode(42), "");
}

TEST(Go_main_process, ignores_sigpipe_afterwards) {
  EXPECT_EXIT(
      {
        Scheduler::go_main([] { return determined(); });
        std::raise(SIGPIPE);
        std::exit(42);
      },
      ExitedWithCode(42), "");
}

int raise_descriptor_limit() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = 100;
  setrlimit(RLIMIT_NOFILE, &limit);
  return Scheduler::go_main([]() -> Deferred<int> {
    rlimit raised{};
    getrlimit(RLIMIT_NOFILE, &raised);
    co_return raised.rlim_cur == raised.rlim_max&& raised.rlim_max > 100 ? 42 : 1;
  });
}

TEST(Go_main_process, raises_the_limit_on_open_files) {
  EXPECT_EXIT(std::exit(raise_descriptor_limit()), ExitedWithCode(42), "");
}

TEST(Go_main_process, writes_an_unhandled_error_to_stderr) {
  const auto fails = []() -> Deferred<> { co_await failed(Error("it went wrong")); };
  EXPECT_EXIT(std::exit(Scheduler::go_main(fails)), ExitedWithCode(1),
              "unhandled error: it went wrong");
}

TEST(Go_main_process, is_ended_by_signals_that_it_does_not_handle) {
  const auto raises = []() -> Deferred<> {
    std::raise(SIGTERM);
    co_return;
  };
  EXPECT_EXIT(std::exit(Scheduler::go_main(raises)), KilledBySignal(SIGTERM), "");
}

}  // namespace
}  // namespace async
