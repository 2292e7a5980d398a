// A million links and no stack: everything here runs on a thread that has little of it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pthread.h>

#include <cstddef>
#include <functional>
#include <optional>
#include <stdexcept>
#include <utility>

#include "async/async.h"
#include "tests/support/recording_monitor.h"

namespace async {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr int million = 1'000'000;
constexpr std::size_t little = 128 * 1024;

// Runs `main` as a program on a thread with a stack of `little`.
template <class F>
void on_a_small_stack(F main) {
  std::function<void()> run = [&] { Scheduler::go(main); };
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  ASSERT_EQ(pthread_attr_setstacksize(&attributes, little), 0);
  pthread_t thread{};
  const auto start = [](void* f) -> void* {
    (*static_cast<std::function<void()>*>(f))();
    return nullptr;
  };
  ASSERT_EQ(pthread_create(&thread, &attributes, start, &run), 0);
  pthread_attr_destroy(&attributes);
  pthread_join(thread, nullptr);
}

// Each link waits for the one before.
Deferred<int> chain_of_binds(const Deferred<int>& first) {
  Deferred<int> last = first;
  for (int i = 0; i < million; ++i) {
    last = std::move(last).bind([](int n) { return determined(n + 1); });
  }
  return last;
}

// Each link is what the function of the one before returned.
Deferred<int> nested_binds(int n, const Ivar<>& all_there, const Deferred<int>& last) {
  if (n == 0) {
    all_there.fill();
    return last;
  }
  return determined().bind([n, all_there, last] { return nested_binds(n - 1, all_there, last); });
}

// Each waits before it calls the next one, so that they are not called from each other.  The last
// one tells that it is there, and waits for `last`.
Deferred<int> nested_awaits(int n, Ivar<> all_there, Deferred<int> last) {
  if (n == 0) {
    all_there.fill();
    co_return co_await last;
  }
  co_await Scheduler::yield();
  co_return 1 + co_await nested_awaits(n - 1, all_there, last);
}

// Each waits for the one that was called before it.
Deferred<int> chain_of_awaits(const Deferred<int>& first) {
  Deferred<int> last = first;
  for (int i = 0; i < million; ++i) {
    last = [](Deferred<int> d) -> Deferred<int> {
      co_return 1 + co_await std::move(d);
    }(std::move(last));
  }
  return last;
}

TEST(A_chain_of_a_million_binds, are_filled) {
  on_a_small_stack([]() -> Deferred<> {
    const Ivar<int> ivar;
    const Deferred<int> last = chain_of_binds(ivar.read());
    ivar.fill(0);
    EXPECT_EQ(co_await last, million);
  });
}

TEST(A_chain_of_a_million_binds, fail) {
  on_a_small_stack([]() -> Deferred<> {
    const Ivar<int> ivar;
    const Deferred<int> last = chain_of_binds(ivar.read());
    ivar.fail(std::runtime_error("first"));
    const auto result = co_await or_error(last);
    EXPECT_STREQ(result.error().what(), "first");
  });
}

TEST(A_chain_of_a_million_binds, are_abandoned) {
  on_a_small_stack([]() -> Deferred<> {
    std::optional<Ivar<int>> ivar(std::in_place);
    const Deferred<int> last = chain_of_binds(ivar->read());
    ivar.reset();
    const auto result = co_await or_error(last);
    EXPECT_NE(result.error().as<Abandoned>(), nullptr);
  });
}

TEST(A_chain_of_a_million_binds, are_dropped_and_then_filled) {
  on_a_small_stack([]() -> Deferred<> {
    const Ivar<int> ivar;
    chain_of_binds(ivar.read()).upon([](int) {});
    ivar.fill(0);
    co_await Scheduler::yield_until_no_jobs_remain();
  });
}

TEST(A_chain_of_a_million_binds, are_dropped_and_then_abandoned) {
  on_a_small_stack([]() -> Deferred<> {
    const Recording_monitor monitor;
    std::optional<Ivar<int>> ivar(std::in_place);
    monitor
        .under([&] {
          static_cast<void>(chain_of_binds(ivar->read()));
          return determined();
        })
        .upon([] {});
    ivar.reset();
    co_await Scheduler::yield_until_no_jobs_remain();
    EXPECT_THAT(monitor.heard(), ElementsAre(HasSubstr("abandoned")));
  });
}

TEST(A_chain_of_a_million_binds, are_still_waiting_when_the_program_ends) {
  static std::optional<Ivar<int>> ivar;
  on_a_small_stack([]() -> Deferred<> {
    ivar.emplace();
    static_cast<void>(chain_of_binds(ivar->read()));
    co_return;
  });
  ivar.reset();
}

TEST(A_million_nested_binds, are_filled) {
  on_a_small_stack([]() -> Deferred<> {
    const Ivar<> all_there;
    const Ivar<int> ivar;
    const Deferred<int> outermost = nested_binds(million, all_there, ivar.read());
    co_await all_there.read();
    ivar.fill(3);
    EXPECT_EQ(co_await outermost, 3);
  });
}

TEST(A_million_nested_binds, are_dropped_and_then_fail) {
  on_a_small_stack([]() -> Deferred<> {
    const Recording_monitor monitor;
    const Ivar<> all_there;
    std::optional<Ivar<int>> ivar;
    monitor
        .under([&] {
          ivar.emplace();
          static_cast<void>(nested_binds(million, all_there, ivar->read()));
          return determined();
        })
        .upon([] {});
    co_await all_there.read();
    ivar->fail(std::runtime_error("innermost"));
    ivar.reset();  // which carries it as well
    co_await Scheduler::yield_until_no_jobs_remain();
    EXPECT_THAT(monitor.heard(), ElementsAre("innermost"));
  });
}

TEST(A_million_nested_awaits, are_filled) {
  on_a_small_stack([]() -> Deferred<> {
    const Ivar<> all_there;
    const Ivar<int> ivar;
    Deferred<int> outermost = nested_awaits(million, all_there, ivar.read());
    co_await all_there.read();
    ivar.fill(0);
    EXPECT_EQ(co_await outermost, million);
  });
}

TEST(A_million_nested_awaits, fail) {
  on_a_small_stack([]() -> Deferred<> {
    const Ivar<> all_there;
    const Ivar<int> ivar;
    Deferred<int> outermost = nested_awaits(million, all_there, ivar.read());
    co_await all_there.read();
    ivar.fail(std::runtime_error("innermost"));
    const auto result = co_await or_error(std::move(outermost));
    EXPECT_STREQ(result.error().what(), "innermost");
  });
}

TEST(A_million_nested_awaits, are_still_waiting_when_the_program_ends) {
  on_a_small_stack([]() -> Deferred<> {
    const Ivar<> all_there;
    static_cast<void>(nested_awaits(million, all_there, never<int>()));
    co_await all_there.read();
  });
}

TEST(A_chain_of_a_million_awaits, are_filled) {
  on_a_small_stack([]() -> Deferred<> {
    const Ivar<int> ivar;
    const Deferred<int> last = chain_of_awaits(ivar.read());
    ivar.fill(0);
    EXPECT_EQ(co_await last, million);
  });
}

TEST(A_chain_of_a_million_awaits, fail) {
  on_a_small_stack([]() -> Deferred<> {
    const Ivar<int> ivar;
    const Deferred<int> last = chain_of_awaits(ivar.read());
    ivar.fail(std::runtime_error("first"));
    const auto result = co_await or_error(last);
    EXPECT_STREQ(result.error().what(), "first");
  });
}

TEST(A_chain_of_a_million_awaits, are_dropped_and_then_abandoned) {
  on_a_small_stack([]() -> Deferred<> {
    const Recording_monitor monitor;
    std::optional<Ivar<int>> ivar(std::in_place);
    monitor
        .under([&] {
          static_cast<void>(chain_of_awaits(ivar->read()));
          return determined();
        })
        .upon([] {});
    ivar.reset();
    co_await Scheduler::yield_until_no_jobs_remain();
    EXPECT_THAT(monitor.heard(), ElementsAre(HasSubstr("abandoned")));
  });
}

TEST(A_chain_of_a_million_awaits, are_still_waiting_when_the_program_ends) {
  static std::optional<Ivar<int>> ivar;
  on_a_small_stack([]() -> Deferred<> {
    ivar.emplace();
    static_cast<void>(chain_of_awaits(ivar->read()));
    co_return;
  });
  ivar.reset();
}

}  // namespace
}  // namespace async
