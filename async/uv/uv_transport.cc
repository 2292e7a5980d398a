#include "async/uv/uv_transport.h"

#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <utility>

#include "async/internal/engine.h"
#include "async/io/io_error.h"
#include "async/uv/uv_network.h"

namespace async::internal {

namespace {

Io_result result_of(ssize_t n) noexcept {
  if (n > 0) return Io_result::ok(static_cast<std::size_t>(n));
  if (n == 0) return Io_result::eof();
  if (errno == EAGAIN || errno == EWOULDBLOCK) return Io_result::would_block();
  return Io_result::failed(last_error());
}

template <class Call>
ssize_t retry_when_interrupted(Call call) noexcept {
  ssize_t n = 0;
  do {
    n = call();
  } while (n < 0 && errno == EINTR);
  return n;
}

}  // namespace

std::expected<std::unique_ptr<Transport>, std::error_code> Uv_transport::create(Fd& fd) {
  Poll_handles& handles = fd.network().poll_handles();
  std::unique_ptr<Uv_transport> made(new Uv_transport(std::move(fd)));
  if (const int error = made->start(handles, made->fd()); error < 0) {
    fd = std::move(made->fd_);
    return std::unexpected(std::error_code(error, io_category()));
  }
  return made;
}

Uv_transport::~Uv_transport() {
  close(How::In_order);
  if (is_destroyed_) *is_destroyed_ = true;
}

void Uv_transport::ready(bool readable, bool writable) noexcept {
  const auto user = Ref<User>::share(user_);
  if (!user) return;
  bool is_destroyed = false;
  is_destroyed_ = &is_destroyed;
  has_filled_ = false;
  if (writable) user->writable();
  int reads_left = readable && !is_destroyed ? most_reads_in_a_turn : 0;
  do {
    if (reads_left > 0) user->readable();
    engine().run_cycle(user.get());
  } while (!is_destroyed && --reads_left > 0 && std::exchange(has_filled_, false) &&
           user_ == user.get() && wants_readable());
  if (!is_destroyed) is_destroyed_ = nullptr;
}

Io_result Uv_transport::read(std::span<char> into) noexcept {
  const ssize_t n =
      retry_when_interrupted([&] { return recv(fd_.get(), into.data(), into.size(), 0); });
  has_filled_ = n == static_cast<ssize_t>(into.size());
  return result_of(n);
}

Io_result Uv_transport::write(std::span<const std::string_view> parts) noexcept {
  if (parts.size() > 1) return write_several(parts);
  return result_of(retry_when_interrupted(
      [&] { return send(fd_.get(), parts[0].data(), parts[0].size(), MSG_NOSIGNAL); }));
}

Io_result Uv_transport::write_several(std::span<const std::string_view> parts) noexcept {
  std::array<iovec, IOV_MAX> vectors;
  const std::size_t count = std::min(parts.size(), vectors.size());
  for (std::size_t i = 0; i < count; ++i) {
    vectors[i] = {.iov_base = const_cast<char*>(parts[i].data()), .iov_len = parts[i].size()};
  }
  msghdr message{};
  message.msg_iov = vectors.data();
  message.msg_iovlen = count;
  return result_of(
      retry_when_interrupted([&] { return sendmsg(fd_.get(), &message, MSG_NOSIGNAL); }));
}

std::error_code Uv_transport::shutdown_send() noexcept {
  return shutdown(fd_.get(), SHUT_WR) == 0 ? std::error_code() : last_error();
}

std::size_t Uv_transport::unacknowledged() const noexcept {
  int bytes = 0;
  return ioctl(fd_.get(), SIOCOUTQ, &bytes) == 0 ? static_cast<std::size_t>(bytes) : 0;
}

void Uv_transport::close(How how) noexcept {
  if (!fd_.is_open()) return;
  if (how == How::Reset) {
    constexpr linger at_once{.l_onoff = 1, .l_linger = 0};
    setsockopt(fd_.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  }
  Fd_watch::stop();
  fd_.close();
}

}  // namespace async::internal
