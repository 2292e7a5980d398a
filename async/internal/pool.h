// async/internal/pool.h: memory for cells, coroutine frames and timers, per thread.
//
// Layer: async.  Read next: thread_state.h.
//
// A pool is a set of free lists, one per size class, of blocks that once came from the
// global allocator, one by one.  So steady state allocates nothing, a block can outlive its
// pool (a handle kept in a static variable, say), and a leak checker sees every block.
// Under AddressSanitizer the library keeps its pools empty, so that every misuse is seen.

#pragma once

#include <cstddef>
#include <cstdint>
#include <new>

namespace async::internal {

class Pool {
 public:
  /// `allocate(size)` returns memory aligned as `operator new` aligns it.
  void* allocate(std::size_t size) {
    if (size <= largest) [[likely]] {
      Block*& free = free_[class_of(size)];
      if (Block* block = free) [[likely]] {
        free = block->next;
        return block;
      }
    }
    return allocate_slowly(size);
  }

  /// `release(p, size)` takes back what `allocate(size)` gave, on this or another thread.
  void release(void* p, std::size_t size) noexcept {
    if (size <= largest && stage_ == Stage::Open) [[likely]] {
      Block*& free = free_[class_of(size)];
      free = ::new (p) Block{free};
    } else {
      release_slowly(p, size);
    }
  }

  /// `close()` gives everything cached back to the global allocator and caches no more.
  void close() noexcept;

 private:
  struct Block {
    Block* next;
  };

  // Classes are 16 bytes apart up to 512, then 256 apart.
  static constexpr std::size_t fine_limit = 512;
  static constexpr std::size_t largest = 8192;
  static constexpr std::size_t fine_classes = fine_limit / 16 + 1;
  static constexpr std::size_t num_classes = fine_classes + (largest - fine_limit) / 256;

  static constexpr std::size_t class_of(std::size_t size) {
    return size <= fine_limit ? (size + 15) / 16 : fine_classes + (size - fine_limit - 1) / 256;
  }
  static constexpr std::size_t size_of(std::size_t size_class) {
    return size_class < fine_classes ? size_class * 16
                                     : fine_limit + (size_class - fine_classes + 1) * 256;
  }

  void* allocate_slowly(std::size_t size);
  void release_slowly(void* p, std::size_t size) noexcept;

  enum class Stage : std::uint8_t { Unused, Open, Bypassed };

  Stage stage_ = Stage::Unused;
  Block* free_[num_classes] = {};
};

}  // namespace async::internal
