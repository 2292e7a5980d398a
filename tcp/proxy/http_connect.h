// tcp/proxy/http_connect.h: connecting by way of an HTTP proxy (CONNECT, RFC 9110).
//
// Layer: tcp/proxy.  Read next: tcp/route.h; socks5.h for the other kind of proxy, and
// environment.h for those that the user's environment names.

#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tcp/connect.h"
#include "tcp/route.h"
#include "tcp/where_to_connect.h"

namespace async::Tcp::Proxy {

struct Http_connect_options {
  /// For basic authentication (RFC 7617); none if both are empty.  They go over the network as they
  /// are.
  std::string username = {};
  std::string password = {};
  /// Further headers of the request, by name and value.
  std::vector<std::pair<std::string, std::string>> headers = {};
  /// How to reach the proxy; null for directly.  So one proxy is reached by way of another.
  std::shared_ptr<const Route> via = nullptr;
};

namespace internal {
std::shared_ptr<const Route> http_connect(Target proxy, Http_connect_options options);
}

/// `http_connect(where, options)` is the way by the HTTP proxy at `where`, which looks up the names
/// of targets.
///
///     co_await Tcp::connect(Tcp::to_host_and_port("example.com", 443),
///                           {.via = Tcp::Proxy::http_connect(
///                                Tcp::to_host_and_port("proxy", 3128),
///                                {.username = "me", .password = "secret"})});
///
/// Any status of 2xx is a connection; what follows the header of the answer comes from the target.
///
/// - Errors: throws `std::invalid_argument` for a header or username that HTTP has no way to say,
///   which includes line ends.  Connecting fails with `Connect_error` of kind `Proxy` when the
///   proxy cannot be reached, refuses, or does not answer as it should.  `what()` has its status
///   line, but never the password.
/// - Limits: the proxy's answer has 16 KiB at most.  A name has 255 bytes at most.  Unix sockets
/// and
///   addresses with a scope cannot be reached by a proxy.  From where to connect
///   (`via_local_interface`) is said with the target, not with `where`.
template <class A>
std::shared_ptr<const Route> http_connect(const Where_to_connect<A>& where,
                                          Http_connect_options options = {}) {
  return internal::http_connect(Tcp::internal::target_of(where), std::move(options));
}

}  // namespace async::Tcp::Proxy
