#include "tcp/socket_activation.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <stdexcept>
#include <utility>

#include "async/io/io_error.h"

namespace async::Tcp {

namespace {

std::optional<std::string> taken_out_of_environment(const char* variable) {
  const char* value = std::getenv(variable);
  if (!value) return std::nullopt;
  std::string copy(value);
  ::unsetenv(variable);
  return copy;
}

int number_of(const std::string& variable, const std::string& text) {
  int number = 0;
  const char* end = text.data() + text.size();
  const auto [stopped_at, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || stopped_at != end || number < 0) {
    throw std::invalid_argument(variable + " is '" + text + "'");
  }
  return number;
}

std::vector<std::string> names_of(const Inherited_sockets::Variables& variables,
                                  std::size_t count) {
  if (!variables.listen_fdnames || count == 0) return std::vector<std::string>(count, "unknown");
  std::vector<std::string> names(1);
  for (const char c : *variables.listen_fdnames) {
    if (c == ':') {
      names.emplace_back();
    } else {
      names.back().push_back(c);
    }
  }
  if (names.size() != count) {
    throw std::invalid_argument("LISTEN_FDNAMES has " + std::to_string(names.size()) +
                                " names for " + std::to_string(count) + " sockets");
  }
  return names;
}

std::string called(int fd) { return "take over descriptor " + std::to_string(fd) + " to listen"; }

template <class A>
A address_of(const Listener& listener) {
  const auto address = listener.local_address();
  if (!address) throw Io_error(address.error(), called(listener.fd()));
  const A* of_kind = std::get_if<A>(&*address);
  if (!of_kind) throw Io_error(io_error_of_errno(EAFNOSUPPORT), called(listener.fd()));
  return *of_kind;
}

}  // namespace

Inherited_sockets Inherited_sockets::take() {
  return of_variables({.listen_pid = taken_out_of_environment("LISTEN_PID"),
                       .listen_fds = taken_out_of_environment("LISTEN_FDS"),
                       .listen_fdnames = taken_out_of_environment("LISTEN_FDNAMES")});
}

Inherited_sockets Inherited_sockets::of_variables(const Variables& variables) {
  Inherited_sockets found(variables.first_descriptor);
  if (!variables.listen_pid || !variables.listen_fds ||
      number_of("LISTEN_PID", *variables.listen_pid) != ::getpid()) {
    return found;
  }
  const int count = number_of("LISTEN_FDS", *variables.listen_fds);
  for (int n = 0; n < count; ++n) {
    const int fd = variables.first_descriptor + n;
    if (::fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) {
      throw Io_error(io_error_of_errno(errno), called(fd));
    }
  }
  for (std::string& name : names_of(variables, static_cast<std::size_t>(count))) {
    found.sockets_.push_back({.name = std::move(name)});
  }
  return found;
}

std::size_t Inherited_sockets::find(std::string_view name) const {
  const auto has_name = [&](const Socket& socket) { return socket.name == name; };
  const auto found = std::ranges::find_if(sockets_, has_name);
  const auto count = std::ranges::count_if(sockets_, has_name);
  if (count != 1) {
    throw std::invalid_argument(std::to_string(count) + " inherited sockets are called '" +
                                std::string(name) + "'");
  }
  return static_cast<std::size_t>(found - sockets_.begin());
}

std::shared_ptr<Listener> Inherited_sockets::adopt(std::size_t n) {
  if (n >= size() || sockets_[n].is_taken) {
    throw std::invalid_argument("inherited socket " + std::to_string(n) +
                                (n < size() ? " was taken already" : " is not there"));
  }
  const int fd = first_descriptor_ + static_cast<int>(n);
  auto listener = Network::current().adopt_listener(fd);
  if (!listener) throw Io_error(listener.error(), called(fd));
  sockets_[n].is_taken = true;
  return std::move(*listener);
}

namespace internal {

Where_to_listen<Address::Inet, int> on_listener(std::shared_ptr<Listener> listener,
                                                std::type_identity<Address::Inet>) {
  const auto address = address_of<Address::Inet>(*listener);
  return Where_to_listen<Address::Inet, int>::create_on_listener(
      address, std::move(listener), [](const Address::Inet& actual) { return actual.port(); });
}

Where_to_listen<Address::Unix, std::string> on_listener(std::shared_ptr<Listener> listener,
                                                        std::type_identity<Address::Unix>) {
  const auto address = address_of<Address::Unix>(*listener);
  return Where_to_listen<Address::Unix, std::string>::create_on_listener(
      address, std::move(listener), [](const Address::Unix& actual) { return actual.path(); });
}

Where_to_listen<Address::Any, Address::Any> on_listener(std::shared_ptr<Listener> listener,
                                                        std::type_identity<Address::Any>) {
  const auto address = listener->local_address();
  if (!address) throw Io_error(address.error(), called(listener->fd()));
  return Where_to_listen<Address::Any, Address::Any>::create_on_listener(
      *address, std::move(listener), [](const Address::Any& actual) { return actual; });
}

}  // namespace internal
}  // namespace async::Tcp
