// How a failure travels.  failure_report_test.cc has where one ends that nobody takes.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "async/async.h"
#include "async/testing/simulation.h"
#include "tests/support/goodbye.h"
#include "tests/support/recording_monitor.h"

namespace async {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::Simulation;

struct Refused : std::runtime_error {
  explicit Refused(int code) : std::runtime_error("refused"), code(code) {}
  int code;
};

TEST(Failure, is_rethrown_by_co_await) {
  Simulation().run([]() -> Deferred<> {
    const auto code_of = [](Deferred<int> d) -> Deferred<int> {
      try {
        co_return co_await std::move(d);
      } catch (const Refused& e) {
        co_return e.code;
      }
    };
    const Ivar<int> ivar;
    const Deferred<int> waiting = code_of(ivar.read());
    ivar.fail(Refused(7));
    const Deferred<int> ready = code_of(ivar.read());
    EXPECT_EQ(co_await waiting, 7);
    EXPECT_EQ(co_await ready, 7);
  });
}

TEST(Failure, is_passed_on_by_map_and_bind_without_calling_their_function) {
  Simulation().run([]() -> Deferred<> {
    bool called = false;
    const Deferred<std::string> d = failed<int>(Error(Refused(7)))
                                        .map([&](int x) {
                                          called = true;
                                          return x;
                                        })
                                        .bind([&](int) {
                                          called = true;
                                          return determined(std::string());
                                        });
    const Or_error<std::string> result = co_await or_error(d);
    EXPECT_EQ(result.error().as<Refused>()->code, 7);
    EXPECT_FALSE(called);
  });
}

TEST(Failure, that_is_passed_on_is_the_same_exception_object) {
  Simulation().run([]() -> Deferred<> {
    const Deferred<int> d = failed<int>(Error(Refused(7)));
    const Deferred<int> mapped = d.map([](int x) { return x; });
    const Or_error<int> first = co_await or_error(d);
    const Or_error<int> second = co_await or_error(mapped);
    EXPECT_EQ(first.error().exception(), second.error().exception());
  });
}

TEST(Failure, destroys_the_functions_that_it_passes_by) {
  Simulation().run([]() -> Deferred<> {
    Events events;
    const Ivar<> ivar;
    const Recording_monitor listener;
    listener.under([&] { ivar.read().upon([probe = goodbye(events, "upon")] {}); });
    const Deferred<> mapped = ivar.read().map([probe = goodbye(events, "map")] {});
    const Deferred<> bound =
        ivar.read().bind([probe = goodbye(events, "bind")] { return determined(); });
    const Deferred<Or_error<void>> result = or_error(mapped);
    const Deferred<Or_error<void>> other = or_error(bound);
    ivar.fail(Refused(7));
    co_await result;
    co_await other;
    EXPECT_THAT(events, ElementsAre("upon gone", "map gone", "bind gone"));
  });
}

TEST(Failure, comes_from_a_function_of_map_or_bind_that_throws) {
  Simulation().run([]() -> Deferred<> {
    const auto mapped = determined(1).map([](int x) -> int { throw Refused(x); });
    const auto bound = determined(2).bind([](int x) -> Deferred<int> { throw Refused(x); });
    const auto returned = determined(3).bind([](int x) { return failed<int>(Error(Refused(x))); });
    const auto later = determined(4).bind([](int x) -> Deferred<int> {
      co_await Scheduler::yield();
      throw Refused(x);
    });
    std::vector<int> codes;
    for (const Deferred<int>& d : {mapped, bound, returned, later}) {
      codes.push_back((co_await or_error(d)).error().as<Refused>()->code);
    }
    EXPECT_THAT(codes, ElementsAre(1, 2, 3, 4));
  });
}

TEST(Failure, comes_from_a_coroutine_that_an_exception_leaves) {
  Simulation().run([]() -> Deferred<> {
    const auto run = [](bool wait) -> Deferred<int> {
      if (wait) co_await Scheduler::yield();
      throw Refused(7);
    };
    EXPECT_EQ((co_await or_error(run(false))).error().as<Refused>()->code, 7);
    EXPECT_EQ((co_await or_error(run(true))).error().as<Refused>()->code, 7);
  });
}

TEST(Failure, may_be_any_object) {
  Simulation().run([]() -> Deferred<> {
    const auto run = []() -> Deferred<int> { throw 42; };
    int caught = 0;
    try {
      co_await run();
    } catch (int x) {
      caught = x;
    }
    EXPECT_EQ(caught, 42);
  });
}

TEST(Failure, does_not_call_the_function_of_upon) {
  Simulation().run([]() -> Deferred<> {
    const Recording_monitor listener;
    bool called = false;
    listener.under([&] { failed<int>(Error("x")).upon([&](int) { called = true; }); });
    co_await Scheduler::yield_until_no_jobs_remain();
    EXPECT_FALSE(called);
  });
}

TEST(Failure, becomes_a_value_by_or_error) {
  Simulation().run([]() -> Deferred<> {
    const Or_error<int> value = co_await or_error(determined(1));
    const Or_error<void> unit = co_await or_error(determined());
    Or_error<std::unique_ptr<int>> unique = co_await or_error(determined(std::make_unique<int>(2)));
    const Or_error<int> failure = co_await or_error(failed<int>(Error(Refused(7))));
    const Or_error<void> failed_unit = co_await or_error(failed(Error("x")));
    EXPECT_EQ(value, 1);
    EXPECT_TRUE(unit);
    EXPECT_EQ(**unique, 2);
    EXPECT_EQ(failure.error().as<Refused>()->code, 7);
    EXPECT_EQ(failed_unit.error().what(), std::string("x"));
  });
}

TEST(Failure, or_error_waits_for_what_is_undetermined) {
  Simulation().run([]() -> Deferred<> {
    const Ivar<int> filled;
    const Ivar<int> failing;
    const auto value = or_error(filled.read());
    const auto failure = or_error(failing.read());
    co_await Scheduler::yield_until_no_jobs_remain();
    EXPECT_FALSE(value.is_determined());
    EXPECT_FALSE(failure.is_determined());
    filled.fill(1);
    failing.fail(Refused(7));
    EXPECT_EQ(co_await value, 1);
    EXPECT_EQ((co_await failure).error().as<Refused>()->code, 7);
  });
}

// What is known of an error must not get lost when it travels through a deferred.
TEST(Failure, keeps_the_contexts_that_were_added_to_its_error) {
  Simulation().run([]() -> Deferred<> {
    const Error error = Error("refused").with_context("connect to example.com");
    const Ivar<int> ivar;
    ivar.fail(error);
    EXPECT_STREQ((co_await or_error(failed<int>(error))).error().what(), error.what());
    EXPECT_STREQ((co_await or_error(ivar.read())).error().what(), error.what());
    EXPECT_TRUE((co_await or_error(failed<int>(error))).error().raised_at());
  });
}

TEST(Failure, keeps_the_contexts_on_its_way_to_a_monitor) {
  Simulation().run([]() -> Deferred<> {
    const Recording_monitor listener;
    listener.under(
        [] { dont_wait_for(failed(Error("refused").with_context("connect to example.com"))); });
    co_await Scheduler::yield_until_no_jobs_remain();
    EXPECT_THAT(listener.heard(), ElementsAre("connect to example.com: refused"));
  });
}

// Each of these returns a deferred: what is wrong shows there.
TEST(Failure, functions_that_return_a_deferred_do_not_throw) {
  Simulation().run([]() -> Deferred<> {
    const auto throws = []() -> Deferred<int> { throw Refused(7); };
    const auto rethrow = [](int) -> Deferred<int> { throw Refused(7); };
    const auto [reader, writer] = Pipe::create<int>();
    writer.close();
    std::vector<std::function<Deferred<int>()>> functions = {
        [&] { return Scheduler::within({}, throws); },
        [&] { return protect(throws, [] {}); },
        [&] { return protect([] { return determined(1); }, [] { throw Refused(7); }); },
        [&] {
          return repeat_until_finished(
              []() -> Deferred<Repeat_or_finished<void, int>> { throw Refused(7); });
        },
        [&] { return choose(choice(determined(1), rethrow)); },
        [&] { return determined(1).bind(rethrow); },
        [&, w = writer] { return w.write(1).map([] { return 1; }); },
    };
    for (const auto& f : functions) {
      std::optional<Deferred<int>> d;
      EXPECT_NO_THROW(d = f());
      if (d) EXPECT_FALSE(co_await or_error(*d));
    }
    std::optional<Deferred<Or_error<int>>> tried;
    EXPECT_NO_THROW(tried = try_with(throws));
    EXPECT_FALSE(co_await *tried);
  });
}

TEST(Failure, is_not_taken_by_looking) {
  Simulation().run([]() -> Deferred<> {
    const Recording_monitor listener;
    std::optional d = listener.under([] { return failed<int>(Error("x")); });
    EXPECT_TRUE(d->is_determined());
    EXPECT_EQ(d->peek(), std::nullopt);
    co_await Scheduler::yield_until_no_jobs_remain();
    EXPECT_THAT(listener.heard(), IsEmpty());
    d.reset();
    co_await Scheduler::yield_until_no_jobs_remain();
    EXPECT_THAT(listener.heard(), ElementsAre("x"));
  });
}

TEST(Failure, that_was_taken_is_reported_nowhere) {
  Simulation().run([]() -> Deferred<> {
    const Recording_monitor listener;
    co_await listener.under([]() -> Deferred<> {
      try {
        co_await failed(Error("caught"));
      } catch (const std::runtime_error&) {
      }
      const auto ignored = co_await or_error(failed(Error("or_error")));
      const auto tried = co_await try_with([] { return failed(Error("try_with")); });
      EXPECT_FALSE(ignored);
      EXPECT_FALSE(tried);
    });
    co_await Scheduler::yield_until_no_jobs_remain();
    EXPECT_THAT(listener.heard(), IsEmpty());
  });
}

}  // namespace
}  // namespace async
