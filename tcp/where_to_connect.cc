#include "tcp/where_to_connect.h"

#include <limits>
#include <stdexcept>

namespace async::Tcp {

namespace {

void check_port(int port) {
  if (port < 0 || port > std::numeric_limits<std::uint16_t>::max()) {
    throw std::invalid_argument("not a port: " + std::to_string(port));
  }
}

}  // namespace

std::string to_string(const Host_and_port& host_and_port) {
  return host_and_port.host + ":" + std::to_string(host_and_port.port);
}

Where_to_connect<Address::Inet> to_host_and_port(std::string host, int port, Via_options via) {
  if (host.empty()) throw std::invalid_argument("to_host_and_port needs a host");
  check_port(port);
  check_port(via.bind_to_port);
  if (const auto addr = Inet_addr::parse(host)) {
    return to_inet_address(Address::Inet(*addr, port), via);
  }
  return Where_to_connect<Address::Inet>(Host_and_port{std::move(host), port}, via);
}

Where_to_connect<Address::Inet> to_inet_address(Address::Inet address, Via_options via) {
  check_port(via.bind_to_port);
  return Where_to_connect<Address::Inet>(address, via);
}

Where_to_connect<Address::Unix> to_file(std::string path) {
  if (path.empty()) throw std::invalid_argument("to_file needs a path");
  return to_unix_address(Address::Unix(std::move(path)));
}

Where_to_connect<Address::Unix> to_unix_address(Address::Unix address) {
  return Where_to_connect<Address::Unix>(std::move(address));
}

}  // namespace async::Tcp
