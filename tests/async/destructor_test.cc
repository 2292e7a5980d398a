// What destructors of the user may do, when the library lets go of what it was given.

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "async/async.h"
#include "async/testing/simulation.h"

namespace async {
namespace {

using namespace std::chrono_literals;
using Clock::Event;
using testing::Simulation;

std::shared_ptr<void> at_end(std::function<void()> f) {
  return std::shared_ptr<void>(nullptr, [f = std::move(f)](void*) { f(); });
}

// Has `f()` called by a destructor when the scheduler ends and no job runs any more.
void when_the_scheduler_has_ended(std::function<void()> f) {
  const Ivar<> unfilled;
  dont_wait_for(determined().bind(
      [unfilled, guard = at_end(std::move(f))]() -> Deferred<> { return unfilled.read(); }));
}

TEST(Destructor, of_a_kept_callable_cannot_fill_what_has_failed) {
  Simulation().run([]() -> Deferred<> {
    const Ivar<std::string> ivar;
    std::optional<bool> has_filled;
    Deferred<std::string> d = determined().bind([ivar, guard = at_end([&, ivar] {
                                                         has_filled = ivar.fill_if_empty("late");
                                                       })] { return ivar.read(); });
    co_await Scheduler::yield();
    ivar.fail(Error("early"));
    EXPECT_EQ(has_filled, false);
    const auto result = co_await or_error(std::move(d));
    EXPECT_STREQ(result.error().what(), "early");
  });
}

struct Countdown {
  Ivar<int> end;
  std::shared_ptr<void> guard;

  // Only the callable of the first step holds the guard.
  Deferred<int> run(int steps) const {
    if (steps == 0) return end.read();
    return determined().bind(
        [steps, guard = guard, next = Countdown{end, nullptr}] { return next.run(steps - 1); });
  }
};

TEST(Destructor, of_the_callable_before_may_fill_what_the_newer_one_returned) {
  Simulation().run([]() -> Deferred<> {
    const Ivar<int> end;
    const Deferred<int> d = Countdown{end, at_end([end] { end.fill_if_empty(7); })}.run(2);
    EXPECT_EQ(co_await Clock::with_timeout(1s, d), 7);
  });
}

TEST(Destructor, may_set_alarms_when_the_scheduler_has_ended) {
  bool has_run = false;
  const auto set_alarms = [&] {
    (void)Clock::after(1s);
    (void)Event::run_after(1s, [] {});
    (void)Clock::with_timeout(1s, Ivar<>().read());
    has_run = true;
  };
  Simulation().run([&]() -> Deferred<> {
    when_the_scheduler_has_ended(set_alarms);
    co_return;
  });
  EXPECT_TRUE(std::exchange(has_run, false));
  Scheduler::go([&]() -> Deferred<> {
    when_the_scheduler_has_ended(set_alarms);
    co_return;
  });
  EXPECT_TRUE(has_run);
}

struct Message {
  std::optional<Pipe::Reader<Message>> answers;
  std::unique_ptr<int> content = std::make_unique<int>(1);
};

TEST(Destructor, of_a_value_may_close_the_pipe_that_drops_it) {
  Simulation().run([]() -> Deferred<> {
    const auto [reader, writer] = Pipe::create<Message>();
    writer.write_without_pushback(Message{.answers = reader});
    writer.write_without_pushback(Message{.answers = std::nullopt});
    reader.close_read();
    EXPECT_TRUE(reader.is_empty());
    co_return;
  });
}

TEST(Destructor, of_a_hook_that_its_own_function_holds_comes_when_the_scheduler_ends) {
  bool has_gone = false;
  Simulation().run([&]() -> Deferred<> {
    const auto hook = std::make_shared<std::optional<Scheduler::Hook>>();
    hook->emplace(
        Scheduler::add_every_cycle_start_hook([hook, guard = at_end([&] { has_gone = true; })] {}));
    co_return;
  });
  EXPECT_TRUE(has_gone);
}

TEST(Destructor, of_a_sink_may_log) {
  std::string seen;
  Log::set_sink([guard = at_end([] { Log::error("gone"); })](Log::Level, std::string_view) {});
  Log::set_sink([&](Log::Level, std::string_view message) { seen = message; });
  Log::set_sink(nullptr);
  EXPECT_EQ(seen, "gone");
}

TEST(Destructor, of_a_value_of_the_context_comes_though_it_holds_an_ivar_made_there) {
  bool has_gone = false;
  struct Session {
    std::optional<Ivar<>> closed;
    std::shared_ptr<void> guard;
  };
  static const Scheduler::Local_key<std::shared_ptr<Session>> key;
  Simulation().run([&]() -> Deferred<> {
    const auto session = std::make_shared<Session>();
    session->guard = at_end([&] { has_gone = true; });
    Scheduler::with_local(key, session, [&] { session->closed.emplace(); });
    co_return;
  });
  EXPECT_TRUE(has_gone);
}

}  // namespace
}  // namespace async
