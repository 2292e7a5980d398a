// async/uv/poll_handles.h: libuv's handles for watching descriptors.
//
// Layer: async/uv.  Read next: handle.h.

#pragma once

#include <uv.h>

#include <cstddef>
#include <expected>
#include <vector>

#include "async/uv/handle.h"

namespace async::internal {

using Poll_handle = Handle_ptr<uv_poll_t>;

/// Keeps the handles of descriptors that have been closed for the next ones of the same numbers: to
/// make one costs libuv three system calls.  A handle that is kept watches nothing, so whose its
/// number is meanwhile does not matter.
class Poll_handles {
 public:
  explicit Poll_handles(uv_loop_t& loop) noexcept : loop_(loop) {}

  /// `take(fd, owner)` is a handle for `fd` that watches for nothing.  Errors: libuv's.
  std::expected<Poll_handle, int> take(int fd, void* owner);
  /// `give_back(handle)` ends its watching at once.  Its descriptor is still open.
  void give_back(Poll_handle handle) noexcept;

 private:
  // What the connections of a burst leave behind stays below a megabyte.
  static constexpr std::size_t most_kept = 4096;

  uv_loop_t& loop_;
  std::vector<Poll_handle> by_fd_;
};

}  // namespace async::internal
