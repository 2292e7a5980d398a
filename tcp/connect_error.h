// tcp/connect_error.h: why a connection could not be made.
//
// Layer: tcp.  Read next: connect.h.

#pragma once

#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

#include "async/io/address.h"

namespace async::Tcp {

/// Connecting failed.  `what()` names the peer, each address that was tried, and why that failed.
class Connect_error : public std::runtime_error {
 public:
  enum class Kind : unsigned char {
    Name_resolution,  // the name could not be looked up, or has no address
    Refused,          // nobody listens there
    Unreachable,      // there is no way to it
    Timed_out,        // it took longer than the timeout, or than the system's
    Interrupted,      // by `interrupt`
    Proxy,            // of `via`
    Tls,              // of `tls`
    Other,            // such as: no descriptors, no permission
  };

  /// One address that was tried.
  struct Attempt {
    Address::Any address;
    std::error_code code;
  };

  /// `peer` is whom to connect to; `reason` is what is known besides the attempts.
  Connect_error(Kind kind, const std::string& peer, const std::string& reason,
                std::vector<Attempt> attempts);

  Kind kind() const noexcept { return kind_; }
  /// `attempts()` are in the order in which they failed.
  const std::vector<Attempt>& attempts() const noexcept { return attempts_; }

  /// `kind_of(attempts)` is what the attempts, which are not empty, say together.
  static Kind kind_of(const std::vector<Attempt>& attempts);

 private:
  Kind kind_;
  std::vector<Attempt> attempts_;
};

std::string_view to_string(Connect_error::Kind kind);

}  // namespace async::Tcp
