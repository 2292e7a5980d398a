#include "async/internal/thread_pool.h"

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

namespace async::internal {

namespace {
constexpr std::chrono::seconds idle_time(10);
}

struct Thread_pool::State {
  std::mutex mutex;
  std::condition_variable has_work;
  std::condition_variable has_ended;
  std::deque<Work> queue;
  int max_num_threads = 0;
  int num_threads = 0;
  int num_busy = 0;
  bool is_stopping = false;
};

Thread_pool::Thread_pool(int max_num_threads) : state_(std::make_shared<State>()) {
  state_->max_num_threads = max_num_threads;
}

Thread_pool::~Thread_pool() {
  std::deque<Work> dropped;
  std::unique_lock lock(state_->mutex);
  state_->is_stopping = true;
  dropped.swap(state_->queue);
  state_->has_work.notify_all();
  // Idle threads end at once.  Busy ones end by themselves, later.
  state_->has_ended.wait(lock, [&] { return state_->num_threads == state_->num_busy; });
}

void Thread_pool::run(Work work) {
  const std::unique_lock lock(state_->mutex);
  State& state = *state_;
  state.queue.push_back(std::move(work));
  const auto idle = static_cast<std::size_t>(state.num_threads - state.num_busy);
  if (idle < state.queue.size() && state.num_threads < state.max_num_threads) {
    try {
      std::thread(serve, state_).detach();
      ++state.num_threads;
    } catch (const std::system_error&) {
      if (state.num_threads == 0) {
        state.queue.pop_back();
        throw;
      }
    }
  }
  state.has_work.notify_one();
}

void Thread_pool::serve(const std::shared_ptr<State>& shared) {
  State& state = *shared;
  std::unique_lock lock(state.mutex);
  const auto may_go_on = [&] { return state.is_stopping || !state.queue.empty(); };
  while (state.has_work.wait_for(lock, idle_time, may_go_on) && !state.is_stopping) {
    ++state.num_busy;
    {
      Work work = std::move(state.queue.front());
      state.queue.pop_front();
      lock.unlock();
      work();
    }
    lock.lock();
    --state.num_busy;
  }
  --state.num_threads;
  state.has_ended.notify_all();
}

}  // namespace async::internal
