#include "async/internal/ring.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <deque>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace async::internal {
namespace {

TEST(Ring, is_first_come_first_served) {
  Ring<std::string> ring;
  EXPECT_TRUE(ring.is_empty());
  ring.push_back("a");
  EXPECT_EQ(ring.push_back(3, 'b'), "bbb");
  EXPECT_EQ(ring.size(), 2);
  EXPECT_EQ(ring.front(), "a");
  EXPECT_EQ(ring.back(), "bbb");
  ring.pop_front();
  EXPECT_EQ(ring.front(), "bbb");
  ring.pop_front();
  EXPECT_TRUE(ring.is_empty());
}

TEST(Ring, holds_what_can_only_be_moved) {
  Ring<std::unique_ptr<int>> ring;
  for (int i = 0; i < 9; ++i) ring.push_back(std::make_unique<int>(i));
  for (int i = 0; i < 9; ++i) {
    EXPECT_EQ(*ring.front(), i);
    ring.pop_front();
  }
}

TEST(Ring, destroys_each_element_once) {
  const auto element = std::make_shared<int>();
  {
    Ring<std::shared_ptr<int>> ring;
    for (int i = 0; i < 20; ++i) ring.push_back(element);
    EXPECT_EQ(element.use_count(), 21);
    ring.pop_front();
    EXPECT_EQ(element.use_count(), 20);
    ring.clear();
    EXPECT_EQ(element.use_count(), 1);
    for (int i = 0; i < 5; ++i) ring.push_back(element);
  }
  EXPECT_EQ(element.use_count(), 1);
}

TEST(Ring, leaves_an_empty_one_when_it_is_moved) {
  Ring<std::string> ring;
  for (const char* text : {"a", "b", "c"}) ring.push_back(text);
  Ring<std::string> moved(std::move(ring));
  EXPECT_TRUE(ring.is_empty());
  EXPECT_EQ(moved.size(), 3);
  EXPECT_EQ(moved[2], "c");
  ring.push_back("d");
  EXPECT_EQ(ring.front(), "d");
}

TEST(Ring, can_be_used_again_after_its_memory_was_given_back) {
  Ring<std::string> ring;
  ring.release();
  for (int i = 0; i < 10; ++i) ring.push_back(std::to_string(i));
  ring.clear();
  ring.release();
  ring.push_back("again");
  EXPECT_EQ(ring.front(), "again");
}

TEST(Ring, agrees_with_a_deque) {
  std::mt19937 random(20260101);
  Ring<std::string> ring;
  std::deque<std::string> model;
  for (int step = 0; step < 200'000; ++step) {
    const auto action = random() % 1000;
    const bool fills = step / 3000 % 2 == 0;
    if (action == 0) {
      ring.clear();
      model.clear();
      if (random() % 2 == 0) ring.release();
    } else if (action < (fills ? 600 : 400)) {
      model.push_back(std::to_string(step) + " is long enough for memory of its own");
      ring.push_back(model.back());
    } else if (!model.empty()) {
      ring.pop_front();
      model.pop_front();
    }
    ASSERT_EQ(ring.size(), model.size());
    if (model.empty()) continue;
    ASSERT_EQ(ring.front(), model.front());
    ASSERT_EQ(ring.back(), model.back());
    const std::size_t i = random() % model.size();
    ASSERT_EQ(ring[i], model[i]);
  }
}

}  // namespace
}  // namespace async::internal
