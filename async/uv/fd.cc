#include "async/uv/fd.h"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

#include "async/io/io_error.h"
#include "async/uv/sockaddr.h"
#include "async/uv/uv_network.h"

namespace async::internal {

std::error_code last_error() noexcept { return io_error_of_errno(errno); }

void Fd::close() noexcept {
  if (fd_ < 0) return;
  // On Linux the descriptor is gone even if this reports an error.
  ::close(std::exchange(fd_, -1));
  network_->descriptor_was_freed();
}

std::expected<Address::Any, std::error_code> Fd::local_address() const {
  Sockaddr address;
  if (getsockname(fd_, address.get(), &address.size) != 0) return std::unexpected(last_error());
  return of_sockaddr(address);
}

std::expected<Address::Any, std::error_code> Fd::remote_address() const {
  Sockaddr address;
  if (getpeername(fd_, address.get(), &address.size) != 0) return std::unexpected(last_error());
  return of_sockaddr(address);
}

std::error_code Fd::set_option(int level, int name, std::span<const std::byte> value) const {
  const auto size = static_cast<socklen_t>(value.size());
  return setsockopt(fd_, level, name, value.data(), size) == 0 ? std::error_code() : last_error();
}

std::expected<std::size_t, std::error_code> Fd::get_option(int level, int name,
                                                           std::span<std::byte> into) const {
  auto size = static_cast<socklen_t>(into.size());
  if (getsockopt(fd_, level, name, into.data(), &size) != 0) return std::unexpected(last_error());
  return size;
}

}  // namespace async::internal
