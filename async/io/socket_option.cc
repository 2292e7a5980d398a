#include "async/io/socket_option.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <chrono>
#include <climits>
#include <string>

#include "async/io/io_error.h"

namespace async {

namespace Socket_opt {

namespace {
using std::chrono::milliseconds;
using std::chrono::seconds;
}  // namespace

const Socket_option<bool> debug{"debug", SOL_SOCKET, SO_DEBUG};
const Socket_option<bool> broadcast{"broadcast", SOL_SOCKET, SO_BROADCAST};
const Socket_option<bool> reuseaddr{"reuseaddr", SOL_SOCKET, SO_REUSEADDR};
const Socket_option<bool> reuseport{"reuseport", SOL_SOCKET, SO_REUSEPORT};
const Socket_option<bool> keepalive{"keepalive", SOL_SOCKET, SO_KEEPALIVE};
const Socket_option<bool> dontroute{"dontroute", SOL_SOCKET, SO_DONTROUTE};
const Socket_option<bool> oobinline{"oobinline", SOL_SOCKET, SO_OOBINLINE};
const Socket_option<bool> acceptconn{"acceptconn", SOL_SOCKET, SO_ACCEPTCONN};
const Socket_option<bool> nodelay{"nodelay", IPPROTO_TCP, TCP_NODELAY};
const Socket_option<bool> quickack{"quickack", IPPROTO_TCP, TCP_QUICKACK};
const Socket_option<bool> v6only{"v6only", IPPROTO_IPV6, IPV6_V6ONLY};
const Socket_option<int> sndbuf{"sndbuf", SOL_SOCKET, SO_SNDBUF};
const Socket_option<int> rcvbuf{"rcvbuf", SOL_SOCKET, SO_RCVBUF};
const Socket_option<int> error{"error", SOL_SOCKET, SO_ERROR};
const Socket_option<int> typ{"typ", SOL_SOCKET, SO_TYPE};
const Socket_option<int> keepcnt{"keepcnt", IPPROTO_TCP, TCP_KEEPCNT};
const Socket_option<Span> keepidle{"keepidle", IPPROTO_TCP, TCP_KEEPIDLE, seconds(1)};
const Socket_option<Span> keepintvl{"keepintvl", IPPROTO_TCP, TCP_KEEPINTVL, seconds(1)};
const Socket_option<Span> user_timeout{"user_timeout", IPPROTO_TCP, TCP_USER_TIMEOUT,
                                       milliseconds(1)};
const Socket_option<std::optional<Span>> linger{"linger", SOL_SOCKET, SO_LINGER, seconds(1)};

}  // namespace Socket_opt

namespace {

void set(Socket_base& socket, int level, int number, std::string_view name,
         std::span<const std::byte> value) {
  if (const auto error = socket.set_option(level, number, value)) {
    throw Io_error(error, "set socket option " + std::string(name));
  }
}

template <class T, class Value>
void set(Socket_base& socket, const Socket_option<T>& option, const Value& value) {
  set(socket, option.level, option.number, option.name, std::as_bytes(std::span(&value, 1)));
}

std::size_t get(const Socket_base& socket, int level, int number, std::string_view name,
                std::span<std::byte> into) {
  const auto size = socket.get_option(level, number, into);
  if (!size) throw Io_error(size.error(), "get socket option " + std::string(name));
  return *size;
}

template <class Value, class T>
Value get(const Socket_base& socket, const Socket_option<T>& option) {
  Value value{};
  get(socket, option.level, option.number, option.name,
      std::as_writable_bytes(std::span(&value, 1)));
  return value;
}

// What to call an option that has no name here.
std::string name_of(int level, int number) {
  return std::to_string(number) + " of level " + std::to_string(level);
}

// In units, rounded up; what is too long becomes the longest.
int units(Span value, Span unit) {
  const bool has_rest = (value.ns() % unit.ns()).count() > 0;
  const std::int64_t count = value.ns() / unit.ns() + (has_rest ? 1 : 0);
  return static_cast<int>(std::clamp<std::int64_t>(count, 0, INT_MAX));
}

}  // namespace

void setopt(Socket_base& socket, const Socket_option<bool>& option, bool value) {
  set(socket, option, static_cast<int>(value));
}
void setopt(Socket_base& socket, const Socket_option<int>& option, int value) {
  set(socket, option, value);
}
void setopt(Socket_base& socket, const Socket_option<Span>& option, Span value) {
  set(socket, option, units(value, option.unit));
}
void setopt(Socket_base& socket, const Socket_option<std::optional<Span>>& option,
            std::optional<Span> value) {
  set(socket, option,
      ::linger{.l_onoff = value ? 1 : 0, .l_linger = value ? units(*value, option.unit) : 0});
}

bool getopt(const Socket_base& socket, const Socket_option<bool>& option) {
  return get<int>(socket, option) != 0;
}
int getopt(const Socket_base& socket, const Socket_option<int>& option) {
  return get<int>(socket, option);
}
Span getopt(const Socket_base& socket, const Socket_option<Span>& option) {
  return get<int>(socket, option) * option.unit.ns();
}
std::optional<Span> getopt(const Socket_base& socket,
                           const Socket_option<std::optional<Span>>& option) {
  const auto value = get<::linger>(socket, option);
  return value.l_onoff ? std::optional<Span>(value.l_linger * option.unit.ns()) : std::nullopt;
}

void setopt_raw(Socket_base& socket, int level, int name, int value) {
  setopt_raw(socket, level, name, std::as_bytes(std::span(&value, 1)));
}
void setopt_raw(Socket_base& socket, int level, int name, std::span<const std::byte> value) {
  set(socket, level, name, name_of(level, name), value);
}
int getopt_raw(const Socket_base& socket, int level, int name) {
  int value = 0;
  get(socket, level, name, name_of(level, name), std::as_writable_bytes(std::span(&value, 1)));
  return value;
}
std::vector<std::byte> getopt_raw_bytes(const Socket_base& socket, int level, int name,
                                        std::size_t max_size) {
  std::vector<std::byte> bytes(max_size);
  bytes.resize(get(socket, level, name, name_of(level, name), bytes));
  return bytes;
}

}  // namespace async
