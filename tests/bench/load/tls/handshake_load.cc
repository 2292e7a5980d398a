#include "tests/bench/load/tls/handshake_load.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <deque>
#include <memory>

#include "tests/bench/load/histogram.h"
#include "tests/bench/load/loop.h"
#include "tests/bench/load/system.h"
#include "tests/bench/load/tls/tls_stream.h"

namespace bench {

namespace {

struct Progress {
  int to_make;
  bool resume;
  int done = 0;
  Histogram latencies_ns;
};

/// One connection after the other.
class Slot final : public Pollable {
 public:
  Slot(Loop& loop, Progress& progress, int port) : loop_(loop), progress_(progress), port_(port) {}

  void begin() {
    if (progress_.to_make == 0) return;
    const int number = progress_.to_make--;
    began_ = now_ns();
    SSL_SESSION* session = nullptr;
    if (progress_.resume) {
      const auto& all = Tls_stream::tickets;
      session = all[static_cast<std::size_t>(number) % all.size()].get();
    }
    stream_ = std::make_unique<Tls_stream>(begin_to_connect(port_), session);
    shaken_hands_ = false;
    loop_.watch(stream_->fd(), *this, EPOLLOUT);
  }

  void on_events(std::uint32_t events) override {
    if ((events & EPOLLOUT) != 0) connected();
    if (!shaken_hands_) {
      if (!stream_->handshake()) return;
      shaken_hands_ = true;
      stream_->may_end_abruptly();
      stream_->end();  // together with the end of the handshake
      return;
    }
    std::array<char, 1024> nothing;
    const ssize_t n = stream_->receive(nothing);
    if (n < 0) return;
    if (n > 0) give_up("the server has something to say");
    stream_.reset();
    progress_.latencies_ns.add(now_ns() - began_);
    ++progress_.done;
    loop_.progressed();
    begin();
  }

 private:
  void connected() {
    socklen_t size = sizeof errno;
    getsockopt(stream_->fd(), SOL_SOCKET, SO_ERROR, &errno, &size);
    if (errno != 0) give_up("connect");
    loop_.change(stream_->fd(), *this, EPOLLIN);
  }

  Loop& loop_;
  Progress& progress_;
  int port_;
  bool shaken_hands_ = false;
  std::unique_ptr<Tls_stream> stream_;
  std::uint64_t began_ = 0;
};

}  // namespace

static void shake_hands(const Options& options, Progress& progress) {
  Loop loop;
  std::deque<Slot> slots;
  const int wanted = progress.done + progress.to_make;
  for (int i = 0; i < options.connections; ++i) {
    slots.emplace_back(loop, progress, options.port).begin();
  }
  while (progress.done < wanted) loop.turn();
  wait_until_idle(options.pids);  // the server closes the last ones
}

/// One connection with a request, since some servers send tickets together with the first reply.
/// What the reply is does not matter here: there are servers of HTTP.
static void take_tickets(const Options& options) {
  Tls_stream stream(connect_to(options.port));
  while (!stream.handshake()) {
  }
  stream.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
  if (!stream.flush()) give_up("send");
  set_blocking(stream.fd(), false);
  std::array<char, 64 * 1024> reply;
  const std::uint64_t begin = now_ns();
  ssize_t n = -1;
  while (n < 0 || Tls_stream::tickets.empty()) {
    n = stream.receive(reply);
    errno = 0;
    if (n == 0 || now_ns() - begin > 5'000'000'000) give_up("the server offers no tickets");
  }
  stream.end();
}

Row handshake_load(const Options& options) {
  const bool resume = options.mode == "resume";
  if (resume) take_tickets(options);
  Progress warm_up = {.to_make = options.count / 10 + 1, .resume = resume, .latencies_ns = {}};
  shake_hands(options, warm_up);

  Progress progress = {.to_make = options.count, .resume = resume, .latencies_ns = {}};
  Measurement measurement(options.pids);
  shake_hands(options, progress);
  measurement.end();

  Row row;
  measurement.add_requests_to(row, static_cast<std::uint64_t>(progress.done),
                              progress.latencies_ns);
  return row;
}

}  // namespace bench
