// async/internal/shared.h: a base for objects that are shared within one thread.
//
// Layer: async.  Read next: ref.h.

#pragma once

#include <cstdint>

#include "async/internal/thread_state.h"

namespace async::internal {

/// A `Shared` is destroyed when its last `Ref` is.  It starts with a count of one.
class Shared : public Pooled {
 public:
  Shared(const Shared&) = delete;
  Shared& operator=(const Shared&) = delete;

  void add_ref() noexcept { ++refs_; }
  void release() noexcept {
    if (--refs_ == 0) delete this;
  }
  bool has_one_ref() const noexcept { return refs_ == 1; }

 protected:
  Shared() = default;
  virtual ~Shared() = default;

 private:
  std::uint32_t refs_ = 1;
};

}  // namespace async::internal
