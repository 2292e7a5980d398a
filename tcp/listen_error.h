// tcp/listen_error.h: why a server could not listen.
//
// Layer: tcp.  Read next: server.h.

#pragma once

#include <string>
#include <string_view>

#include "async/io/address.h"
#include "async/io/io_error.h"

namespace async::Tcp {

/// Listening failed.  `what()` says where, and why.
class Listen_error : public Io_error {
 public:
  enum class Kind : unsigned char {
    Address_in_use,         // somebody else listens there
    Access_denied,          // such as for a low port, or a folder
    Address_not_available,  // not an address of this machine
    Other,
  };

  Listen_error(std::error_code code, const Address::Any& address);

  Kind kind() const noexcept { return kind_; }
  const Address::Any& address() const noexcept { return address_; }

 private:
  Kind kind_;
  Address::Any address_;
};

std::string_view to_string(Listen_error::Kind kind);

}  // namespace async::Tcp
