#include "tcp/of_fd.h"

#include <string>
#include <utility>

#include "async/io/io_error.h"

namespace async::Tcp::internal {

using async::internal::Connection;
using async::internal::Connection_handle;
using async::internal::Ref;

Connection_handle adopt(int fd, Network::Domain domain, Connection_limits limits) {
  auto transport = Network::current().adopt_connection(fd, domain);
  if (!transport) {
    throw Io_error(transport.error(), "make a connection of descriptor " + std::to_string(fd));
  }
  const auto remote = (*transport)->remote_address();
  if (!remote) {
    throw Io_error(remote.error(), "get the address of a connection's other end");
  }
  return Connection_handle(
      Ref<Connection>::share(new Connection(std::move(*transport), *remote, limits)));
}

}  // namespace async::Tcp::internal
