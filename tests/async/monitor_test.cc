// root_test.cc has what happens at the top.

#include "async/monitor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "async/async.h"
#include "async/testing/simulation.h"
#include "tests/support/captured_log.h"
#include "tests/support/goodbye.h"
#include "tests/support/recording_monitor.h"

namespace async {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::Simulation;
using ::testing::UnorderedElementsAre;

Deferred<> settle() { return Scheduler::yield_until_no_jobs_remain(); }

/// `create_under(parent, name)` is a new monitor whose parent is `parent`.
Monitor create_under(const Monitor& parent, std::string name) {
  return Scheduler::within({.monitor = parent},
                           [&] { return determined(Monitor::create(std::move(name))); })
      .peek()
      .value();
}

TEST(Monitor, current_is_that_of_the_running_job) {
  Simulation().run([]() -> Deferred<> {
    EXPECT_EQ(Monitor::current().name(), "main");
    const Monitor monitor = Monitor::create("m");
    EXPECT_EQ(Monitor::current().name(), "main");
    Scheduler::within({.monitor = monitor}, [] { EXPECT_EQ(Monitor::current().name(), "m"); });
    EXPECT_EQ(Monitor::current().name(), "main");
    const std::string later = co_await Scheduler::within({.monitor = monitor}, [] {
      return Scheduler::yield().map([] { return Monitor::current().name(); });
    });
    EXPECT_EQ(later, "m");
    EXPECT_EQ(Monitor::current().name(), "main");
  });
}

TEST(Monitor, main_is_at_the_top) {
  Simulation().run([]() -> Deferred<> {
    EXPECT_EQ(Monitor::main().depth(), 0);
    EXPECT_EQ(Monitor::current().depth(), 0);
    Scheduler::within({.monitor = Monitor::create("m")},
                      [] { EXPECT_EQ(Monitor::main().name(), "main"); });
    co_return;
  });
}

TEST(Monitor, depth_is_the_number_of_monitors_above) {
  Simulation().run([]() -> Deferred<> {
    const Monitor one = Monitor::create();
    const Monitor two = create_under(one, "two");
    const Monitor three = create_under(two, "three");
    EXPECT_EQ(one.depth(), 1);
    EXPECT_EQ(two.depth(), 2);
    EXPECT_EQ(three.depth(), 3);
    EXPECT_EQ(one.name(), "");
    EXPECT_EQ(three.name(), "three");
    co_return;
  });
}

TEST(Monitor, an_error_climbs_until_a_monitor_takes_it) {
  Simulation().run([]() -> Deferred<> {
    const Recording_monitor top("top");
    const Monitor middle = create_under(top.monitor(), "middle");
    const Monitor bottom = create_under(middle, "bottom");
    bottom.send(Error("sent"));
    Scheduler::within({.monitor = bottom}, [] {
      determined().upon([] { throw std::runtime_error("raised"); });
      Deferred<> dropped = failed(Error("failed"));
    });
    co_await settle();
    EXPECT_THAT(top.heard(), ElementsAre("sent", "raised", "failed"));
    EXPECT_TRUE(bottom.has_seen_error());
    EXPECT_TRUE(middle.has_seen_error());
    EXPECT_TRUE(top.monitor().has_seen_error());
    EXPECT_FALSE(Monitor::main().has_seen_error());
  });
}

TEST(Monitor, an_error_stops_at_the_first_that_is_detached) {
  Simulation().run([]() -> Deferred<> {
    const Recording_monitor top("top");
    const Recording_monitor* below = nullptr;
    std::optional<Recording_monitor> inner;
    top.under([&] { below = &inner.emplace("inner"); });
    const Monitor bottom = create_under(below->monitor(), "bottom");
    bottom.send(Error("x"));
    co_await settle();
    EXPECT_THAT(below->heard(), ElementsAre("x"));
    EXPECT_THAT(top.heard(), IsEmpty());
    EXPECT_FALSE(top.monitor().has_seen_error());
    EXPECT_FALSE(Monitor::main().has_seen_error());
  });
}

TEST(Monitor, receiving_an_error_runs_no_handler) {
  Simulation().run([]() -> Deferred<> {
    Events events;
    const Monitor monitor = Monitor::create();
    monitor.detach_and_iter_errors([&](const Error&) { events.emplace_back("handler"); });
    const Deferred<Error> next = monitor.get_next_error();
    next.upon([&](const Error&) { events.emplace_back("next"); });
    monitor.send(Error("x"));
    EXPECT_THAT(events, IsEmpty());
    co_await settle();
    EXPECT_THAT(events, ::testing::UnorderedElementsAre("handler", "next"));
  });
}

TEST(Monitor, each_handler_sees_each_later_error_in_order_where_it_was_given) {
  Simulation().run([]() -> Deferred<> {
    Events events;
    const Recording_monitor top("top");
    const Monitor monitor = create_under(top.monitor(), "m");
    const auto say = [&](const std::string& who) {
      return [&events, who](const Error& error) {
        events.push_back(who + " " + error.what() + " in " + Monitor::current().name());
      };
    };
    monitor.send(Error("early"));
    monitor.detach_and_iter_errors(say("first"));
    Scheduler::within({.monitor = Monitor::create("other")},
                      [&] { monitor.detach_and_iter_errors(say("second")); });
    monitor.send(Error("1"));
    monitor.send(Error("2"));
    co_await settle();
    EXPECT_THAT(events, ElementsAre("first 1 in main", "second 1 in other", "first 2 in main",
                                    "second 2 in other"));
    EXPECT_THAT(top.heard(), ElementsAre("early"));
  });
}

TEST(Monitor, a_handler_that_raises_is_called_no_more_and_its_error_goes_to_its_own_monitor) {
  Simulation().run([]() -> Deferred<> {
    const Recording_monitor outer("outer");
    const Monitor monitor = Monitor::create("m");
    int calls = 0;
    int other_calls = 0;
    outer.under([&] {
      monitor.detach_and_iter_errors([&](const Error& error) {
        ++calls;
        throw std::runtime_error(std::string("while handling ") + error.what());
      });
    });
    monitor.detach_and_iter_errors([&](const Error&) { ++other_calls; });
    monitor.send(Error("1"));
    monitor.send(Error("2"));
    co_await settle();
    monitor.send(Error("3"));
    co_await settle();
    EXPECT_EQ(calls, 1);
    EXPECT_EQ(other_calls, 3);
    EXPECT_THAT(outer.heard(), ElementsAre("while handling 1"));
  });
}

TEST(Monitor, errors_after_its_only_handler_has_raised_go_to_the_log) {
  const Captured_log log;
  Simulation().run([]() -> Deferred<> {
    const Recording_monitor outer("outer");
    const Monitor monitor = Monitor::create("m");
    outer.under([&] {
      monitor.detach_and_iter_errors([&](const Error&) { throw std::runtime_error("raised"); });
    });
    monitor.send(Error("first"));
    monitor.send(Error("second"));
    co_await settle();
    monitor.send(Error("third"));
    co_await settle();
    EXPECT_THAT(outer.heard(), ElementsAre("raised"));
  });
  EXPECT_THAT(log.errors(), ElementsAre(HasSubstr("second"), HasSubstr("third")));
}

// What the handler raises comes back to the monitor that it handles.
TEST(Monitor, a_handler_given_under_its_own_monitor_that_raises_goes_to_the_log) {
  const Captured_log log;
  Simulation().run([]() -> Deferred<> {
    const Monitor monitor = Monitor::create("m");
    Scheduler::within({.monitor = monitor}, [&] {
      monitor.detach_and_iter_errors([](const Error&) { throw std::runtime_error("raised"); });
    });
    monitor.send(Error("x"));
    co_await settle();
  });
  EXPECT_THAT(log.errors(), ElementsAre(HasSubstr("raised")));
}

TEST(Monitor, get_next_error_is_the_next_which_climbs_on_all_the_same) {
  Simulation().run([]() -> Deferred<> {
    const Recording_monitor top("top");
    const Monitor monitor = create_under(top.monitor(), "m");
    monitor.send(Error("early"));
    const Deferred<Error> next = monitor.get_next_error();
    const Deferred<Error> same = monitor.get_next_error();
    EXPECT_FALSE(next.is_determined());
    monitor.send(Error("1"));
    const Deferred<Error> after = monitor.get_next_error();
    monitor.send(Error("2"));
    monitor.send(Error("3"));
    EXPECT_STREQ((co_await next).what(), "1");
    EXPECT_STREQ((co_await same).what(), "1");
    EXPECT_STREQ((co_await after).what(), "2");
    co_await settle();
    EXPECT_THAT(top.heard(), ElementsAre("early", "1", "2", "3"));
  });
}

TEST(Monitor, detach_and_get_next_error_takes_one_and_the_others_go_to_the_log) {
  const Captured_log log;
  Simulation().run([]() -> Deferred<> {
    const Recording_monitor top("top");
    const Monitor monitor = create_under(top.monitor(), "m");
    const Deferred<Error> next = monitor.detach_and_get_next_error();
    monitor.send(Error("1"));
    monitor.send(Error("2"));
    EXPECT_STREQ((co_await next).what(), "1");
    co_await settle();
    EXPECT_THAT(top.heard(), IsEmpty());
  });
  EXPECT_THAT(log.errors(), ElementsAre(HasSubstr("2")));
}

TEST(Monitor, has_seen_error_once_one_came_by) {
  Simulation().run([]() -> Deferred<> {
    const Recording_monitor listener;
    EXPECT_FALSE(listener.monitor().has_seen_error());
    listener.monitor().send(Error("x"));
    EXPECT_TRUE(listener.monitor().has_seen_error());
    co_return;
  });
}

TEST(Monitor, works_on_when_its_handle_is_dropped) {
  Simulation().run([]() -> Deferred<> {
    Events events;
    const Ivar<> ivar;
    {
      const Monitor monitor = Monitor::create("m");
      monitor.detach_and_iter_errors([&](const Error& e) { events.emplace_back(e.what()); });
      Scheduler::within({.monitor = monitor},
                        [&] { ivar.read().upon([] { throw std::runtime_error("x"); }); });
    }
    ivar.fill();
    co_await settle();
    EXPECT_THAT(events, ElementsAre("x"));
  });
}

TEST(Monitor, lets_its_handlers_go_with_it) {
  Simulation().run([]() -> Deferred<> {
    Events events;
    {
      const Monitor monitor = Monitor::create("m");
      monitor.detach_and_iter_errors([probe = goodbye(events, "handler")](const Error&) {});
      EXPECT_THAT(events, IsEmpty());
    }
    EXPECT_THAT(events, ElementsAre("handler gone"));
    co_return;
  });
}

// The handler's context refers to the monitor, which refers to the handler.
TEST(Monitor, lets_handlers_that_were_given_under_itself_go_with_the_scheduler) {
  Events events;
  Simulation().run([&]() -> Deferred<> {
    Monitor::main().detach_and_iter_errors([probe = goodbye(events, "main's")](const Error&) {});
    Scheduler::within({.monitor = Monitor::create("m")}, [&] {
      Monitor::current().detach_and_iter_errors([probe = goodbye(events, "m's")](const Error&) {});
    });
    co_return;
  });
  EXPECT_THAT(events, ::testing::UnorderedElementsAre("main's gone", "m's gone"));
}

TEST(Monitor, main_may_be_detached) {
  Events events;
  Simulation().run([&]() -> Deferred<> {
    Monitor::main().detach_and_iter_errors([&](const Error& e) { events.emplace_back(e.what()); });
    Deferred<> dropped = failed(Error("x"));
    dropped = determined();
    co_await settle();
  });
  EXPECT_THAT(events, ElementsAre("x"));
}

TEST(Monitor, an_error_under_it_ends_one_job_and_no_other) {
  Simulation().run([]() -> Deferred<> {
    Events events;
    const Recording_monitor listener;
    listener.under([&] {
      determined().upon([&] {
        determined().upon([&] { events.emplace_back("started before"); });
        throw std::runtime_error("x");
      });
      determined().upon([&] { events.emplace_back("next"); });
    });
    co_await settle();
    EXPECT_THAT(events, ElementsAre("next", "started before"));
    EXPECT_THAT(listener.heard(), ElementsAre("x"));
  });
}

TEST(Monitor, a_detached_one_without_handler_logs) {
  const Captured_log log;
  Simulation().run([]() -> Deferred<> {
    const Monitor monitor = Monitor::create("m");
    monitor.detach();
    monitor.send(Error("x"));
    co_await settle();
    EXPECT_FALSE(Monitor::main().has_seen_error());
  });
  EXPECT_THAT(log.errors(), ElementsAre(HasSubstr("x")));
}

TEST(Monitor, whose_next_error_is_awaited_under_itself_goes_with_its_scheduler) {
  Events events;
  Simulation().run([&]() -> Deferred<> {
    Monitor::current().get_next_error().upon(
        [guard = goodbye(events, "handler of the main one")](const Error&) {});
    Scheduler::within({.monitor = Monitor::create()}, [&] {
      Monitor::current().detach_and_get_next_error().upon(
          [guard = goodbye(events, "handler")](const Error&) {});
    });
    co_return;
  });
  EXPECT_THAT(events, UnorderedElementsAre("handler of the main one gone", "handler gone"));
}

TEST(Monitor, whose_next_error_was_asked_for_under_itself_goes_when_nobody_knows_it) {
  Events events;
  static const Scheduler::Local_key<std::shared_ptr<void>> key;
  Simulation().run([&]() -> Deferred<> {
    Scheduler::with_local(key, goodbye(events, "context"), [] {
      Scheduler::within({.monitor = Monitor::create()},
                        [] { (void)Monitor::current().get_next_error(); });
    });
    EXPECT_THAT(events, ElementsAre("context gone"));
    co_return;
  });
}

}  // namespace
}  // namespace async
