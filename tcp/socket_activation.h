// tcp/socket_activation.h: sockets that listened before the program was started.
//
// Layer: tcp.  Read next: where_to_listen.h, server.h.

#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "async/io/address.h"
#include "tcp/where_to_listen.h"

namespace async::Tcp {

/// The sockets that another program has opened, and handed to this process as descriptors from 3
/// on, in the way of systemd's socket activation: so a program can be started by its first client,
/// restarted without refusing any, and listen on a low port without being allowed to open it.
///
///     Tcp::Inherited_sockets sockets = Tcp::Inherited_sockets::take();
///     auto server = co_await Tcp::Server::create(
///         sockets.size() > 0 ? Tcp::on_inherited_socket<Address::Inet>(sockets, 0)
///                            : Tcp::on_port(80), handler);
///
/// - Lifetime: who makes a `Where_to_listen` of one hands it over, and can do so once.  Those that
///   nobody takes stay open.
/// - Threads: the environment belongs to the process; `take` before there are others.
class Inherited_sockets {
 public:
  /// The variables in which they are described; see sd_listen_fds(3).
  struct Variables {
    std::optional<std::string> listen_pid = std::nullopt;      // whom they are for
    std::optional<std::string> listen_fds = std::nullopt;      // how many there are
    std::optional<std::string> listen_fdnames = std::nullopt;  // with colons between them
    int first_descriptor = 3;  // which is behind stdin, stdout and stderr; others are for tests
  };

  /// `take()` finds those of the environment, of which there are none if LISTEN_PID is another
  /// process, or is not there.  It has them closed on exec(2), and takes the variables out of the
  /// environment, so that no child thinks that they are its own; a second call finds none.
  ///
  /// - Errors: throws `std::invalid_argument` if the variables make no sense, or `Io_error` if
  ///   there is no such descriptor.
  static Inherited_sockets take();

  /// `of_variables(variables)` are those that `variables` describe to this process.  It has them
  /// closed on exec(2), too, and fails in the same way.
  static Inherited_sockets of_variables(const Variables& variables);

  Inherited_sockets(const Inherited_sockets&) = delete;
  Inherited_sockets& operator=(const Inherited_sockets&) = delete;
  Inherited_sockets(Inherited_sockets&&) = default;
  Inherited_sockets& operator=(Inherited_sockets&&) = default;
  ~Inherited_sockets() = default;

  std::size_t size() const noexcept { return sockets_.size(); }

  /// `name(n)` is "unknown" where nobody has given one.  Several may have the same.
  const std::string& name(std::size_t n) const { return sockets_.at(n).name; }

  /// `find(name)` is the only one of that name.  Errors: throws `std::invalid_argument` if there is
  /// none, or there are several.
  std::size_t find(std::string_view name) const;

  /// `adopt(n)` is the `n`-th as a listener, which owns it.  Errors: throws `Io_error` if it is not
  /// a stream socket that listens, and `std::invalid_argument` if there is none or it was taken.
  std::shared_ptr<Listener> adopt(std::size_t n);

 private:
  struct Socket {
    std::string name;
    bool is_taken = false;
  };

  explicit Inherited_sockets(int first_descriptor) : first_descriptor_(first_descriptor) {}

  int first_descriptor_;
  std::vector<Socket> sockets_;
};

namespace internal {

Where_to_listen<Address::Inet, int> on_listener(std::shared_ptr<Listener> listener,
                                                std::type_identity<Address::Inet> kind);
Where_to_listen<Address::Unix, std::string> on_listener(std::shared_ptr<Listener> listener,
                                                        std::type_identity<Address::Unix> kind);
Where_to_listen<Address::Any, Address::Any> on_listener(std::shared_ptr<Listener> listener,
                                                        std::type_identity<Address::Any> kind);

}  // namespace internal

/// `on_inherited_socket<A>(sockets, n)` listens on the `n`-th of `sockets`, from 0 on, or on the
/// only one that is called `n`.  The server's `listening_on()` is the port for `Address::Inet`, the
/// path for `Address::Unix`, and the address for `Address::Any`.  `max_pending_connections` is of
/// no use there, and the file of a unix socket stays when the server closes: whoever made it will
/// need it again.
///
/// - Errors: as for `Inherited_sockets::adopt` and `find`.  A socket of another family is closed:
///   throws `Io_error`, `std::errc::address_family_not_supported`.
template <class A>
auto on_inherited_socket(Inherited_sockets& sockets, std::size_t n) {
  return internal::on_listener(sockets.adopt(n), std::type_identity<A>());
}
template <class A>
auto on_inherited_socket(Inherited_sockets& sockets, std::string_view name) {
  return on_inherited_socket<A>(sockets, sockets.find(name));
}

}  // namespace async::Tcp
