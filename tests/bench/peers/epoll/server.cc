// What is possible: epoll by hand, one buffer for all connections.  server PORT MODE
#include <cerrno>
#include <cstring>
#include <string_view>

#include "tests/bench/peers/epoll/loop.h"

using namespace epoll_peer;

static const std::size_t read_size = number("READ_SIZE", 64 * 1024);
static const std::uint64_t bulk_bytes = number("BULK_BYTES", 1 << 30);
static const std::unique_ptr<char[]> buffer(new char[read_size]);

/// A connection that has something to say only when it was told something.
class Connection : public Handler {
 public:
  explicit Connection(int fd) : fd_(fd) { watch(fd_, this, EPOLLIN); }
  ~Connection() override { close(fd_); }

  void on_events(std::uint32_t /*events*/) override {
    if (rest_) {
      send_rest();
    } else {
      receive();
    }
  }

 protected:
  virtual void received(std::string_view bytes) = 0;

  void put(std::string_view bytes) {
    const ssize_t sent = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent == static_cast<ssize_t>(bytes.size())) return;
    if (sent < 0 && errno != EAGAIN) return end();
    if (sent > 0) bytes.remove_prefix(static_cast<std::size_t>(sent));
    rest_ = std::make_unique<std::string>(bytes);
    change(fd_, this, EPOLLOUT);
  }

 private:
  void receive() {
    // While the buffer is filled there is more, and this connection's memory is in the caches.
    ssize_t n;
    do {
      n = recv(fd_, buffer.get(), read_size, 0);
      if (n > 0) received({buffer.get(), static_cast<std::size_t>(n)});
    } while (n == static_cast<ssize_t>(read_size) && !rest_ && !ended_);
    if (n == 0 || (n < 0 && errno != EAGAIN)) end();
  }

  void send_rest() {
    const ssize_t sent = send(fd_, rest_->data(), rest_->size(), MSG_NOSIGNAL);
    if (sent < 0) return errno == EAGAIN ? void() : end();
    rest_->erase(0, static_cast<std::size_t>(sent));
    if (!rest_->empty()) return;
    rest_ = nullptr;
    change(fd_, this, EPOLLIN);
  }

  void end() {
    if (!ended_) ended.emplace_back(this);
    ended_ = true;
  }

  int fd_;
  bool ended_ = false;
  std::unique_ptr<std::string> rest_;  // what could not be sent; nothing is read before it is
};

class Echo final : public Connection {
 public:
  using Connection::Connection;
  void received(std::string_view bytes) override { put(bytes); }
};

/// Answers each line with itself, and all lines that have arrived at once.
class Lines final : public Connection {
 public:
  using Connection::Connection;

  void received(std::string_view bytes) override {
    static std::string answers;
    answers.clear();
    for (;;) {
      const std::size_t end = bytes.find('\n');
      if (end == std::string_view::npos) break;
      answers += partial_;
      answers += bytes.substr(0, end);
      answers += '\n';
      partial_.clear();
      bytes.remove_prefix(end + 1);
    }
    partial_ += bytes;
    if (!answers.empty()) put(answers);
  }

 private:
  std::string partial_;
};

/// Sends much, receives much, or both.
class Bulk final : public Handler {
 public:
  Bulk(int fd, bool sends, bool receives)
      : fd_(fd), to_send_(sends ? bulk_bytes : 0), receives_(receives), answers_(!sends) {
    watch(fd_, this, wanted());
  }
  ~Bulk() override { close(fd_); }

  void on_events(std::uint32_t events) override {
    if ((events & EPOLLOUT) != 0 && to_send_ > 0) send_more();
    if ((events & (EPOLLIN | EPOLLHUP)) != 0 && receives_) receive();
    if (to_send_ == 0 && !receives_) ended.emplace_back(this);
  }

 private:
  std::uint32_t wanted() const { return (to_send_ > 0 ? EPOLLOUT : 0) | (receives_ ? EPOLLIN : 0); }

  void send_more() {
    static const std::string block(64 * 1024, 'x');
    while (to_send_ > 0) {
      const ssize_t sent = send(fd_, block.data(), std::min(to_send_, block.size()), MSG_NOSIGNAL);
      if (sent < 0 && errno == EAGAIN) return;
      if (sent < 0) std::exit(1);
      to_send_ -= static_cast<std::uint64_t>(sent);
    }
    change(fd_, this, wanted());
  }

  void receive() {
    const ssize_t n = recv(fd_, buffer.get(), read_size, 0);
    if (n < 0) return;
    received_ += static_cast<std::uint64_t>(n);
    if (n > 0) return;
    receives_ = false;
    change(fd_, this, wanted());
    if (!answers_) return;
    const std::string answer = std::to_string(received_) + "\n";
    send(fd_, answer.data(), answer.size(), MSG_NOSIGNAL);
  }

  int fd_;
  std::uint64_t to_send_;
  std::uint64_t received_ = 0;
  bool receives_;
  bool answers_;  // how much has arrived, which those that send do not
};

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const std::string_view mode = argv[2];
  const bool sends = mode == "send" || mode == "both";
  const bool receives = mode == "receive" || mode == "both";
  serve(std::atoi(argv[1]), [&](int fd) {
    if (sends || receives) {
      new Bulk(fd, sends, receives);  // each of them deletes itself when its client leaves
    } else if (mode == "line") {
      new Lines(fd);
    } else {
      new Echo(fd);
    }
  });
}
