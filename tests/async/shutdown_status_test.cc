// Shutdown: signals, and the status with which a program ends.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <stdexcept>
#include <string>

#include "async/async.h"
#include "async/testing/simulation.h"
#include "tests/support/captured_log.h"
#include "tests/support/goodbye.h"

namespace async {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::ExitedWithCode;
using ::testing::IsEmpty;
using ::testing::KilledBySignal;
using testing::Simulation;

TEST(Shutdown_requested, is_determined_by_the_first_signal) {
  for (const int number : {SIGINT, SIGTERM}) {
    Simulation simulation;
    simulation.run([&]() -> Deferred<> {
      const Deferred<> requested = Shutdown::requested();
      const Deferred<> again = Shutdown::requested();
      co_await Clock::after(1s);
      EXPECT_FALSE(requested.is_determined());
      simulation.raise_signal(number);
      co_await requested;
      EXPECT_TRUE(again.is_determined());
      EXPECT_TRUE(Shutdown::requested().is_determined());
      co_await Clock::after(1h);
      EXPECT_FALSE(Shutdown::is_shutting_down());
    });
  }
}

TEST(Shutdown_requested, is_determined_when_the_shutdown_begins) {
  Events events;
  Simulation simulation;
  const auto main = [&]() -> Deferred<> {
    const Deferred<> requested = Shutdown::requested();
    Shutdown::at_shutdown([] { return Clock::after(1s); });
    Shutdown::shutdown();
    co_await requested;
    EXPECT_TRUE(Shutdown::requested().is_determined());
    events.emplace_back("requested");
    co_await never();
  };
  EXPECT_THROW(simulation.run(main), Scheduler_ended);
  EXPECT_THAT(events, ElementsAre("requested"));
}

TEST(Shutdown_requested, lets_the_second_signal_begin_the_shutdown) {
  Events events;
  Simulation simulation;
  const Time_ns start = simulation.now();
  const auto main = [&]() -> Deferred<> {
    Shutdown::at_shutdown([&]() -> Deferred<> {
      co_await Clock::after(2s);
      events.emplace_back("handler");
    });
    const Deferred<> requested = Shutdown::requested();
    simulation.raise_signal(SIGTERM);
    co_await requested;
    co_await Clock::after(1s);
    EXPECT_FALSE(Shutdown::is_shutting_down());
    simulation.raise_signal(SIGTERM);
    co_await never();
  };
  EXPECT_THROW(simulation.run(main), Scheduler_ended);
  EXPECT_THAT(events, ElementsAre("handler"));
  EXPECT_EQ(simulation.now(), start + 3s);
}

TEST(Shutdown_requested, lets_one_more_signal_end_the_program_at_once) {
  Captured_log log;
  Simulation simulation;
  const Time_ns start = simulation.now();
  const auto main = [&]() -> Deferred<> {
    Shutdown::at_shutdown([] { return never(); });
    (void)Shutdown::requested();
    simulation.raise_signal(SIGINT);
    simulation.raise_signal(SIGTERM);
    co_await Clock::after(3s);
    EXPECT_TRUE(Shutdown::is_shutting_down());
    simulation.raise_signal(SIGINT);
    co_await never();
  };
  EXPECT_THROW(simulation.run(main), Scheduler_ended);
  EXPECT_EQ(simulation.now(), start + 3s);
  EXPECT_THAT(log.errors(), IsEmpty());
}

TEST(Shutdown_requested, makes_the_first_signal_of_a_shutdown_end_it_at_once) {
  Simulation simulation;
  const Time_ns start = simulation.now();
  const auto main = [&]() -> Deferred<> {
    Shutdown::at_shutdown([] { return never(); });
    (void)Shutdown::requested();
    Shutdown::shutdown();
    co_await Clock::after(4s);
    simulation.raise_signal(SIGINT);
    co_await never();
  };
  EXPECT_THROW(simulation.run(main), Scheduler_ended);
  EXPECT_EQ(simulation.now(), start + 4s);
}

// The status of a program that ends as soon as `main` has been called.
template <class F>
int status_of(F main) {
  return Scheduler::go_main([&]() -> Deferred<> {
    main();
    return never();
  });
}

TEST(Shutdown_status, is_the_one_that_was_given) {
  EXPECT_EQ(status_of([] { Shutdown::shutdown(); }), 0);
  EXPECT_EQ(status_of([] { Shutdown::shutdown(7); }), 7);
}

TEST(Shutdown_status, is_the_first_that_is_not_zero) {
  EXPECT_EQ(status_of([] {
              Shutdown::shutdown(0);
              Shutdown::shutdown(7);
            }),
            7);
  EXPECT_EQ(status_of([] {
              Shutdown::shutdown(7);
              Shutdown::shutdown(0);
              Shutdown::shutdown(8);
            }),
            7);
}

TEST(Shutdown_status, may_be_chosen_by_a_handler) {
  EXPECT_EQ(status_of([] {
              Shutdown::at_shutdown([]() -> Deferred<> {
                co_await Scheduler::yield();
                Shutdown::shutdown(9);
              });
              Shutdown::shutdown();
            }),
            9);
}

TEST(Shutdown_status, becomes_1_when_a_handler_fails) {
  Captured_log log;
  const auto fails = []() -> Deferred<> { throw std::runtime_error("x"); };
  EXPECT_EQ(status_of([&] {
              Shutdown::at_shutdown(fails);
              Shutdown::shutdown();
            }),
            1);
  EXPECT_EQ(status_of([&] {
              Shutdown::at_shutdown(fails);
              Shutdown::shutdown(7);
            }),
            7);
}

TEST(Shutdown_status, becomes_1_when_a_handler_fails_after_main_has_ended) {
  Captured_log log;
  EXPECT_EQ(Scheduler::go_main([] {
              Shutdown::at_shutdown([]() -> Deferred<> { throw std::runtime_error("x"); });
              return determined(0);
            }),
            1);
}

TEST(Shutdown_status, of_main_is_not_hidden_by_a_handler_that_fails) {
  Captured_log log;
  EXPECT_EQ(Scheduler::go_main([] {
              Shutdown::at_shutdown([]() -> Deferred<> { throw std::runtime_error("x"); });
              return determined(5);
            }),
            5);
}

TEST(Shutdown_status, becomes_1_when_the_bound_has_passed) {
  Captured_log log;
  const auto hangs = [] {
    Shutdown::set_default_force(1ms);
    Shutdown::at_shutdown([] { return never(); });
  };
  EXPECT_EQ(status_of([&] {
              hangs();
              Shutdown::shutdown();
            }),
            1);
  EXPECT_EQ(status_of([&] {
              hangs();
              Shutdown::shutdown(7);
            }),
            7);
}

TEST(Shutdown_status, is_1_when_an_error_reaches_the_top_in_the_shutdown) {
  Captured_log log;
  EXPECT_EQ(status_of([] {
              Shutdown::at_shutdown([]() -> Deferred<> {
                Scheduler::schedule([] { throw std::runtime_error("x"); });
                co_await Scheduler::yield();
              });
              Shutdown::shutdown();
            }),
            1);
}

// On the machine, with its signals.

Deferred<> raise_twice() {
  const Deferred<> requested = Shutdown::requested();
  std::raise(SIGINT);
  co_await requested;
  EXPECT_FALSE(Shutdown::is_shutting_down());
  std::raise(SIGTERM);
  co_await never();
}

TEST(Shutdown_status, tells_of_the_signal_that_began_the_shutdown) {
  EXPECT_EQ(Scheduler::go_main(raise_twice), 128 + SIGTERM);
}

TEST(Shutdown_status, tells_of_the_signal_though_one_more_ends_the_shutdown) {
  Captured_log log;
  EXPECT_EQ(Scheduler::go_main([]() -> Deferred<> {
              Shutdown::at_shutdown([]() -> Deferred<> {
                std::raise(SIGINT);
                return never();
              });
              return raise_twice();
            }),
            128 + SIGTERM);
  EXPECT_THAT(log.errors(), IsEmpty());
}

TEST(Shutdown_process, is_ended_by_signals_again_when_the_scheduler_is_gone) {
  EXPECT_EXIT(
      {
        Scheduler::go_main(raise_twice);
        std::raise(SIGINT);
        std::exit(0);
      },
      KilledBySignal(SIGINT), "");
}

TEST(Shutdown_process, returns_so_that_main_can_choose_what_comes_then) {
  EXPECT_EXIT(std::exit(Scheduler::go_main(raise_twice) - SIGTERM), ExitedWithCode(128), "");
}

}  // namespace
}  // namespace async
