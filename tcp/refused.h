// tcp/refused.h: why a server did not take a client.
//
// Layer: tcp.  Read next: observer.h, server.h.

#pragma once

#include <stdexcept>
#include <string_view>

namespace async::Tcp {

/// A server has turned a client away, though nothing has failed.  An observer is told so.
class Refused : public std::runtime_error {
 public:
  enum class Kind : unsigned char {
    Access_denied,  // by the server's `Access`
    Server_full,    // and it does not let clients wait
    Server_closed,  // after the client was accepted, and before its handler was called
  };

  explicit Refused(Kind kind);

  Kind kind() const noexcept { return kind_; }

 private:
  Kind kind_;
};

/// `to_string(kind)` is "access denied", "the server is full" or "the server is closed".
std::string_view to_string(Refused::Kind kind);

}  // namespace async::Tcp
