#include "tests/bench/load/stream.h"

#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "tests/bench/load/system.h"

namespace bench {

namespace {

class Plain final : public Stream {
 public:
  explicit Plain(int fd) : fd_(fd) {}
  ~Plain() override { close(fd_); }
  int fd() const override { return fd_; }

  std::size_t send(std::string_view bytes) override {
    const ssize_t n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n < 0 && errno != EAGAIN) give_up("send");
    return n < 0 ? 0 : static_cast<std::size_t>(n);
  }
  bool flush() override { return true; }
  ssize_t receive(std::span<char> into) override {
    return received(recv(fd_, into.data(), into.size(), 0));
  }
  ssize_t skip(std::span<char> into) override {
    // Not even copied, so that the load is not what limits the server.
    return received(recv(fd_, into.data(), std::size_t{64} << 20, MSG_TRUNC));
  }
  void end() override { shutdown(fd_, SHUT_WR); }

 private:
  static ssize_t received(ssize_t n) {
    if (n < 0 && errno != EAGAIN) give_up("recv");
    return n;
  }

  int fd_;
};

}  // namespace

std::unique_ptr<Stream> plain(int fd) { return std::make_unique<Plain>(fd); }

void converse(Stream& stream, std::string_view request) {
  const timeval patience = {.tv_sec = 5, .tv_usec = 0};
  setsockopt(stream.fd(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  for (std::string_view rest = request; !rest.empty();) rest.remove_prefix(stream.send(rest));
  if (!stream.flush()) give_up("send");
  std::string reply(request.size(), '\0');
  for (std::size_t size = 0; size < reply.size();) {
    const ssize_t n = stream.receive(std::span(reply).subspan(size));
    if (n < 0) give_up("recv");
    errno = 0;
    if (n == 0) give_up("the server has closed a connection");
    size += static_cast<std::size_t>(n);
  }
  if (reply != request) give_up("a reply is wrong");
}

}  // namespace bench
