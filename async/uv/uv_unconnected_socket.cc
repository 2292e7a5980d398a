#include "async/uv/uv_unconnected_socket.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <variant>

#include "async/internal/engine.h"
#include "async/io/io_error.h"
#include "async/uv/uv_listener.h"
#include "async/uv/uv_network.h"
#include "async/uv/uv_transport.h"

namespace async::internal {

namespace {

constexpr std::chrono::milliseconds longest_retry(50);

// Whether `path` is a socket that was left over: nobody has listened on it since its owner ended.
bool is_left_over(const std::string& path, const Sockaddr& sockaddr, Uv_network& network) {
  struct stat status{};
  if (lstat(path.c_str(), &status) != 0 || !S_ISSOCK(status.st_mode)) return false;
  const Fd probe(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), network);
  return probe.is_open() && connect(probe.get(), sockaddr.get(), sockaddr.size) != 0 &&
         errno == ECONNREFUSED;
}

}  // namespace

Uv_unconnected_socket::~Uv_unconnected_socket() {
  if (retry_) retry_->abort();
  Fd_watch::stop();
}

std::error_code Uv_unconnected_socket::bind(const Address::Any& address) {
  const auto sockaddr = to_sockaddr(address);
  if (!sockaddr) return sockaddr.error();
  const auto try_to_bind = [&] {
    return ::bind(fd_.get(), sockaddr->get(), sockaddr->size) == 0 ? std::error_code()
                                                                   : last_error();
  };
  const std::error_code error = try_to_bind();
  const auto* file = std::get_if<Address::Unix>(&address);
  if (error != std::errc::address_in_use || !file || file->is_abstract() ||
      !is_left_over(file->path(), *sockaddr, fd_.network())) {
    return error;
  }
  ::unlink(file->path().c_str());
  return try_to_bind();
}

std::expected<std::unique_ptr<Listener>, std::error_code> Uv_unconnected_socket::listen(
    int backlog) {
  if (::listen(fd_.get(), backlog) != 0) return std::unexpected(last_error());
  return Uv_listener::create(std::move(fd_));
}

Deferred<std::error_code> Uv_unconnected_socket::connect(const Address::Any& address) {
  const auto sockaddr = to_sockaddr(address);
  if (!sockaddr) return determined(sockaddr.error());
  to_ = *sockaddr;
  connected_.emplace();
  Deferred<std::error_code> result = connected_->read();
  try_to_connect();
  return result;
}

void Uv_unconnected_socket::try_to_connect() {
  if (::connect(fd_.get(), to_->get(), to_->size) == 0) {
    connect_ended(std::error_code());
  } else if (errno == EINPROGRESS || errno == EINTR) {
    const int error = start(fd_.network().poll_handles(), fd_.get());
    if (error < 0) {
      connect_ended(std::error_code(error, io_category()));
    } else {
      want_writable(true);
    }
  } else if (errno == EAGAIN && to_->storage.ss_family == AF_UNIX) {
    retry_ = Clock::Event::run_after(retry_after_, [this] { try_to_connect(); });
    retry_after_ = std::min(Span(2 * retry_after_.ns()), Span(longest_retry));
  } else {
    connect_ended(last_error());
  }
}

void Uv_unconnected_socket::ready(bool, bool) noexcept {
  int error = 0;
  socklen_t size = sizeof error;
  if (getsockopt(fd_.get(), SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = errno;
  Fd_watch::stop();
  connect_ended(error == 0 ? std::error_code() : io_error_of_errno(error));
  engine().run_cycle(nullptr);
}

// Whoever still has a handle may only let go of it.
void Uv_unconnected_socket::scheduler_ends() noexcept {
  Fd_watch::stop();
  fd_.close();
}

void Uv_unconnected_socket::connect_ended(std::error_code error) {
  std::exchange(connected_, std::nullopt)->fill(error);
}

std::expected<std::unique_ptr<Transport>, std::error_code> Uv_unconnected_socket::take_transport() {
  Fd_watch::stop();
  return Uv_transport::create(fd_);
}

}  // namespace async::internal
