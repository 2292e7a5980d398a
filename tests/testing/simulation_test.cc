// Simulation: running programs, virtual time, seeds, signals, threads.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "async/io/io_error.h"
#include "async/random.h"
#include "async/testing/simulation.h"
#include "tcp/tcp.h"
#include "tests/support/echo_server.h"

namespace async {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::Host;
using ::testing::IsEmpty;
using testing::Simulation;
using testing::Stuck;

TEST(Simulation, gives_what_the_program_gives) {
  Simulation simulation;
  const int number = simulation.run([] { return determined(7); });
  EXPECT_EQ(number, 7);
  const auto pointer = simulation.run([]() -> Deferred<std::unique_ptr<int>> {
    co_await Clock::after(1s);
    co_return std::make_unique<int>(8);
  });
  EXPECT_EQ(*pointer, 8);
  simulation.run([] { return determined(); });
}

TEST(Simulation, rethrows_what_the_program_raises) {
  Simulation simulation;
  EXPECT_THROW(simulation.run([]() -> Deferred<> { throw std::out_of_range("at once"); }),
               std::out_of_range);
  EXPECT_THROW(simulation.run([]() -> Deferred<int> {
    co_await Clock::after(1s);
    throw std::out_of_range("later");
  }),
               std::out_of_range);
  EXPECT_THROW(simulation.run([]() -> Deferred<> {
    dont_wait_for(Clock::after(1s).map([] { throw std::out_of_range("in the background"); }));
    co_await Clock::after(1h);
  }),
               std::out_of_range);
  simulation.run([] { return determined(); });  // it can go on
}

TEST(Simulation, begins_with_the_year_2000_and_goes_on_where_it_was) {
  Simulation simulation;
  const Time_ns beginning = std::chrono::sys_days(std::chrono::year(2000) / 1 / 1);
  EXPECT_EQ(simulation.now(), beginning);
  simulation.run([&]() -> Deferred<> {
    EXPECT_EQ(Clock::now(), beginning);
    co_await Clock::after(90s);
    EXPECT_EQ(Clock::now(), beginning + 90s);
    EXPECT_EQ(simulation.now(), beginning + 90s);
  });
  EXPECT_EQ(simulation.now(), beginning + 90s);
  EXPECT_THROW(simulation.run([]() -> Deferred<> {
    co_await Clock::after(10s);
    throw std::out_of_range("x");
  }),
               std::out_of_range);
  simulation.run([&]() -> Deferred<> {
    EXPECT_EQ(Clock::now(), beginning + 100s);
    co_return;
  });
}

TEST(Simulation, lets_time_stand_still_while_jobs_run) {
  Simulation().run([]() -> Deferred<> {
    const Time_ns start = Clock::now();
    for (int i = 0; i < 10'000; ++i) co_await Scheduler::yield();
    EXPECT_EQ(Clock::now(), start);
  });
}

TEST(Simulation, runs_years_in_no_time) {
  const auto start = std::chrono::steady_clock::now();
  int ticks = 0;
  Simulation().run([&]() -> Deferred<> {
    Clock::every(1h, [&] { ++ticks; });
    co_await Clock::after(24h * 365);
    EXPECT_NEAR(ticks, 24 * 365, 1);
  });
  EXPECT_LT(std::chrono::steady_clock::now() - start, 5s);
}

TEST(Simulation, runs_thousands_of_seconds_of_a_server_in_well_under_a_real_one) {
  Simulation simulation;
  const Host host = simulation.host("server");
  const auto start = std::chrono::steady_clock::now();
  const Time_ns beginning = simulation.now();
  simulation.run([&]() -> Deferred<> {
    co_await echo_server(host, 7);
    co_await Tcp::with_connection(Tcp::to_host_and_port("server", 7),
                                  [](auto, Reader reader, Writer writer) -> Deferred<> {
                                    for (int i = 0; i < 1000; ++i) {
                                      writer.write_line("ping");
                                      EXPECT_EQ(co_await reader.read_line(), "ping");
                                      co_await Clock::after(10s);
                                    }
                                  });
  });
  EXPECT_GT(simulation.now() - beginning, 10'000s);
  // Well under a second it is without a sanitizer, on a machine that does nothing else.
  EXPECT_LT(std::chrono::steady_clock::now() - start, 5s);
}

TEST(Stuck, is_thrown_when_nothing_can_happen_any_more) {
  Simulation simulation({.seed = 42});
  const Host host = simulation.host("server");
  try {
    simulation.run([&]() -> Deferred<> {
      co_await echo_server(host, 7);  // which waits for nobody
      co_await never();
    });
    ADD_FAILURE();
  } catch (const Stuck& stuck) {
    EXPECT_THAT(stuck.what(), HasSubstr("seed 42"));
  }
  EXPECT_THROW(simulation.run([] { return Ivar<>().read().bind([] { return never(); }); }),
               Abandoned);
  EXPECT_THROW(simulation.run([] { return never(); }), Stuck);
  simulation.run([] { return determined(); });
}

TEST(Stuck, is_not_while_an_alarm_or_a_byte_is_to_come) {
  Simulation simulation({.delay = 24h});
  const Host host = simulation.host("server");
  simulation.run([&]() -> Deferred<> {
    co_await echo_server(host, 7);
    EXPECT_EQ(co_await ask(Tcp::to_host_and_port("server", 7), "hello", {.timeout = 1000h}),
              "hello");
  });
}

TEST(Seed, can_be_chosen_or_comes_from_chance) {
  EXPECT_EQ(Simulation({.seed = 7}).seed(), 7U);
  EXPECT_NE(Simulation().seed(), Simulation().seed());
}

TEST(Seed, comes_from_the_environment_where_none_is_given) {
  setenv("ASYNC_SIMULATION_SEED", "12345", 1);
  EXPECT_EQ(Simulation().seed(), 12345U);
  setenv("ASYNC_SIMULATION_SEED", "0xff", 1);
  EXPECT_EQ(Simulation().seed(), 255U);
  EXPECT_EQ(Simulation({.seed = 7}).seed(), 7U);
  unsetenv("ASYNC_SIMULATION_SEED");
}

TEST(Seed, is_logged) {
  std::vector<std::string> messages;
  Log::set_sink([&](Log::Level, std::string_view message) { messages.emplace_back(message); });
  {
    const Simulation simulation({.seed = 987});
  }
  Log::set_sink(nullptr);
  EXPECT_THAT(messages, ElementsAre("simulation with seed 987"));
}

TEST(Random_numbers, are_those_of_the_seed) {
  const auto numbers = [](std::uint64_t seed) {
    std::vector<std::uint64_t> result;
    Simulation simulation({.seed = seed});
    const Host host = simulation.host("other");
    simulation.run([&]() -> Deferred<> {
      for (int i = 0; i < 10; ++i) {
        result.push_back(Random::bits());
        host.within([&] { result.push_back(Random::below(1000)); });
      }
      co_return;
    });
    return result;
  };
  EXPECT_EQ(numbers(1), numbers(1));
  EXPECT_NE(numbers(1), numbers(2));
}

TEST(In_thread, is_a_job_in_a_simulation) {
  Simulation().run([]() -> Deferred<> {
    const auto here = std::this_thread::get_id();
    const Time_ns start = Clock::now();
    bool has_run = false;
    auto result = In_thread::run([&] {
      has_run = true;
      return std::this_thread::get_id();
    });
    EXPECT_FALSE(has_run);
    EXPECT_EQ(co_await std::move(result), here);
    EXPECT_EQ(Clock::now(), start);
    const auto error =
        co_await or_error(In_thread::run([]() -> int { throw std::out_of_range("x"); }));
    EXPECT_NE(error.error().as<std::out_of_range>(), nullptr);
    for (int i = 0; i < 1000; ++i) EXPECT_EQ(co_await In_thread::run([i] { return i; }), i);
  });
}

TEST(Raise_signal, is_as_if_the_process_had_received_it) {
  Simulation simulation;
  std::vector<int> seen;
  simulation.run([&]() -> Deferred<> {
    Signal::handle({SIGINT, SIGTERM}, [&](int number) { seen.push_back(number); });
    simulation.raise_signal(SIGTERM);
    EXPECT_THAT(seen, IsEmpty());
    co_await Clock::after(1ms);
    simulation.raise_signal(SIGINT);
    simulation.raise_signal(SIGUSR1);  // which nobody handles
    co_await Clock::after(1ms);
    EXPECT_THAT(seen, ElementsAre(SIGTERM, SIGINT));
  });
}

TEST(Raise_signal, when_nothing_runs_throws) {
  Simulation simulation;
  EXPECT_THROW(simulation.raise_signal(SIGTERM), std::logic_error);
  simulation.run([] { return determined(); });
  EXPECT_THROW(simulation.raise_signal(SIGTERM), std::logic_error);
}

TEST(Shutdown, in_a_simulation_runs_its_handlers_and_ends_the_run) {
  Simulation simulation;
  std::vector<std::string> events;
  EXPECT_THROW(simulation.run([&]() -> Deferred<> {
    Shutdown::at_shutdown([&]() -> Deferred<> {
      co_await Clock::after(1s);
      events.emplace_back("handler");
    });
    Signal::handle({SIGTERM}, [](int) { Shutdown::shutdown(0); });
    simulation.raise_signal(SIGTERM);
    co_await Clock::after(1h);
    events.emplace_back("never");
  }),
               Scheduler_ended);
  EXPECT_THAT(events, ElementsAre("handler"));
}

TEST(Simulation, one_after_another_and_one_inside_no_other) {
  for (int i = 0; i < 100; ++i) {
    Simulation simulation;
    const Host host = simulation.host("server");
    simulation.run([&]() -> Deferred<> {
      co_await echo_server(host, 7);
      EXPECT_EQ(co_await ask(Tcp::to_host_and_port("server", 7), "hello"), "hello");
    });
  }
}

}  // namespace
}  // namespace async
