#include "async/uv/poll_handles.h"

#include <memory>
#include <utility>

namespace async::internal {

std::expected<Poll_handle, int> Poll_handles::take(int fd, void* owner) {
  const auto index = static_cast<std::size_t>(fd);
  if (fd >= 0 && index < by_fd_.size() && by_fd_[index]) {
    by_fd_[index]->owner = owner;
    return std::move(by_fd_[index]);
  }
  // Giving it back cannot fail, so there has to be room.
  if (index < most_kept && index >= by_fd_.size()) by_fd_.resize(index + 1);
  auto handle = std::make_unique<Handle<uv_poll_t>>(owner);
  if (const int error = uv_poll_init(&loop_, &handle->uv, fd); error < 0) {
    return std::unexpected(error);
  }
  return Poll_handle(handle.release());
}

void Poll_handles::give_back(Poll_handle handle) noexcept {
  uv_poll_stop(&handle->uv);
  uv_os_fd_t fd = -1;
  uv_fileno(reinterpret_cast<const uv_handle_t*>(&handle->uv), &fd);
  const auto index = static_cast<std::size_t>(fd);
  if (index < by_fd_.size() && !by_fd_[index]) by_fd_[index] = std::move(handle);
}

}  // namespace async::internal
