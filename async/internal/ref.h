// async/internal/ref.h: a counted reference to an object that counts for itself.
//
// Layer: async.  Counts are not atomic: what they count belongs to one thread.

#pragma once

#include <cstddef>
#include <utility>

namespace async::internal {

/// `Ref<T>` owns one count of a `T` with members `add_ref()` and `release()`; or nothing.
template <class T>
class Ref {
 public:
  Ref() = default;
  Ref(std::nullptr_t) {}
  Ref(const Ref& other) noexcept : target_(other.target_) {
    if (target_) target_->add_ref();
  }
  Ref(Ref&& other) noexcept : target_(std::exchange(other.target_, nullptr)) {}
  template <class U>
    requires std::is_convertible_v<U*, T*>
  Ref(Ref<U> other) noexcept : target_(other.leak()) {}
  Ref& operator=(Ref other) noexcept {
    std::swap(target_, other.target_);
    return *this;
  }
  ~Ref() {
    if (target_) target_->release();
  }

  /// `adopt(p)` takes over a count that the caller owns.
  static Ref adopt(T* target) noexcept {
    Ref ref;
    ref.target_ = target;
    return ref;
  }
  /// `share(p)` adds a count.
  static Ref share(T* target) noexcept {
    if (target) target->add_ref();
    return adopt(target);
  }

  T* get() const noexcept { return target_; }
  T* operator->() const noexcept { return target_; }
  T& operator*() const noexcept { return *target_; }
  explicit operator bool() const noexcept { return target_ != nullptr; }
  T* leak() noexcept { return std::exchange(target_, nullptr); }

  friend bool operator==(const Ref& a, const Ref& b) noexcept { return a.target_ == b.target_; }

 private:
  T* target_ = nullptr;
};

}  // namespace async::internal
