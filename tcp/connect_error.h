// tcp/connect_error.h: why a connection could not be made.
//
// Layer: tcp.  Read next: connect.h.

#pragma once

#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

#include "async/error.h"
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
    Forbidden,        // `access` permits none of its addresses
    Other,            // such as: no descriptors, no permission
  };

  /// One address that was tried.
  struct Attempt {
    Address::Any address;
    std::error_code code;
    /// All that is known, if what failed was not connecting itself, such as "bind to
    /// 192.0.2.1:0: cannot assign requested address".
    std::string what = {};
  };

  /// `peer` is whom to connect to; `reason` is what is known besides the attempts, and `code` is
  /// its code, if it has one.
  Connect_error(Kind kind, const std::string& peer, const std::string& reason,
                std::vector<Attempt> attempts, std::error_code code = {});
  /// The same for what failed with `cause` once there was a connection.
  Connect_error(Kind kind, const std::string& peer, Error cause);

  Kind kind() const noexcept { return kind_; }
  /// `code()` tells apart what is of one kind: a `Name_error` where the name could not be looked up
  /// (`No_name` for one that does not exist, `Again` for a failure that may pass), else the code of
  /// the attempt that says most; zero if there is neither.
  const std::error_code& code() const noexcept { return code_; }
  /// `attempts()` are in the order in which they failed.
  const std::vector<Attempt>& attempts() const noexcept { return attempts_; }
  /// `cause()` is the error of `via` or `tls`, if it was one of those that failed:
  /// `cause()->as<Tls::Error>()` says which check a certificate did not pass.
  const std::optional<Error>& cause() const noexcept { return cause_; }

  /// `kind_of(attempts)` is what the attempts, which are not empty, say together.
  static Kind kind_of(const std::vector<Attempt>& attempts);

 private:
  Kind kind_;
  std::error_code code_;
  std::vector<Attempt> attempts_;
  std::optional<Error> cause_;
};

std::string_view to_string(Connect_error::Kind kind);

}  // namespace async::Tcp
