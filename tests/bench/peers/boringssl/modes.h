// tests/bench/peers/boringssl/modes.h: what a server does with its connections, whatever the loop.

#pragma once

#include <openssl/ssl.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>

namespace boringssl_peer {

inline std::uint64_t bulk_bytes() {
  const char* text = std::getenv("BULK_BYTES");
  return text != nullptr ? std::strtoull(text, nullptr, 10) : 1 << 30;
}

// `Connection` is that of a loop.

template <class Connection>
class Echo final : public Connection {
 public:
  using Connection::Connection;

 private:
  void received(std::string_view bytes) override { this->put(bytes); }
};

/// Sends much.
template <class Connection>
class Sender final : public Connection {
 public:
  using Connection::Connection;

 private:
  void received(std::string_view) override {}

  void can_send() override {
    static const std::string block(64 * 1024, 'x');
    while (left_ > 0 && !this->waits_to_send() && !this->has_ended()) {
      const std::string_view bytes = std::string_view(block).substr(0, left_);
      for (std::size_t at = 0; at < bytes.size(); at += at_once) {
        this->gather(true);
        this->put(bytes.substr(at, at_once));
        this->gather(false);
      }
      left_ -= bytes.size();
    }
    if (left_ == 0 && !this->has_ended()) this->say_end();
  }

  // Three records are one packet where it may have 64 KiB; four are more, by some bytes that would
  // go as a packet of their own.
  static constexpr std::size_t at_once = std::size_t{3} * SSL3_RT_MAX_PLAIN_LENGTH;

  std::uint64_t left_ = bulk_bytes();
};

/// Receives much, and says how much.
template <class Connection>
class Receiver final : public Connection {
 public:
  using Connection::Connection;

 private:
  void received(std::string_view bytes) override { received_ += bytes.size(); }

  void client_has_ended() override {
    this->put(std::to_string(received_) + "\n");
    this->say_end();
  }

  std::uint64_t received_ = 0;
};

/// `make<Connection>(mode, args...)` is one that does that; it deletes itself when its client
/// leaves.
template <class Connection, class... Args>
Connection* make(std::string_view mode, Args&&... args) {
  if (mode == "send") return new Sender<Connection>(std::forward<Args>(args)...);
  if (mode == "receive") return new Receiver<Connection>(std::forward<Args>(args)...);
  return new Echo<Connection>(std::forward<Args>(args)...);
}

}  // namespace boringssl_peer
