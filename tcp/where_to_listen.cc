#include "tcp/where_to_listen.h"

#include <stdexcept>

namespace async::Tcp {

Where_to_listen<Address::Inet, int> on_port(int port) {
  return Where_to_listen<Address::Inet, int>::create_on_all_addresses(
      port, [](const Address::Inet& address) { return address.port(); });
}

Where_to_listen<Address::Inet, int> on_port_chosen_by_os() { return on_port(0); }

Where_to_listen<Address::Unix, std::string> on_file(std::string path) {
  if (path.empty()) throw std::invalid_argument("on_file needs a path");
  return Where_to_listen<Address::Unix, std::string>::create(
      Address::Unix(std::move(path)), [](const Address::Unix& address) { return address.path(); });
}

}  // namespace async::Tcp
