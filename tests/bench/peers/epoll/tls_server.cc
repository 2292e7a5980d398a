// What is possible with BoringSSL.  tls_server PORT MODE CERTIFICATE KEY
#include <cstdlib>
#include <string>
#include <string_view>

#include "tests/bench/peers/epoll/loop.h"
#include "tests/bench/peers/epoll/tls.h"

using namespace epoll_peer;

static const std::uint64_t bulk_bytes = number("BULK_BYTES", 1 << 30);

class Echo final : public Tls_connection {
 public:
  using Tls_connection::Tls_connection;
  void received(std::string_view bytes) override { put(bytes); }
};

/// Sends much.
class Sender final : public Tls_connection {
 public:
  using Tls_connection::Tls_connection;

 private:
  void received(std::string_view) override {}

  void can_send() override {
    static const std::string block(64 * 1024, 'x');
    while (left_ > 0 && !waits_to_send() && !has_ended()) {
      const std::string_view bytes = std::string_view(block).substr(0, left_);
      gather(true);
      put(bytes);
      gather(false);
      left_ -= bytes.size();
    }
    if (left_ == 0 && !has_ended()) say_end();
  }

  std::uint64_t left_ = bulk_bytes;
};

/// Receives much, and says how much.
class Receiver final : public Tls_connection {
 public:
  using Tls_connection::Tls_connection;

 private:
  void received(std::string_view bytes) override { received_ += bytes.size(); }

  void client_has_ended() override {
    put(std::to_string(received_) + "\n");
    say_end();
  }

  std::uint64_t received_ = 0;
};

int main(int argc, char** argv) {
  if (argc != 5) return 2;
  const std::string_view mode = argv[2];
  SSL_CTX* const context = tls_context(argv[3], argv[4]);
  serve(std::atoi(argv[1]), [&](int fd) {
    if (mode == "send") {
      new Sender(fd, context);  // each of them deletes itself when its client leaves
    } else if (mode == "receive") {
      new Receiver(fd, context);
    } else {
      new Echo(fd, context);
    }
  });
}
