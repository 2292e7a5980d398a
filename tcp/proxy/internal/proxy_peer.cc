#include "tcp/proxy/internal/proxy_peer.h"

#include <algorithm>
#include <limits>
#include <stdexcept>

#include "async/coroutine.h"
#include "async/internal/keep.h"

namespace async::Tcp::Proxy::internal {

namespace {

constexpr std::size_t longest_name = 255;

// Neither blanks nor control characters; other bytes may be of a name that is not written in ASCII.
bool is_harmless(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte > 0x20 && byte != 0x7f;
}

Proxy_target of_address(const Address::Inet& address) {
  if (address.addr().scope() != 0) {
    throw std::invalid_argument("no proxy can reach " + to_string(address) +
                                ", which is of a network of this machine");
  }
  return address;
}

Proxy_target of_name(const Host_and_port& name) {
  if (name.port < 0 || name.port > std::numeric_limits<std::uint16_t>::max()) {
    throw std::invalid_argument("not a port: " + std::to_string(name.port));
  }
  if (const auto addr = Inet_addr::parse(name.host)) {
    return of_address(Address::Inet(*addr, name.port));
  }
  const bool is_name = !name.host.empty() && name.host.size() <= longest_name &&
                       std::all_of(name.host.begin(), name.host.end(), is_harmless) &&
                       name.host.find_first_of("/:@[]") == std::string::npos;
  if (!is_name) throw std::invalid_argument("a proxy is asked for what is no name of a host");
  return name;
}

}  // namespace

Deferred<std::unique_ptr<Transport>> Proxy_peer::reach(const Route::Connect* connect,
                                                       const Stop* stop) const {
  auto reached = co_await or_error(async::internal::call(
      [&] { return via_ ? via_->reach(where_, *connect, *stop) : (*connect)(where_); }));
  if (!reached) throw std::runtime_error(name_ + ": " + reached.error().what());
  if (!*reached) throw std::runtime_error(name_ + ": there is no connection");
  co_return std::move(*reached);
}

Proxy_target proxy_target(const Target& target) {
  if (const auto* address = std::get_if<Address::Inet>(&target)) return of_address(*address);
  if (const auto* name = std::get_if<Host_and_port>(&target)) return of_name(*name);
  throw std::invalid_argument("no proxy can reach a unix socket of this machine");
}

}  // namespace async::Tcp::Proxy::internal
