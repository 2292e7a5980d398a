#include "async/signal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <latch>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "async/async.h"
#include "async/testing/simulation.h"
#include "tests/support/captured_log.h"
#include "tests/support/goodbye.h"
#include "tests/support/recording_monitor.h"

namespace async {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::KilledBySignal;
using testing::Simulation;

TEST(Signal, calls_its_handler_each_time) {
  std::vector<int> numbers;
  Simulation simulation;
  simulation.run([&]() -> Deferred<> {
    Signal::handle({SIGHUP, SIGUSR1}, [&](int number) { numbers.push_back(number); });
    co_await Clock::after(1s);
    EXPECT_THAT(numbers, IsEmpty());
    for (const int number : {SIGHUP, SIGUSR2, SIGUSR1, SIGUSR1}) simulation.raise_signal(number);
    EXPECT_THAT(numbers, IsEmpty());
    co_await Clock::after(1s);
    EXPECT_THAT(numbers, ElementsAre(SIGHUP, SIGUSR1, SIGUSR1));
  });
}

TEST(Signal, calls_each_of_several_handlers) {
  Events events;
  Simulation simulation;
  simulation.run([&]() -> Deferred<> {
    Signal::handle({SIGHUP}, [&](int) { events.emplace_back("a"); });
    Signal::handle({SIGHUP}, [&](int) { events.emplace_back("b"); });
    Signal::handle({SIGUSR1}, [&](int) { events.emplace_back("c"); });
    simulation.raise_signal(SIGHUP);
    co_await Clock::after(1s);
    EXPECT_THAT(events, ElementsAre("a", "b"));
  });
}

TEST(Signal, does_not_call_a_handler_that_was_stopped) {
  Events events;
  Simulation simulation;
  simulation.run([&]() -> Deferred<> {
    const Ivar<> stop;
    Signal::handle({SIGHUP, SIGUSR1}, {.stop = stop.read()},
                   [&, g = goodbye(events, "a")](int) { events.emplace_back("a"); });
    Signal::handle({SIGHUP}, [&](int) { events.emplace_back("b"); });
    simulation.raise_signal(SIGHUP);
    co_await Clock::after(1s);
    EXPECT_THAT(events, ElementsAre("a", "b"));
    stop.fill();
    co_await Scheduler::yield();
    EXPECT_THAT(events, ElementsAre("a", "b", "a gone"));
    simulation.raise_signal(SIGHUP);
    simulation.raise_signal(SIGUSR1);
    co_await Clock::after(1s);
    EXPECT_THAT(events, ElementsAre("a", "b", "a gone", "b"));
  });
}

TEST(Signal, lets_a_handler_stop_itself) {
  int calls = 0;
  Simulation simulation;
  simulation.run([&]() -> Deferred<> {
    const Ivar<> stop;
    Signal::handle({SIGHUP}, {.stop = stop.read()}, [&](int) {
      ++calls;
      stop.fill();
    });
    simulation.raise_signal(SIGHUP);
    co_await Clock::after(1s);
    simulation.raise_signal(SIGHUP);
    co_await Clock::after(1s);
    EXPECT_EQ(calls, 1);
  });
}

TEST(Signal, ignores_a_stop_that_is_abandoned) {
  int calls = 0;
  Simulation simulation;
  simulation.run([&]() -> Deferred<> {
    const Recording_monitor recording;
    std::optional<Ivar<>> stop(std::in_place);
    recording.under(
        [&] { Signal::handle({SIGHUP}, {.stop = stop->read()}, [&](int) { ++calls; }); });
    stop.reset();
    co_await Clock::after(1s);
    simulation.raise_signal(SIGHUP);
    co_await Clock::after(1s);
    EXPECT_EQ(calls, 1);
    EXPECT_THAT(recording.heard(), IsEmpty());
  });
}

TEST(Signal, sends_errors_to_the_monitor_of_the_caller_and_goes_on) {
  Simulation simulation;
  simulation.run([&]() -> Deferred<> {
    const Recording_monitor recording;
    int calls = 0;
    recording.under([&] {
      Signal::handle({SIGHUP},
                     [&](int) { throw std::runtime_error("call " + std::to_string(++calls)); });
    });
    simulation.raise_signal(SIGHUP);
    co_await Clock::after(1s);
    simulation.raise_signal(SIGHUP);
    co_await Clock::after(1s);
    EXPECT_THAT(recording.heard(), ElementsAre("call 1", "call 2"));
  });
}

TEST(Signal, calls_the_same_handler_each_time_and_no_copy) {
  std::vector<int> counts;
  Simulation simulation;
  simulation.run([&]() -> Deferred<> {
    Signal::handle({SIGHUP}, [&counts, n = 0](int) mutable { counts.push_back(++n); });
    for (int i = 0; i < 3; ++i) simulation.raise_signal(SIGHUP);
    co_await Clock::after(1s);
    EXPECT_THAT(counts, ElementsAre(1, 2, 3));
  });
}

TEST(Signal, runs_its_handler_in_the_context_of_the_caller) {
  Simulation simulation;
  simulation.run([&]() -> Deferred<> {
    const Scheduler::Local_key<int> key;
    const int* found = nullptr;
    Scheduler::with_local(key, 5, [&] {
      Signal::handle({SIGHUP}, [&](int) { found = Scheduler::find_local(key); });
    });
    simulation.raise_signal(SIGHUP);
    co_await Clock::after(1s);
    EXPECT_NE(found, nullptr);
  });
}

TEST(Signal, lets_go_of_its_handlers_when_the_scheduler_ends) {
  Events events;
  Simulation().run([&]() -> Deferred<> {
    const Ivar<> stop;
    Signal::handle({SIGHUP}, {.stop = stop.read()}, [g = goodbye(events, "a")](int) {});
    Signal::handle({SIGHUP}, [g = goodbye(events, "b")](int) {});
    co_return;
  });
  EXPECT_THAT(events, ::testing::UnorderedElementsAre("a gone", "b gone"));
}

TEST(Signal, that_was_raised_as_a_run_ended_is_forgotten) {
  int calls = 0;
  Simulation simulation;
  const auto handle = [&] { Signal::handle({SIGHUP}, [&](int) { ++calls; }); };
  simulation.run([&]() -> Deferred<> {
    handle();
    simulation.raise_signal(SIGHUP);
    co_return;
  });
  simulation.run([&]() -> Deferred<> {
    handle();
    co_await Clock::after(1s);
  });
  EXPECT_EQ(calls, 0);
}

// On the machine.

using Disposition = void (*)(int);

Disposition disposition_of(int number) {
  struct sigaction action{};
  sigaction(number, nullptr, &action);
  return action.sa_handler;
}

TEST(Signal, of_the_machine_calls_its_handlers) {
  std::vector<int> numbers;
  Scheduler::go([&]() -> Deferred<> {
    const Ivar<> all_called;
    const auto handler = [&](int number) {
      numbers.push_back(number);
      if (numbers.size() == 4) all_called.fill();
    };
    Signal::handle({SIGUSR1, SIGUSR2}, handler);
    Signal::handle({SIGUSR2}, handler);
    std::raise(SIGUSR1);
    std::raise(SIGUSR2);
    co_await Scheduler::yield();
    std::raise(SIGUSR1);
    EXPECT_TRUE(co_await Clock::with_timeout(10s, all_called.read()));
  });
  EXPECT_THAT(numbers, ::testing::UnorderedElementsAre(SIGUSR1, SIGUSR2, SIGUSR2, SIGUSR1));
}

TEST(Signal, of_the_machine_reaches_each_scheduler) {
  const auto wait_for_a_signal = [](std::latch& are_ready) {
    Scheduler::go([&]() -> Deferred<> {
      const Ivar<> called;
      Signal::handle({SIGUSR1}, [&](int) { called.fill(); });
      are_ready.count_down();
      EXPECT_TRUE(co_await Clock::with_timeout(10s, called.read()));
    });
  };
  std::latch are_ready(2);
  std::thread a([&] { wait_for_a_signal(are_ready); });
  std::thread b([&] { wait_for_a_signal(are_ready); });
  are_ready.wait();
  std::raise(SIGUSR1);
  a.join();
  b.join();
}

TEST(Signal, of_the_machine_that_cannot_be_handled_is_refused) {
  Scheduler::go([]() -> Deferred<> {
    EXPECT_THROW(Signal::handle({SIGKILL}, [](int) {}), std::system_error);
    EXPECT_THROW(Signal::handle({SIGUSR1, SIGKILL}, [](int) {}), std::system_error);
    EXPECT_EQ(disposition_of(SIGUSR1), SIG_DFL);
    co_return;
  });
}

TEST(Signal, of_the_machine_does_again_what_it_did_before_when_its_last_handler_has_gone) {
  Scheduler::go([]() -> Deferred<> {
    const Ivar<> stop;
    const Ivar<> other_stop;
    Signal::handle({SIGUSR1}, {.stop = stop.read()}, [](int) {});
    Signal::handle({SIGUSR1}, {.stop = other_stop.read()}, [](int) {});
    stop.fill();
    co_await Scheduler::yield();
    EXPECT_NE(disposition_of(SIGUSR1), SIG_DFL);
    other_stop.fill();
    co_await Scheduler::yield();
    EXPECT_EQ(disposition_of(SIGUSR1), SIG_DFL);
    Signal::handle({SIGUSR1}, [](int) {});
    EXPECT_NE(disposition_of(SIGUSR1), SIG_DFL);
  });
  EXPECT_EQ(disposition_of(SIGUSR1), SIG_DFL);
}

void do_nothing(int) {}

TEST(Signal, of_the_machine_that_was_ignored_or_handled_before_is_so_again) {
  for (const Disposition before : {Disposition(SIG_IGN), &do_nothing}) {
    std::signal(SIGUSR1, before);
    Scheduler::go([&]() -> Deferred<> {
      const Ivar<> stop;
      Signal::handle({SIGUSR1}, {.stop = stop.read()}, [](int) {});
      EXPECT_NE(disposition_of(SIGUSR1), before);
      stop.fill();
      co_await Scheduler::yield();
      EXPECT_EQ(disposition_of(SIGUSR1), before);
    });
    std::signal(SIGUSR1, SIG_DFL);
  }
}

TEST(Signal_process, is_ended_by_a_signal_whose_handler_has_gone) {
  EXPECT_EXIT(
      {
        Scheduler::go([]() -> Deferred<> {
          const Ivar<> called;
          Signal::handle({SIGUSR1}, {.stop = called.read()}, [&](int) { called.fill(); });
          std::raise(SIGUSR1);
          co_await called.read();
          co_await Scheduler::yield();
          std::raise(SIGUSR1);
        });
        std::exit(0);
      },
      KilledBySignal(SIGUSR1), "");
}

}  // namespace
}  // namespace async
