// tcp/where_to_connect.h: whom to connect to.
//
// Layer: tcp.  Read next: connect.h.

#pragma once

#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "async/io/address.h"

namespace async::Tcp {

/// A host by name, and a port.
struct Host_and_port {
  std::string host;
  int port;

  friend bool operator==(const Host_and_port&, const Host_and_port&) = default;
};
std::string to_string(const Host_and_port& host_and_port);

struct Via_options {
  /// The address of this machine from which to connect.  Only addresses of its family are tried.
  std::optional<Inet_addr> via_local_interface = std::nullopt;
  /// The port of this machine from which to connect; 0 for one that the system chooses.  All
  /// attempts share it, so it is bound with SO_REUSEADDR unless the options of the socket say
  /// otherwise.
  int bind_to_port = 0;
  /// Only addresses of this family are tried.
  std::optional<Ip_version> family = std::nullopt;
};

/// Says whom to connect to, by a name or by an address of type `A`.
template <class A>
class Where_to_connect {
 public:
  using Remote =
      std::conditional_t<std::is_same_v<A, Address::Inet>,
                         std::variant<Address::Inet, Host_and_port>, std::variant<Address::Unix>>;

  explicit Where_to_connect(Remote remote, Via_options via = {})
      : remote_(std::move(remote)), via_(via) {}

  const Remote& remote() const noexcept { return remote_; }
  const Via_options& via() const noexcept { return via_; }

 private:
  Remote remote_;
  Via_options via_;
};

template <class A>
std::string to_string(const Where_to_connect<A>& where) {
  return std::visit([](const auto& remote) { return to_string(remote); }, where.remote());
}

/// `to_host_and_port(host, port)` looks `host` up each time it is used.  A numeric address is
/// parsed, never looked up.  Errors: throws `std::invalid_argument` for an empty host or an
/// impossible port, of either side.
Where_to_connect<Address::Inet> to_host_and_port(std::string host, int port, Via_options via = {});

/// `to_inet_address(address)` connects to `address`.  Errors: throws `std::invalid_argument` for an
/// impossible port of this side.
Where_to_connect<Address::Inet> to_inet_address(Address::Inet address, Via_options via = {});

/// `to_file(path)` connects to the unix socket at `path`.  Errors: throws `std::invalid_argument`
/// if `path` is empty.
Where_to_connect<Address::Unix> to_file(std::string path);

/// `to_unix_address(address)` connects to `address`.
Where_to_connect<Address::Unix> to_unix_address(Address::Unix address);

}  // namespace async::Tcp
