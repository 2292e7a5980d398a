// async/internal/ring.h: a queue in memory from the pool of the thread.
//
// Layer: async.  Read next: thread_state.h.

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include "async/internal/thread_state.h"

namespace async::internal {

template <class T>
class Ring {
  static_assert(alignof(T) <= __STDCPP_DEFAULT_NEW_ALIGNMENT__);

 public:
  Ring() = default;
  Ring(Ring&& other) noexcept
      : slots_(std::exchange(other.slots_, nullptr)),
        capacity_(std::exchange(other.capacity_, 0)),
        first_(std::exchange(other.first_, 0)),
        size_(std::exchange(other.size_, 0)) {}
  Ring& operator=(Ring&&) = delete;
  ~Ring() {
    clear();
    release();
  }

  std::size_t size() const noexcept { return size_; }
  bool is_empty() const noexcept { return size_ == 0; }
  T& front() noexcept { return at(0); }
  T& back() noexcept { return at(size_ - 1); }
  T& operator[](std::size_t i) noexcept { return at(i); }

  template <class... Args>
  T& push_back(Args&&... args) {
    if (size_ == capacity_) grow();
    T* element = std::construct_at(&at(size_), std::forward<Args>(args)...);
    ++size_;
    return *element;
  }
  void pop_front() noexcept {
    std::destroy_at(&front());
    first_ = (first_ + 1) & (capacity_ - 1);
    --size_;
  }
  void clear() noexcept {
    while (!is_empty()) pop_front();
  }
  /// `release()` gives back the memory of an empty ring.
  void release() noexcept {
    if (slots_) thread_state.pool.release(slots_, capacity_ * sizeof(T));
    slots_ = nullptr;
    capacity_ = first_ = 0;
  }

 private:
  T& at(std::size_t i) noexcept { return slots_[(first_ + i) & (capacity_ - 1)]; }

  void grow() {
    const std::uint32_t larger = capacity_ == 0 ? 4 : 2 * capacity_;
    T* slots = static_cast<T*>(thread_state.pool.allocate(larger * sizeof(T)));
    for (std::size_t i = 0; i < size_; ++i) {
      std::construct_at(slots + i, std::move(at(i)));
      std::destroy_at(&at(i));
    }
    if (slots_) thread_state.pool.release(slots_, capacity_ * sizeof(T));
    slots_ = slots;
    capacity_ = larger;
    first_ = 0;
  }

  T* slots_ = nullptr;
  std::uint32_t capacity_ = 0;  // a power of two
  std::uint32_t first_ = 0;
  std::uint32_t size_ = 0;
};

}  // namespace async::internal
