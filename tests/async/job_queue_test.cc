#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <memory>
#include <random>
#include <vector>

#include "async/internal/job.h"

namespace async::internal {
namespace {

class Test_job final : public Job {
 public:
  explicit Test_job(int name = 0) : name(name) {}

  void run() noexcept override {}
  void drop() noexcept override {}

  const int name;
};

int name_of(const Job& job) { return static_cast<const Test_job&>(job).name; }

TEST(Job_queue, is_first_come_first_served) {
  Job_queue queue;
  EXPECT_TRUE(queue.is_empty());
  Test_job a;
  Test_job b;
  queue.push(a);
  queue.push(b);
  EXPECT_FALSE(queue.is_empty());
  EXPECT_EQ(&queue.pop(), &a);
  EXPECT_EQ(&queue.pop(), &b);
  EXPECT_TRUE(queue.is_empty());
}

TEST(Job_queue, tells_a_job_whether_it_waits) {
  Job_queue queue;
  Test_job a;
  Test_job b;
  EXPECT_FALSE(a.is_queued());
  queue.push(a);
  queue.push(b);
  EXPECT_TRUE(a.is_queued());
  queue.pop();
  EXPECT_FALSE(a.is_queued());
  queue.remove(b);
  EXPECT_FALSE(b.is_queued());
}

TEST(Job_queue, lets_a_job_come_again) {
  Job_queue queue;
  Test_job a;
  Test_job b;
  queue.push(a);
  queue.push(b);
  queue.remove(a);
  queue.push(a);
  EXPECT_EQ(&queue.pop(), &b);
  EXPECT_EQ(&queue.pop(), &a);
  EXPECT_TRUE(queue.is_empty());
}

TEST(Job_queue, is_empty_when_all_have_been_taken_out) {
  Job_queue queue;
  std::vector<std::unique_ptr<Test_job>> jobs;
  for (int i = 0; i < 3; ++i) queue.push(*jobs.emplace_back(std::make_unique<Test_job>()));
  queue.remove(*jobs[1]);
  queue.remove(*jobs[2]);
  EXPECT_EQ(&queue.pop(), jobs[0].get());
  EXPECT_TRUE(queue.is_empty());
  for (auto& job : jobs) queue.push(*job);
  for (auto& job : jobs) queue.remove(*job);
  EXPECT_TRUE(queue.is_empty());
}

TEST(Job_queue, finds_the_first_that_is_wanted) {
  Job_queue queue;
  std::vector<std::unique_ptr<Test_job>> jobs;
  for (int i = 0; i < 6; ++i) queue.push(*jobs.emplace_back(std::make_unique<Test_job>(i)));
  const auto is_odd = [](const Job& job) { return name_of(job) % 2 == 1; };
  EXPECT_EQ(queue.pop_if(is_odd), jobs[1].get());
  EXPECT_EQ(queue.pop_if(is_odd), jobs[3].get());
  EXPECT_FALSE(jobs[3]->is_queued());
  EXPECT_EQ(queue.pop_if(is_odd), jobs[5].get());
  EXPECT_EQ(queue.pop_if(is_odd), nullptr);
  for (const int left : {0, 2, 4}) EXPECT_EQ(name_of(queue.pop()), left);
  EXPECT_TRUE(queue.is_empty());
}

TEST(Job_queue, agrees_with_a_deque) {
  std::mt19937 random(20260101);
  Job_queue queue;
  std::deque<Test_job*> model;
  std::vector<std::unique_ptr<Test_job>> jobs;
  std::vector<Test_job*> free;
  for (int i = 0; i < 3000; ++i) free.push_back(jobs.emplace_back(new Test_job(i)).get());

  for (int step = 0; step < 200'000; ++step) {
    // The queue fills and empties in turn, so that it grows while its content wraps round.
    const bool fills = step / 5000 % 2 == 0;
    const auto action = random() % 10;
    if (fills ? action < 6 : action < 3) {
      if (free.empty()) continue;
      queue.push(*free.back());
      model.push_back(free.back());
      free.pop_back();
    } else if (model.empty()) {
      ASSERT_TRUE(queue.is_empty());
    } else if (action < 8) {
      Job& job = queue.pop();
      ASSERT_EQ(&job, model.front());
      free.push_back(model.front());
      model.pop_front();
    } else if (action == 8) {
      // Often the last, where there is something to tidy up.
      const auto i = random() % 2 == 0 ? model.size() - 1 : random() % model.size();
      queue.remove(*model[i]);
      free.push_back(model[i]);
      model.erase(model.begin() + static_cast<std::ptrdiff_t>(i));
    } else {
      const int rest = static_cast<int>(random() % 50);
      const auto wanted = [&](const Job& job) { return name_of(job) % 50 == rest; };
      const auto at = std::find_if(model.begin(), model.end(),
                                   [&](const Test_job* job) { return wanted(*job); });
      const Job* found = queue.pop_if(wanted);
      ASSERT_EQ(found, at == model.end() ? nullptr : *at);
      if (at == model.end()) continue;
      free.push_back(*at);
      model.erase(at);
    }
    ASSERT_EQ(queue.is_empty(), model.empty());
  }
}

}  // namespace
}  // namespace async::internal
