#include "async/uv/uv_listener.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "async/internal/engine.h"
#include "async/io/io_error.h"
#include "async/uv/sockaddr.h"
#include "async/uv/uv_network.h"
#include "async/uv/uv_transport.h"

namespace async::internal {

std::expected<std::unique_ptr<Listener>, std::error_code> Uv_listener::create(Fd fd) {
  std::unique_ptr<Uv_listener> made(new Uv_listener(std::move(fd)));
  made->remember_file();
  if (const auto error = made->begin()) return std::unexpected(error);
  return made;
}

std::expected<std::unique_ptr<Listener>, std::error_code> Uv_listener::adopt(int fd,
                                                                             Uv_network& network) {
  std::unique_ptr<Uv_listener> made(new Uv_listener(Fd(fd, network)));
  const int flags = fcntl(fd, F_GETFL);
  std::error_code error;
  if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0 ||
      fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) {
    error = last_error();
  } else {
    error = made->begin();
  }
  if (!error) return made;
  made->fd_.release();
  return std::unexpected(error);
}

std::error_code Uv_listener::begin() {
  add_open(*this);
  const int error = start(fd_.network().poll_handles(), fd());
  return error < 0 ? std::error_code(error, io_category()) : std::error_code();
}

Uv_listener::~Uv_listener() { close(); }

void Uv_listener::remember_file() {
  const auto address = local_address();
  const auto* file = address ? std::get_if<Address::Unix>(&*address) : nullptr;
  struct stat status{};
  if (!file || file->is_unnamed() || file->is_abstract()) return;
  if (stat(file->path().c_str(), &status) != 0) return;
  file_ = File{.path = file->path(), .device = status.st_dev, .inode = status.st_ino};
}

bool Uv_listener::set_user(Turn_task* user) noexcept {
  if (user_ && user) return false;
  user_ = user;
  return true;
}

void Uv_listener::ready(bool, bool) noexcept {
  if (user_ && !user_->is_linked()) engine().at_turn_end.push_back(*user_);
}

std::expected<Listener::Accepted, std::error_code> Uv_listener::accept() {
  Sockaddr from;
  int accepted = -1;
  do {
    from.size = sizeof from.storage;
    accepted = accept4(fd_.get(), from.get(), &from.size, SOCK_NONBLOCK | SOCK_CLOEXEC);
  } while (accepted < 0 && errno == EINTR);
  if (accepted < 0) return std::unexpected(last_error());
  Fd fd(accepted, fd_.network());
  auto transport = Uv_transport::create(fd);
  if (!transport) return std::unexpected(transport.error());
  return Accepted{.transport = std::move(*transport), .from = of_sockaddr(from)};
}

void Uv_listener::close() noexcept {
  if (!fd_.is_open()) return;
  Fd_watch::stop();
  fd_.close();
  // Another server may have taken the name over.
  struct stat status{};
  if (file_ && stat(file_->path.c_str(), &status) == 0 && status.st_dev == file_->device &&
      status.st_ino == file_->inode) {
    ::unlink(file_->path.c_str());
  }
  if (Turn_task* user = std::exchange(user_, nullptr)) user->run_in_turn();
}

}  // namespace async::internal
