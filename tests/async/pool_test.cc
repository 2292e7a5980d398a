#include "async/internal/pool.h"

#include <gtest/gtest.h>
#include <malloc.h>

#include <cstddef>
#include <cstring>
#include <set>
#include <thread>
#include <utility>
#include <vector>

#include "async/async.h"
#include "async/internal/thread_state.h"
#include "async/testing/simulation.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define POOLS_ARE_BYPASSED
#endif
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define MALLOC_IS_REPLACED
#endif
#endif

namespace async {
namespace {

using internal::Pool;
using internal::thread_state;
using testing::Simulation;

TEST(Pool, gives_blocks_that_are_as_large_as_asked_for) {
  Pool pool;
  std::vector<std::pair<void*, std::size_t>> blocks;
  // Each size takes what an earlier one may have left.
  for (int round = 0; round < 2; ++round) {
    for (std::size_t size = 1; size <= 10'000; size += 7) {
      void* block = pool.allocate(size);
      std::memset(block, 0xab, size);
      blocks.emplace_back(block, size);
    }
    for (const auto& [block, size] : blocks) pool.release(block, size);
    blocks.clear();
  }
  pool.close();
}

TEST(Pool, gives_blocks_that_are_aligned_as_those_of_new) {
  Pool pool;
  for (const std::size_t size : {1, 8, 24, 100, 500, 600, 9000}) {
    void* block = pool.allocate(size);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(block) % __STDCPP_DEFAULT_NEW_ALIGNMENT__, 0);
    pool.release(block, size);
  }
  pool.close();
}

TEST(Pool, takes_back_what_another_thread_gave) {
  void* block = thread_state.pool.allocate(100);
  std::thread([&] {
    thread_state.pool.release(block, 100);
    block = thread_state.pool.allocate(100);
  }).join();
  thread_state.pool.release(block, 100);
}

TEST(Pool, takes_back_blocks_after_it_was_closed) {
  Pool pool;
  void* early = pool.allocate(100);
  void* late = pool.allocate(100);
  pool.release(early, 100);
  pool.close();
  pool.release(late, 100);
  void* again = pool.allocate(100);
  std::memset(again, 0, 100);
  pool.release(again, 100);
}

#if !defined(POOLS_ARE_BYPASSED)

TEST(Pool, gives_again_what_came_back) {
  Pool pool;
  pool.release(pool.allocate(1), 1);
  void* block = pool.allocate(100);
  pool.release(block, 100);
  EXPECT_EQ(pool.allocate(100), block);
  pool.release(block, 100);
  pool.close();
}

// The address of a local variable says where the frame is.
Deferred<const void*> wait_in_a_coroutine(Deferred<> d) {
  const int local = 0;
  const void* where = &local;
  co_await d;
  co_return where;
}

TEST(Pool, lets_a_program_go_round_in_the_same_memory) {
  Simulation().run([]() -> Deferred<> {
    std::set<const void*> places;
    for (int i = 0; i < 1000; ++i) {
      const Ivar<> ivar;
      auto where = wait_in_a_coroutine(ivar.read());
      ivar.fill();
      places.insert(co_await std::move(where));
    }
    EXPECT_LE(places.size(), 3);
  });
}

#endif

#if !defined(MALLOC_IS_REPLACED)

TEST(Pool, gives_everything_back_when_it_is_closed) {
  constexpr std::size_t size = 4096;
  constexpr std::size_t total = 2000 * size;
  const std::size_t before = mallinfo2().uordblks;
  Pool pool;
  std::vector<void*> blocks(total / size);
  for (void*& block : blocks) block = pool.allocate(size);
  for (void* block : blocks) pool.release(block, size);
  EXPECT_GT(mallinfo2().uordblks, before + total / 2);
  pool.close();
  EXPECT_LT(mallinfo2().uordblks, before + total / 2);
}

#endif

#if defined(POOLS_ARE_BYPASSED)

void read_a_value_whose_deferred_is_gone() {
  Simulation().run([]() -> Deferred<> {
    const volatile int* value = nullptr;
    {
      const Deferred<int> d = determined(3);
      value = &co_await d;
    }
    EXPECT_EQ(*value, 3);
  });
}

TEST(Pool_death, a_deferred_that_is_used_after_its_end_is_seen) {
  EXPECT_DEATH(read_a_value_whose_deferred_is_gone(), "heap-use-after-free");
}

Deferred<> show_local(const volatile int*& where, Deferred<> d) {
  const int local = 3;
  where = &local;
  co_await d;
}

void read_a_local_whose_coroutine_has_ended() {
  Simulation().run([]() -> Deferred<> {
    const volatile int* local = nullptr;
    const Ivar<> ivar;
    const Deferred<> shown = show_local(local, ivar.read());
    EXPECT_EQ(*local, 3);
    ivar.fill();
    co_await shown;
    EXPECT_EQ(*local, 3);
  });
}

TEST(Pool_death, a_coroutine_frame_that_is_used_after_its_end_is_seen) {
  EXPECT_DEATH(read_a_local_whose_coroutine_has_ended(), "heap-use-after-free");
}

#endif

}  // namespace
}  // namespace async
