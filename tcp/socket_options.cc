#include "tcp/socket_options.h"

#include <span>

#include "async/io/socket_option.h"

namespace async::Tcp {

namespace {

template <class T>
void set(Socket_base& socket, const Socket_option<T>& option, const std::optional<T>& value) {
  if (value) setopt(socket, option, *value);
}

}  // namespace

void set_options(Socket_base& socket, Network::Family family, const Socket_options& options) {
  if (family != Network::Family::Unix) {
    setopt(socket, Socket_opt::nodelay, options.nodelay);
    if (options.keepalive) set_keepalive(socket, *options.keepalive);
    set(socket, Socket_opt::user_timeout, options.user_timeout);
    set(socket, Socket_opt::quickack, options.quickack);
    set(socket, Socket_opt::reuseaddr, options.reuseaddr);
    set(socket, Socket_opt::reuseport, options.reuseport);
  }
  if (family == Network::Family::V6) set(socket, Socket_opt::v6only, options.v6only);
  set(socket, Socket_opt::sndbuf, options.send_buffer);
  set(socket, Socket_opt::rcvbuf, options.receive_buffer);
  if (options.linger) setopt(socket, Socket_opt::linger, options.linger);
  for (const Raw_option& other : options.others) {
    std::visit([&](const auto& value) { setopt_raw(socket, other.level, other.name, value); },
               other.value);
  }
}

void set_options_again(Socket_base& socket, Network::Family family,
                       const Socket_options& options) noexcept {
  if (family == Network::Family::Unix || !options.quickack) return;
  // Whoever has reset the connection by now is for its first read to find out.
  const int value = *options.quickack ? 1 : 0;
  static_cast<void>(socket.set_option(Socket_opt::quickack.level, Socket_opt::quickack.number,
                                      std::as_bytes(std::span(&value, 1))));
}

}  // namespace async::Tcp
