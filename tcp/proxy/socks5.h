// tcp/proxy/socks5.h: connecting by way of a SOCKS5 proxy (RFC 1928, RFC 1929).
//
// Layer: tcp/proxy.  Read next: tcp/route.h; http_connect.h for the other kind of proxy, and
// environment.h for those that the user's environment names.

#pragma once

#include <memory>
#include <string>
#include <utility>

#include "tcp/connect.h"
#include "tcp/route.h"
#include "tcp/where_to_connect.h"

/// Connecting by way of others.
namespace async::Tcp::Proxy {

/// Who looks up the name of a target.
enum class Resolve : unsigned char {
  By_proxy,  // so that names are found which only the proxy knows, and nobody here learns of them
  Here,      // as without a proxy; the addresses are tried in turn, each on a connection of its own
};

struct Socks5_options {
  /// Both have 1 to 255 bytes, or both are empty, for no authentication.  They go over the network
  /// as they are, and only to a proxy that asks for them.
  std::string username = {};
  std::string password = {};
  Resolve resolve = Resolve::By_proxy;
  /// How to reach the proxy; null for directly.  So one proxy is reached by way of another.
  std::shared_ptr<const Route> via = nullptr;
};

namespace internal {
std::shared_ptr<const Route> socks5(Target proxy, Socks5_options options);
}

/// `socks5(where, options)` is the way by the SOCKS5 proxy at `where`.
///
///     co_await Tcp::connect(Tcp::to_host_and_port("example.com", 80),
///                           {.via = Tcp::Proxy::socks5(Tcp::to_host_and_port("proxy", 1080))});
///
/// - Errors: throws `std::invalid_argument` for a username and password as they may not be.
///   Connecting fails with `Connect_error`, whose kind is `Proxy` for all that the proxy refuses,
///   says wrongly, or cannot do, and that it cannot be reached; and `Name_resolution` for a name
///   that is not found here.  `what()` says which, but never the password.
/// - Limits: a name has 255 bytes at most.  Unix sockets and addresses with a scope cannot be
///   reached by a proxy.  From where to connect (`via_local_interface`) is said with the target,
///   not with `where`.
template <class A>
std::shared_ptr<const Route> socks5(const Where_to_connect<A>& where, Socks5_options options = {}) {
  return internal::socks5(Tcp::internal::target_of(where), std::move(options));
}

}  // namespace async::Tcp::Proxy
