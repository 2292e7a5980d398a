#include "async/uv/uv_network.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <string_view>
#include <utility>

#include "async/in_thread.h"
#include "async/internal/engine.h"
#include "async/io/io_error.h"
#include "async/uv/fd.h"
#include "async/uv/sockaddr.h"
#include "async/uv/uv_listener.h"
#include "async/uv/uv_transport.h"
#include "async/uv/uv_unconnected_socket.h"

namespace async::internal {

namespace {

constexpr int max_num_resolvers = 64;

std::error_code name_error(int error) {
  switch (error) {
    case EAI_AGAIN:
      return Name_error::Again;
    case EAI_FAIL:
      return Name_error::Failed;
    case EAI_MEMORY:
      return Name_error::Memory;
    case EAI_NODATA:
      return Name_error::No_data;
    case EAI_NONAME:
      return Name_error::No_name;
    case EAI_SYSTEM:
      return last_error();
    default:
      return Name_error::Other;
  }
}

// Names that are never looked up (RFC 6761): a system without a file of hosts would ask a server.
bool is_this_machine(std::string_view host) {
  return host.ends_with("localhost") && (host.size() == 9 || host[host.size() - 10] == '.');
}

std::vector<Inet_addr> look_up(const std::string& host) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int error = getaddrinfo(host.c_str(), nullptr, &hints, &found); error != 0) {
    throw Io_error(name_error(error), "resolve " + host);
  }
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(found, freeaddrinfo);
  std::vector<Inet_addr> addrs;
  for (const addrinfo* one = found; one; one = one->ai_next) {
    Sockaddr sockaddr;
    std::memcpy(&sockaddr.storage, one->ai_addr, one->ai_addrlen);
    sockaddr.size = one->ai_addrlen;
    const Address::Any address = of_sockaddr(sockaddr);
    if (const auto* inet = std::get_if<Address::Inet>(&address)) {
      if (std::find(addrs.begin(), addrs.end(), inet->addr()) == addrs.end()) {
        addrs.push_back(inet->addr());
      }
    }
  }
  return addrs;
}

int domain_of(Network::Family family) {
  switch (family) {
    case Network::Family::V4:
      return AF_INET;
    case Network::Family::V6:
      return AF_INET6;
    case Network::Family::Unix:
      return AF_UNIX;
  }
  return AF_UNSPEC;
}

std::expected<int, std::error_code> option_of(int fd, int option) {
  int value = 0;
  socklen_t size = sizeof value;
  if (getsockopt(fd, SOL_SOCKET, option, &value, &size) != 0) return std::unexpected(last_error());
  return value;
}

// The family of a stream socket that was made elsewhere.
std::expected<int, std::error_code> family_of_stream(int fd) {
  const auto type = option_of(fd, SO_TYPE);
  if (!type) return type;
  if (*type != SOCK_STREAM) return std::unexpected(io_error_of_errno(EPROTOTYPE));
  return option_of(fd, SO_DOMAIN);
}

bool is_of(Network::Domain domain, int family) {
  return domain == Network::Domain::Unix ? family == AF_UNIX
                                         : family == AF_INET || family == AF_INET6;
}

std::error_code why_it_is_no_connection(int fd, Network::Domain domain) {
  const auto family = family_of_stream(fd);
  if (!family) return family.error();
  if (!is_of(domain, *family)) return io_error_of_errno(EAFNOSUPPORT);
  Sockaddr peer;
  return getpeername(fd, peer.get(), &peer.size) == 0 ? std::error_code() : last_error();
}

std::error_code why_it_is_no_listener(int fd) {
  const auto family = family_of_stream(fd);
  if (!family) return family.error();
  if (!is_of(Network::Domain::Inet, *family) && !is_of(Network::Domain::Unix, *family)) {
    return io_error_of_errno(EAFNOSUPPORT);
  }
  return option_of(fd, SO_ACCEPTCONN) == 1 ? std::error_code() : io_error_of_errno(EINVAL);
}

}  // namespace

Uv_network::Uv_network(Poll_handles& poll_handles)
    : poll_handles_(poll_handles), resolvers_(max_num_resolvers) {}

Deferred<std::vector<Inet_addr>> Uv_network::resolve(std::string host) {
  if (is_this_machine(host)) {
    co_return std::vector{Inet_addr::localhost_v6(), Inet_addr::localhost()};
  }
  if (host.find('\0') != std::string::npos) {  // the system would not see what follows it
    throw Io_error(Name_error::No_name, "resolve a name with a zero byte");
  }
  const auto on_a_resolver = [this](auto work, auto done) {
    resolvers_.run(engine().come_back(std::move(work), std::move(done)));
  };
  co_return co_await call_in_thread(on_a_resolver,
                                    [host = std::move(host)] { return look_up(host); });
}

std::expected<std::unique_ptr<Unconnected_socket>, std::error_code> Uv_network::create_socket(
    Family family) {
  const int fd = socket(domain_of(family), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return std::unexpected(last_error());
  return std::make_unique<Uv_unconnected_socket>(Fd(fd, *this));
}

std::expected<std::unique_ptr<Listener>, std::error_code> Uv_network::adopt_listener(int fd) {
  if (const auto error = why_it_is_no_listener(fd)) return std::unexpected(error);
  return Uv_listener::adopt(fd, *this);
}

std::expected<std::unique_ptr<Transport>, std::error_code> Uv_network::adopt_connection(
    int fd, Domain domain) {
  if (const auto error = why_it_is_no_connection(fd, domain)) return std::unexpected(error);
  const int flags = fcntl(fd, F_GETFL);
  const int descriptor_flags = fcntl(fd, F_GETFD);
  if (fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0 ||
      fcntl(fd, F_SETFD, descriptor_flags | FD_CLOEXEC) != 0) {
    return std::unexpected(last_error());
  }
  Fd ours(fd, *this);
  auto transport = Uv_transport::create(ours);
  if (!transport) {
    ours.release();
    fcntl(fd, F_SETFL, flags);
    fcntl(fd, F_SETFD, descriptor_flags);
  }
  return transport;
}

std::optional<Inet_addr> Uv_network::source_address(const Inet_addr& to) {
  // Connecting a datagram socket sends nothing, but chooses a way.
  const int domain = to.version() == Ip_version::V4 ? AF_INET : AF_INET6;
  const Fd fd(socket(domain, SOCK_DGRAM | SOCK_CLOEXEC, 0), *this);
  const auto sockaddr = to_sockaddr(Address::Inet(to, 9));
  if (!fd.is_open() || connect(fd.get(), sockaddr->get(), sockaddr->size) != 0) {
    return std::nullopt;
  }
  const auto local = fd.local_address();
  const auto* inet = local ? std::get_if<Address::Inet>(&*local) : nullptr;
  return inet ? std::optional(inet->addr()) : std::nullopt;
}

Deferred<> Uv_network::descriptor_freed() {
  if (!descriptor_freed_) descriptor_freed_.emplace();
  return descriptor_freed_->read();
}

void Uv_network::descriptor_was_freed() noexcept {
  if (descriptor_freed_) std::exchange(descriptor_freed_, std::nullopt)->fill();
}

int Uv_network::max_descriptors() const {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur > INT_MAX) return INT_MAX;
  return static_cast<int>(limit.rlim_cur);
}

}  // namespace async::internal
