#include "tcp/internal/listen.h"

#include <expected>
#include <system_error>
#include <utility>

#include "tcp/listen_error.h"

namespace async::Tcp::internal {

namespace {

// What was asked for, and what all servers set.  Accepted sockets inherit it, so that it costs
// nothing for each.
Socket_options completed(Socket_options options, bool on_all_addresses) {
  if (!options.keepalive) options.keepalive = Keepalive();
  if (!options.user_timeout) options.user_timeout = std::chrono::seconds(120);
  if (!options.reuseaddr) options.reuseaddr = true;
  if (!options.v6only) options.v6only = !on_all_addresses;
  return options;
}

std::expected<std::shared_ptr<Listener>, std::error_code> try_to_listen(
    const Address::Any& address, const Socket_options& options, int backlog) {
  auto socket = Network::current().create_socket(Network::family_of(address));
  if (!socket) return std::unexpected(socket.error());
  set_options(**socket, Network::family_of(address), options);
  if (const auto error = (*socket)->bind(address)) return std::unexpected(error);
  auto listener = (*socket)->listen(backlog);
  if (!listener) return std::unexpected(listener.error());
  return std::move(*listener);
}

}  // namespace

std::shared_ptr<Listener> listen(const Place& place, int backlog, const Socket_options& asked_for) {
  const auto* inet = std::get_if<Address::Inet>(&place.address);
  Socket_options options = completed(asked_for, place.on_all_addresses);
  if (place.listener) {
    // It has its address already.
    options.reuseaddr = options.v6only = std::nullopt;
    if (!place.listener->is_closed())
      set_options(*place.listener, Network::family_of(place.address), options);
    return place.listener;
  }
  auto listener = try_to_listen(place.address, options, backlog);
  if (!listener && place.on_all_addresses && inet) {
    // A machine without IPv6.
    const bool has_no_v6 = listener.error() == std::errc::address_family_not_supported ||
                           listener.error() == std::errc::address_not_available;
    if (has_no_v6) {
      listener =
          try_to_listen(Address::Inet(Inet_addr::bind_any(), inet->port()), options, backlog);
    }
  }
  if (!listener) throw Listen_error(listener.error(), place.address);
  return std::move(*listener);
}

}  // namespace async::Tcp::internal
