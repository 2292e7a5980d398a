// What is possible with BoringSSL; with WITH_MEMORY_BUFFERS, what is usual.  tls_server PORT MODE
// CERTIFICATE KEY
#include <cerrno>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

#include "tests/bench/peers/boringssl/connection.h"
#include "tests/bench/peers/boringssl/memory_connection.h"
#include "tests/bench/peers/boringssl/modes.h"
#include "tests/bench/peers/epoll/loop.h"

#ifdef WITH_MEMORY_BUFFERS
using Tls_connection = boringssl_peer::Memory_connection;
#else
using Tls_connection = boringssl_peer::Connection;
#endif

class Connection : public epoll_peer::Handler, public Tls_connection {
 public:
  Connection(int fd, SSL_CTX* context) : Tls_connection(context), fd_(fd) {
    epoll_peer::watch(fd_, this, EPOLLIN);
  }
  ~Connection() override { ::close(fd_); }

  void on_events(std::uint32_t /*events*/) override {
    begin();
    if (!rest_) {
      receive();
    } else if (transmit_rest()) {
      can_send();
    }
    finish();
  }

 protected:
  bool waits_to_send() const override { return rest_ != nullptr; }

 private:
  void receive() {
    static constexpr std::size_t size = 64 * 1024;
    static char* const buffer = new char[size];
    // While the buffer is filled there is more, and this connection's memory is in the caches.
    ssize_t n;
    do {
      n = recv(fd_, buffer, size, 0);
      if (n > 0) came({buffer, static_cast<std::size_t>(n)});
    } while (n == static_cast<ssize_t>(size) && !rest_ && !has_ended());
    if (n == 0 || (n < 0 && errno != EAGAIN)) end();
  }

  void transmit(std::string_view bytes) override {
    if (rest_) {
      *rest_ += bytes;
      return;
    }
    const ssize_t sent = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent == static_cast<ssize_t>(bytes.size())) return;
    if (sent < 0 && errno != EAGAIN) return end();
    if (sent > 0) bytes.remove_prefix(static_cast<std::size_t>(sent));
    rest_ = std::make_unique<std::string>(bytes);
    epoll_peer::change(fd_, this, EPOLLOUT);
  }

  bool transmit_rest() {
    const ssize_t sent = send(fd_, rest_->data(), rest_->size(), MSG_NOSIGNAL);
    if (sent < 0) {
      if (errno != EAGAIN) end();
      return false;
    }
    rest_->erase(0, static_cast<std::size_t>(sent));
    if (!rest_->empty()) return false;
    rest_ = nullptr;
    epoll_peer::change(fd_, this, EPOLLIN);
    return true;
  }

  void close() override { epoll_peer::ended.emplace_back(this); }

  int fd_;
  std::unique_ptr<std::string> rest_;  // what could not be sent; nothing is read before it is
};

int main(int argc, char** argv) {
  if (argc != 5) return 2;
  const std::string_view mode = argv[2];
  SSL_CTX* const context = boringssl_peer::tls_context(argv[3], argv[4]);
  epoll_peer::serve(std::atoi(argv[1]),
                    [&](int fd) { boringssl_peer::make<Connection>(mode, fd, context); });
}
