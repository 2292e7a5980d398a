#include "tcp/internal/listen.h"

#include <expected>
#include <system_error>
#include <utility>

#include "async/io/socket_option.h"
#include "tcp/listen_error.h"

namespace async::Tcp::internal {

namespace {

// Accepted sockets inherit these, so that they cost nothing for each.
void set_options_of_clients(Socket_base& socket) {
  setopt(socket, Socket_opt::nodelay, true);
  setopt(socket, Socket_opt::keepalive, true);
  setopt(socket, Socket_opt::keepidle, std::chrono::seconds(60));
  setopt(socket, Socket_opt::keepintvl, std::chrono::seconds(10));
  setopt(socket, Socket_opt::keepcnt, 6);
  setopt(socket, Socket_opt::user_timeout, std::chrono::seconds(120));
}

void set_options(Unconnected_socket& socket, const Address::Inet& address, bool on_all_addresses) {
  setopt(socket, Socket_opt::reuseaddr, true);
  if (address.addr().version() == Ip_version::V6) {
    setopt(socket, Socket_opt::v6only, !on_all_addresses);
  }
}

Network::Family family_of(const Address::Any& address) {
  const auto* inet = std::get_if<Address::Inet>(&address);
  if (!inet) return Network::Family::Unix;
  return inet->addr().version() == Ip_version::V4 ? Network::Family::V4 : Network::Family::V6;
}

std::expected<std::shared_ptr<Listener>, std::error_code> try_to_listen(const Address::Any& address,
                                                                        bool on_all_addresses,
                                                                        int backlog) {
  auto socket = Network::current().create_socket(family_of(address));
  if (!socket) return std::unexpected(socket.error());
  if (const auto* inet = std::get_if<Address::Inet>(&address)) {
    set_options(**socket, *inet, on_all_addresses);
    set_options_of_clients(**socket);
  }
  if (const auto error = (*socket)->bind(address)) return std::unexpected(error);
  auto listener = (*socket)->listen(backlog);
  if (!listener) return std::unexpected(listener.error());
  return std::move(*listener);
}

}  // namespace

std::shared_ptr<Listener> listen(const Place& place, int backlog) {
  const auto* inet = std::get_if<Address::Inet>(&place.address);
  if (place.listener) {
    if (inet && !place.listener->is_closed()) set_options_of_clients(*place.listener);
    return place.listener;
  }
  auto listener = try_to_listen(place.address, place.on_all_addresses, backlog);
  if (!listener && place.on_all_addresses && inet) {
    // A machine without IPv6.
    const bool has_no_v6 = listener.error() == std::errc::address_family_not_supported ||
                           listener.error() == std::errc::address_not_available;
    if (has_no_v6) {
      listener = try_to_listen(Address::Inet(Inet_addr::bind_any(), inet->port()), true, backlog);
    }
  }
  if (!listener) throw Listen_error(listener.error(), place.address);
  return std::move(*listener);
}

}  // namespace async::Tcp::internal
