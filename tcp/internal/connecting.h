// tcp/internal/connecting.h: one connection being made, directly: all addresses of one peer.
//
// Layer: tcp.  Read next: connecting.cc; tcp/connect.cc, which uses it.

#pragma once

#include <cstddef>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include "async/deferred.h"
#include "async/io/network.h"
#include "async/io/transport.h"
#include "tcp/connect_error.h"
#include "tcp/connect_options.h"
#include "tcp/route.h"
#include "tcp/stop.h"
#include "tcp/where_to_connect.h"

namespace async::Tcp::internal {

/// Connecting to one peer: its name is looked up, and its addresses race each other, all under one
/// `Stop`.  It outlives what `connect()` returns, and so do the things that it was made of.
class Connecting {
 public:
  Connecting(const Target& target, const Via_options& via, const Connect_options& options,
             const Stop& stop)
      : target_(target), peer_(to_string(target)), via_(via), options_(options), stop_(stop) {}

  /// `connect()` is called once.  Errors: fails with `Connect_error`.  When it is determined, all
  /// sockets but that of the result are closed.
  Deferred<std::unique_ptr<Transport>> connect();

 private:
  /// One address on the way.  Destroying it closes the socket.
  struct Attempt {
    Address::Any address;
    std::unique_ptr<Unconnected_socket> socket;
    Deferred<std::error_code> connected;
  };

  Deferred<std::vector<Address::Any>> addresses();
  Deferred<std::vector<Inet_addr>> resolve(std::string host);
  std::optional<Ip_version> wanted_family() const;

  bool begin(const Address::Any& address);
  std::unique_ptr<Unconnected_socket> make_socket(const Address::Any& address) const;
  Deferred<std::optional<std::size_t>> next_to_end(bool there_are_more);
  std::expected<std::unique_ptr<Transport>, std::error_code> take(Attempt& attempt);
  void failed(Connect_error::Attempt attempt);
  [[noreturn]] void stopped(Stopped why) const;

  template <class F>
  void tell(F f) const;
  void tell_how_many() const;

  const Target& target_;
  const std::string peer_;
  const Via_options& via_;
  const Connect_options& options_;
  const Stop& stop_;
  std::vector<Attempt> attempts_;
  std::vector<Connect_error::Attempt> failed_;
};

}  // namespace async::Tcp::internal
