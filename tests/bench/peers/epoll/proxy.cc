// Passes every connection on to another server, on epoll by hand.  proxy LISTEN_PORT PORT
#include <cerrno>

#include "tests/bench/peers/epoll/loop.h"

using namespace epoll_peer;

static char buffer[64 * 1024];

class Pair;

/// One of the two ends.
class End final : public Handler {
 public:
  End(Pair& pair, int fd, std::uint32_t events) : pair_(pair), fd_(fd), events_(events) {
    watch(fd_, this, events_);
  }
  ~End() override { close(fd_); }

  void on_events(std::uint32_t events) override;

  /// `put(bytes, n)` is whether they could all be sent at once; what is left is kept.
  bool put(const char* bytes, std::size_t n) {
    const ssize_t sent = send(fd_, bytes, n, MSG_NOSIGNAL);
    if (sent == static_cast<ssize_t>(n)) return true;
    const std::size_t begin = sent < 0 ? 0 : static_cast<std::size_t>(sent);
    rest_.assign(bytes + begin, n - begin);
    want(events_ | EPOLLOUT);
    return false;
  }
  void end_sending() {
    if (rest_.empty()) {
      shutdown(fd_, SHUT_WR);
    } else {
      ends_ = true;
    }
  }
  void pause_reading() { want(events_ & ~EPOLLIN); }
  void go_on_reading() {
    if (!at_end_) want(events_ | EPOLLIN);
  }
  bool at_end() const { return at_end_; }
  bool empty() const { return rest_.empty(); }

 private:
  void receive();
  void send_rest();
  void want(std::uint32_t events) {
    if (events != events_) change(fd_, this, events);
    events_ = events;
  }

  Pair& pair_;
  int fd_;
  std::uint32_t events_;
  std::string rest_;     // what could not be sent; the other end does not read before it is
  bool ends_ = false;    // after that, nothing more is sent
  bool at_end_ = false;  // nothing more will be received
};

class Pair final : public Handler {
 public:
  Pair(int client, int server) : client_(*this, client, EPOLLIN), server_(*this, server, EPOLLIN) {}
  void on_events(std::uint32_t /*events*/) override {}

  End& other(const End& end) { return &end == &client_ ? server_ : client_; }
  void end() {
    if (!ended_) ended.emplace_back(this);
    ended_ = true;
  }
  void end_if_done() {
    if (client_.at_end() && server_.at_end() && client_.empty() && server_.empty()) end();
  }
  bool has_ended() const { return ended_; }

 private:
  End client_;
  End server_;
  bool ended_ = false;
};

void End::on_events(std::uint32_t events) {
  if ((events & EPOLLOUT) != 0) send_rest();
  if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0 && !pair_.has_ended()) receive();
}

void End::receive() {
  // While the buffer is filled there is more, and this connection's memory is in the caches.
  ssize_t n;
  do {
    n = recv(fd_, buffer, sizeof buffer, 0);
    if (n > 0 && !pair_.other(*this).put(buffer, static_cast<std::size_t>(n)))
      return pause_reading();
  } while (n == sizeof buffer);
  if (n > 0 || (n < 0 && errno == EAGAIN)) return;
  if (n < 0) return pair_.end();
  at_end_ = true;
  pause_reading();
  pair_.other(*this).end_sending();
  pair_.end_if_done();
}

void End::send_rest() {
  const ssize_t sent = send(fd_, rest_.data(), rest_.size(), MSG_NOSIGNAL);
  if (sent < 0 && errno == EAGAIN) return;
  if (sent < 0) return pair_.end();
  rest_.erase(0, static_cast<std::size_t>(sent));
  if (!rest_.empty()) return;
  want(events_ & ~EPOLLOUT);
  pair_.other(*this).go_on_reading();
  if (ends_) shutdown(fd_, SHUT_WR);
  pair_.end_if_done();
}

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const sockaddr_in to = loopback(std::atoi(argv[2]));
  serve(std::atoi(argv[1]), [&](int client) {
    const int server = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    send_no_delay(server);
    if (connect(server, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0 &&
        errno != EINPROGRESS) {
      close(server);
      close(client);
      return;
    }
    new Pair(client, server);  // deletes itself when both have ended
  });
}
