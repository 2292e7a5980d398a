#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <deque>

#include "tests/bench/load/loads.h"
#include "tests/bench/load/system.h"

namespace bench {

namespace {

/// How many connections are still to be made, and how many are done.
struct Progress {
  int to_make;
  int done = 0;
  Histogram latencies_ns;
};

/// One connection after the other.
class Slot final : public Pollable {
 public:
  Slot(Loop& loop, const Messages& messages, Progress& progress, int port)
      : loop_(loop), messages_(messages), progress_(progress), port_(port) {}

  void begin() {
    if (progress_.to_make == 0) return;
    const int number = progress_.to_make--;
    began_ = now_ns();
    position_ = static_cast<std::size_t>(number) * messages_.size();
    received_ = 0;
    fd_ = begin_to_connect(port_);
    loop_.watch(fd_, *this, EPOLLOUT);
  }

  void on_events(std::uint32_t events) override {
    if ((events & EPOLLOUT) != 0) {
      request();
    } else {
      receive();
    }
  }

 private:
  void request() {
    socklen_t size = sizeof errno;
    getsockopt(fd_, SOL_SOCKET, SO_ERROR, &errno, &size);
    if (errno != 0) give_up("connect");
    const std::string_view bytes = messages_.at(position_, messages_.size());
    if (send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(bytes.size()))
      give_up("send");
    loop_.change(fd_, *this, EPOLLIN);
  }

  void receive() {
    char buffer[64 * 1024];
    const ssize_t n = recv(fd_, buffer, sizeof buffer, 0);
    if (n <= 0) give_up("recv");
    const auto size = static_cast<std::size_t>(n);
    if (!messages_.match(position_ + received_, {buffer, size})) give_up("a reply is wrong");
    received_ += size;
    if (received_ < messages_.size()) return;
    if (received_ > messages_.size()) give_up("a reply is too long");
    close(fd_);
    progress_.latencies_ns.add(now_ns() - began_);
    ++progress_.done;
    loop_.progressed();
    begin();
  }

  Loop& loop_;
  const Messages& messages_;
  Progress& progress_;
  int port_;
  int fd_ = -1;
  std::size_t position_ = 0;
  std::size_t received_ = 0;
  std::uint64_t began_ = 0;
};

}  // namespace

static void churn(const Options& options, const Messages& messages, Progress& progress) {
  Loop loop;
  std::deque<Slot> slots;
  const int wanted = progress.done + progress.to_make;
  for (int i = 0; i < options.connections; ++i) {
    slots.emplace_back(loop, messages, progress, options.port).begin();
  }
  while (progress.done < wanted) loop.turn();
  wait_until_idle(options.pids);  // the server closes the last ones
}

Row churn_load(const Options& options) {
  const Messages messages(options.size, 1);
  Progress warm_up = {.to_make = options.count / 10, .latencies_ns = {}};
  churn(options, messages, warm_up);

  Progress progress = {.to_make = options.count, .latencies_ns = {}};
  Measurement measurement(options.pids);
  churn(options, messages, progress);
  measurement.end();

  Row row;
  measurement.add_requests_to(row, static_cast<std::uint64_t>(progress.done),
                              progress.latencies_ns);
  return row;
}

}  // namespace bench
