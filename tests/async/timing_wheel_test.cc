#include "async/internal/timing_wheel.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <utility>
#include <vector>

namespace async::internal {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::uint64_t last_time = std::numeric_limits<std::uint64_t>::max();

/// Writes its name down when it fires.
class Test_alarm final : public Alarm {
 public:
  Test_alarm(int name, std::uint64_t when, std::vector<int>& fired) : name_(name), fired_(fired) {
    deadline = when;
  }

  void fire() noexcept override { fired_.push_back(name_); }
  void discard() noexcept override { fired_.push_back(-name_); }

 private:
  const int name_;
  std::vector<int>& fired_;
};

TEST(Timing_wheel, fires_what_is_due_and_nothing_else) {
  std::vector<int> fired;
  Timing_wheel wheel(1000);
  Test_alarm a(1, 1500, fired);
  Test_alarm b(2, 1501, fired);
  wheel.add(b);
  wheel.add(a);
  wheel.advance(1499);
  EXPECT_THAT(fired, IsEmpty());
  wheel.advance(1500);
  EXPECT_THAT(fired, ElementsAre(1));
  EXPECT_EQ(wheel.now(), 1500);
  wheel.advance(1'000'000);
  EXPECT_THAT(fired, ElementsAre(1, 2));
  EXPECT_EQ(wheel.next(), std::nullopt);
}

TEST(Timing_wheel, fires_equal_deadlines_in_the_order_in_which_they_were_added) {
  std::vector<int> fired;
  Timing_wheel wheel(0);
  // The present comes closer and closer, so each is added at another level.
  constexpr std::uint64_t deadline = 0x3f'ffff'ffff;
  std::vector<std::unique_ptr<Test_alarm>> alarms;
  int name = 0;
  for (int bits = 38; bits >= 0; --bits) {
    wheel.advance(deadline & ~((std::uint64_t{1} << bits) - 1));
    for (int i = 0; i < 2; ++i) {
      alarms.push_back(std::make_unique<Test_alarm>(name++, deadline, fired));
      if (wheel.now() < deadline) wheel.add(*alarms.back());
    }
    if (wheel.now() >= deadline) break;
  }
  wheel.advance(deadline);
  EXPECT_GT(fired.size(), 50);
  EXPECT_TRUE(std::is_sorted(fired.begin(), fired.end()));
}

TEST(Timing_wheel, fires_at_the_next_advance_what_is_late_already) {
  std::vector<int> fired;
  Timing_wheel wheel(1000);
  Test_alarm a(1, 1000, fired);
  Test_alarm b(2, 3, fired);
  wheel.add(a);
  wheel.add(b);
  EXPECT_THAT(fired, IsEmpty());
  EXPECT_EQ(wheel.next(), 1000);
  wheel.advance(1000);
  EXPECT_THAT(fired, ElementsAre(1, 2));
}

TEST(Timing_wheel, does_not_go_back) {
  std::vector<int> fired;
  Timing_wheel wheel(1000);
  Test_alarm a(1, 1200, fired);
  wheel.add(a);
  wheel.advance(10);
  EXPECT_EQ(wheel.now(), 1000);
  EXPECT_THAT(fired, IsEmpty());
  wheel.advance(1200);
  EXPECT_THAT(fired, ElementsAre(1));
}

TEST(Timing_wheel, fires_at_the_end_of_time) {
  std::vector<int> fired;
  Timing_wheel wheel(0);
  Test_alarm a(1, last_time, fired);
  wheel.add(a);
  wheel.advance(last_time - 1);
  EXPECT_THAT(fired, IsEmpty());
  wheel.advance(last_time);
  EXPECT_THAT(fired, ElementsAre(1));
}

TEST(Timing_wheel, forgets_an_alarm_that_is_destroyed) {
  std::vector<int> fired;
  Timing_wheel wheel(0);
  {
    Test_alarm a(1, 5, fired);
    Test_alarm b(2, 500'000, fired);
    wheel.add(a);
    wheel.add(b);
  }
  EXPECT_EQ(wheel.next(), std::nullopt);
  wheel.advance(last_time);
  EXPECT_THAT(fired, IsEmpty());
}

TEST(Timing_wheel, discards_every_alarm_once) {
  std::vector<int> fired;
  Timing_wheel wheel(100);
  Test_alarm a(1, 7, fired);
  Test_alarm b(2, 101, fired);
  Test_alarm c(3, last_time, fired);
  for (Test_alarm* alarm : {&a, &b, &c}) wheel.add(*alarm);
  wheel.discard_all();
  EXPECT_THAT(fired, ElementsAre(-1, -2, -3));
  EXPECT_FALSE(c.is_linked());
  EXPECT_EQ(wheel.next(), std::nullopt);
}

/// A wheel beside a model of it.
class Wheel_and_model {
 public:
  Wheel_and_model(std::uint64_t now, std::mt19937_64& random) : random_(random), wheel_(now) {}

  void step() {
    switch (below(8)) {
      case 0:
      case 1:
      case 2:
      case 3:
        add(some_deadline());
        break;
      case 4:
      case 5:
        remove_one();
        break;
      default:
        advance(some_time_to_advance_to());
    }
    check_next();
  }

 private:
  struct Entry {
    int name;
    std::unique_ptr<Test_alarm> alarm;
  };

  std::uint64_t below(std::uint64_t n) { return random_() % n; }
  std::uint64_t now() const { return wheel_.now(); }
  std::uint64_t later(std::uint64_t span) const {
    return now() > last_time - span ? last_time : now() + span;
  }
  // Of any size, each about as likely.
  std::uint64_t some_span() { return random_() >> below(64); }
  std::uint64_t deadline_of_some() {
    return std::next(model_.begin(), below(model_.size()))->first;
  }

  std::uint64_t some_deadline() {
    switch (below(6)) {
      case 0:
        return model_.empty() ? now() : deadline_of_some();
      case 1:
        return later(below(130));
      case 2:
        return now() - std::min(now(), below(3));
      case 3:
        return last_time - below(2);
      default:
        return later(some_span());
    }
  }
  std::uint64_t some_time_to_advance_to() {
    switch (below(5)) {
      case 0:
        return model_.empty() ? now() : deadline_of_some();
      case 1:
        return model_.empty() ? now() : model_.begin()->first;
      case 2:
        return wheel_.next().value_or(now());
      case 3:
        return later(some_span() >> 20);
      default:
        return later(below(70));
    }
  }

  void add(std::uint64_t deadline) {
    const int name = ++last_name_;
    auto alarm = std::make_unique<Test_alarm>(name, deadline, fired_);
    wheel_.add(*alarm);
    // What is late fires with what is due now.
    model_.emplace(std::max(deadline, now()), Entry{name, std::move(alarm)});
  }
  void remove_one() {
    if (model_.empty()) return;
    const auto at = std::next(model_.begin(), below(model_.size()));
    if (below(2) == 0) at->second.alarm->unlink();
    model_.erase(at);
  }
  void advance(std::uint64_t to) {
    std::vector<int> expected;
    const auto end = model_.upper_bound(to);
    for (auto at = model_.begin(); at != end; ++at) expected.push_back(at->second.name);
    fired_.clear();
    wheel_.advance(to);
    ASSERT_EQ(fired_, expected);
    ASSERT_EQ(now(), to);
    model_.erase(model_.begin(), end);
  }
  void check_next() {
    const auto next = wheel_.next();
    ASSERT_EQ(next.has_value(), !model_.empty());
    if (!next) return;
    ASSERT_LE(*next, model_.begin()->first);
    // Or else whoever advances step by step would not get on.
    ASSERT_TRUE(*next > now() || model_.begin()->first == now());
  }

  std::mt19937_64& random_;
  Timing_wheel wheel_;
  std::multimap<std::uint64_t, Entry> model_;  // keeps the order of equal keys
  std::vector<int> fired_;
  int last_name_ = 0;
};

TEST(Timing_wheel, agrees_with_a_sorted_list) {
  std::mt19937_64 random(20260101);
  for (int round = 0; round < 400; ++round) {
    Wheel_and_model both(round < 100 ? 0 : random() >> (random() % 64), random);
    for (int step = 0; step < 500; ++step) {
      ASSERT_NO_FATAL_FAILURE(both.step()) << "in step " << step << " of round " << round;
    }
  }
}

TEST(Timing_wheel, reaches_each_alarm_in_few_steps) {
  std::mt19937_64 random(7);
  for (int round = 0; round < 1000; ++round) {
    std::vector<int> fired;
    Timing_wheel wheel(random() >> (1 + random() % 63));
    Test_alarm alarm(1, std::max(wheel.now() + 1, random() >> (random() % 64)), fired);
    wheel.add(alarm);
    int steps = 0;
    for (; fired.empty() && steps <= 11; ++steps) wheel.advance(*wheel.next());
    ASSERT_THAT(fired, ElementsAre(1));
    ASSERT_EQ(wheel.now(), alarm.deadline);
  }
}

}  // namespace
}  // namespace async::internal
