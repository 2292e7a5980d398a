// async/io/socket_option.h: options of sockets, by name.
//
// Layer: async/io.  Read next: socket.h.

#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "async/io/socket.h"
#include "async/time_ns.h"

namespace async {

/// An option whose value is a `T`: a `bool`, an `int`, a `Span`, or an optional `Span`.
template <class T>
struct Socket_option {
  std::string_view name;
  int level;
  int number;
  Span unit = Span();  // of what the system counts in, for spans
};

/// The options by name, as in socket(7), tcp(7) and ipv6(7).  (OCaml's `Socket.Opt`.)
namespace Socket_opt {

extern const Socket_option<bool> debug;
extern const Socket_option<bool> broadcast;
extern const Socket_option<bool> reuseaddr;
extern const Socket_option<bool> reuseport;
extern const Socket_option<bool> keepalive;
extern const Socket_option<bool> dontroute;
extern const Socket_option<bool> oobinline;
extern const Socket_option<bool> acceptconn;  // can only be read
extern const Socket_option<bool> nodelay;
extern const Socket_option<bool> quickack;
extern const Socket_option<bool> v6only;
extern const Socket_option<int> sndbuf;  // the system may round, and reports twice as much
extern const Socket_option<int> rcvbuf;
extern const Socket_option<int> error;  // can only be read, which clears it
extern const Socket_option<int> typ;    // can only be read
extern const Socket_option<int> keepcnt;
extern const Socket_option<Span> keepidle;      // in seconds
extern const Socket_option<Span> keepintvl;     // in seconds
extern const Socket_option<Span> user_timeout;  // in milliseconds
extern const Socket_option<std::optional<Span>> linger;

}  // namespace Socket_opt

/// `setopt(socket, option, value)` and `getopt(socket, option)`.  Errors: throw `Io_error`.
void setopt(Socket_base& socket, const Socket_option<bool>& option, bool value);
void setopt(Socket_base& socket, const Socket_option<int>& option, int value);
void setopt(Socket_base& socket, const Socket_option<Span>& option, Span value);
void setopt(Socket_base& socket, const Socket_option<std::optional<Span>>& option,
            std::optional<Span> value);
bool getopt(const Socket_base& socket, const Socket_option<bool>& option);
int getopt(const Socket_base& socket, const Socket_option<int>& option);
Span getopt(const Socket_base& socket, const Socket_option<Span>& option);
std::optional<Span> getopt(const Socket_base& socket,
                           const Socket_option<std::optional<Span>>& option);

/// `setopt_raw(socket, level, name, value)` and `getopt_raw(socket, level, name)` do that for any
/// option there is, by the numbers of the system: for an `int`, and for one that is of any other
/// type as bytes, at most `max_size` of which are read.  Errors: throw `Io_error`.
void setopt_raw(Socket_base& socket, int level, int name, int value);
void setopt_raw(Socket_base& socket, int level, int name, std::span<const std::byte> value);
int getopt_raw(const Socket_base& socket, int level, int name);
std::vector<std::byte> getopt_raw_bytes(const Socket_base& socket, int level, int name,
                                        std::size_t max_size = 256);

}  // namespace async
