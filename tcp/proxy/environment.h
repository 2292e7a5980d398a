// tcp/proxy/environment.h: the proxies that a user's environment names.
//
// Layer: tcp/proxy.  Read next: socks5.h, http_connect.h.

#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "tcp/route.h"

namespace async::Tcp::Proxy {

/// `of_url(url, via)` is the way by the proxy that `url` names, which itself is reached by `via`.
///
///     socks5h://user:password@host:1080    a SOCKS5 proxy, which looks up names
///     socks5://[2001:db8::1]               one, with names looked up here; its port is 1080
///     http://user:password@host:3128       an HTTP proxy; without a port it is 80
///     host:3128                            the same
///
/// What is no letter, digit or such in a username or password is written as %XX.
///
/// - Errors: throws `std::invalid_argument` for anything else, without saying what was in `url`.
std::shared_ptr<const Route> of_url(std::string_view url, std::shared_ptr<const Route> via = {});

/// What a variable of an environment is; nothing if it is not there.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;

/// `process_environment(name)` is that of this process.
std::optional<std::string> process_environment(const std::string& name);

/// `from_environment()` is the way by the proxy that the environment names for each target, which
/// it is asked for now and then never again.
///
///     https_proxy    for port 443
///     http_proxy     for port 80
///     all_proxy      for these if they have none of their own, and for all other ports
///     no_proxy       targets for which there is none: names, with all that end in them after a
///     dot,
///                    addresses and their ranges, each also with a port ("localhost,10.0.0.0/8,
///                    example.com:8080"), or "*" for all; with commas or blanks in between
///
/// A variable that is empty is not there.  In capitals they count as well, but in small letters
/// they come first; and HTTP_PROXY does not, because to a program under CGI it is what a client
/// sent as a header.
///
/// Names are compared as they are, and not looked up: a range is only for targets that are given as
/// addresses.  Unix sockets are connected to directly.
///
/// - Errors: throws `std::invalid_argument`, which names the variable.
std::shared_ptr<const Route> from_environment(const Environment& environment = process_environment);

}  // namespace async::Tcp::Proxy
