// tcp/socket.h: sockets whose type says what can be done with them.
//
// Layer: tcp.  Read next: async/io/socket_option.h for their options; connect.h and server.h, which
// are what most programs need.

#pragma once

#include <cstddef>
#include <memory>
#include <utility>
#include <variant>
#include <vector>

#include "async/deferred.h"
#include "async/io/network.h"
#include "async/io/socket_option.h"
#include "reader_writer/reader.h"
#include "reader_writer/writer.h"
#include "tcp/internal/place.h"
#include "tcp/keepalive.h"

namespace async {

/// What has been done with a socket so far.
enum class Socket_state : unsigned char {
  Unconnected,  // created
  Bound,        // has a local address
  Passive,      // listens
  Active,       // is connected
};

/// A stream socket for addresses of type `A`, which is `Address::Inet` or `Address::Unix`; or
/// `Address::Any` for those of a server that listens on both.  What
/// its state does not allow does not compile.
///
///     using Unconnected = Socket<Socket_state::Unconnected, Address::Inet>;
///     auto passive = Unconnected::create(Ip_version::V4).bind(address).listen();
///
/// It is a handle: copies share the socket.  A connected one shares its connection with a `Reader`
/// and a `Writer`.  When the last handle of a socket goes away, it is closed.
///
/// - Errors: functions that return no deferred throw `Io_error`.
/// - Threads: it belongs to the thread of its scheduler.
template <Socket_state state, class A>
class Socket;

namespace internal {

/// What sockets of all states can do.
template <class Base>
class Socket_common {
 public:
  /// `setopt(option, value)` sets one of `Socket_opt`; `getopt(option)` reads it back.
  template <class T, class Value>
  void setopt(const Socket_option<T>& option, const Value& value) const {
    async::setopt(*base_, option, value);
  }
  template <class T>
  T getopt(const Socket_option<T>& option) const {
    return async::getopt(*base_, option);
  }

  /// `setopt_raw(level, name, value)` and `getopt_raw(level, name)` are the same for any option, by
  /// the numbers of the system; see async/io/socket_option.h.
  template <class Value>
  void setopt_raw(int level, int name, const Value& value) const {
    async::setopt_raw(*base_, level, name, value);
  }
  int getopt_raw(int level, int name) const { return async::getopt_raw(*base_, level, name); }
  std::vector<std::byte> getopt_raw_bytes(int level, int name) const {
    return async::getopt_raw_bytes(*base_, level, name);
  }

  /// `fd()` is the descriptor, which stays the socket's; -1 once it is closed, or if it is
  /// simulated.
  int fd() const { return base_->fd(); }

 protected:
  explicit Socket_common(std::shared_ptr<Base> base) : base_(std::move(base)) {}

  std::shared_ptr<Base> base_;
};

Address::Any name_of_this_side(const Socket_base& socket);
std::shared_ptr<Unconnected_socket> create_socket(Network::Family family);
void bind_socket(Unconnected_socket& socket, const Address::Any& address);
std::shared_ptr<Listener> listen_on(Unconnected_socket& socket, int backlog);
Deferred<Connection_handle> connect_socket(std::shared_ptr<Unconnected_socket> socket,
                                           Address::Any address);
Deferred<Connection_handle> accept_from(std::shared_ptr<Listener> listener);

}  // namespace internal

template <class A>
class Socket<Socket_state::Active, A> {
 public:
  explicit Socket(internal::Connection_handle connection) : connection_(std::move(connection)) {}

  /// `getsockname()` asks the system for the address of this side; that of the other side has been
  /// known since the connection was made, so `getpeername()` never throws.
  A getsockname() const {
    return Tcp::internal::address_as<A>(internal::name_of_this_side(connection_->transport()));
  }
  A getpeername() const { return Tcp::internal::address_as<A>(connection_->remote()); }

  template <class T, class Value>
  void setopt(const Socket_option<T>& option, const Value& value) const {
    async::setopt(connection_->transport(), option, value);
  }
  template <class T>
  T getopt(const Socket_option<T>& option) const {
    return async::getopt(connection_->transport(), option);
  }
  template <class Value>
  void setopt_raw(int level, int name, const Value& value) const {
    async::setopt_raw(connection_->transport(), level, name, value);
  }
  int getopt_raw(int level, int name) const {
    return async::getopt_raw(connection_->transport(), level, name);
  }
  std::vector<std::byte> getopt_raw_bytes(int level, int name) const {
    return async::getopt_raw_bytes(connection_->transport(), level, name);
  }
  int fd() const { return connection_->transport().fd(); }

  /// `set_keepalive(keepalive)` finds out from now on that the other side is gone; see `Keepalive`.
  void set_keepalive(const Tcp::Keepalive& keepalive) const {
    Tcp::set_keepalive(connection_->transport(), keepalive);
  }

  /// `reader()` and `writer()` are those of the connection.
  Reader reader() const { return Reader(connection_); }
  Writer writer() const { return Writer(connection_); }

  /// `closed()` is determined when the descriptor is closed, whoever closed it.
  Deferred<Close_result> closed() const { return connection_->close_finished(); }

  /// `abort()` closes at once: what waits to be written is dropped, and the other side sees a
  /// reset.
  Deferred<Close_result> abort() const { return connection_->abort(); }

 private:
  internal::Connection_handle connection_;
};

template <class A>
class Socket<Socket_state::Passive, A> : public internal::Socket_common<Listener> {
 public:
  explicit Socket(std::shared_ptr<Listener> listener) : Socket_common(std::move(listener)) {}

  A getsockname() const {
    return Tcp::internal::address_as<A>(internal::name_of_this_side(*base_));
  }

  /// `accept()` is determined with the next connection.  One call at a time, and none while a
  /// server accepts from this socket: else it fails with `std::logic_error`.  It cannot be given
  /// up: one that nobody waits for any more still takes the next connection, and closes it.
  /// Errors: fails with `Io_error`, when the socket is closed as well.
  Deferred<Socket<Socket_state::Active, A>> accept() const {
    return internal::accept_from(base_).map([](internal::Connection_handle connection) {
      return Socket<Socket_state::Active, A>(std::move(connection));
    });
  }

  /// `close()` stops listening.
  void close() const { base_->close(); }
};

template <class A>
class Socket<Socket_state::Bound, A> : public internal::Socket_common<Unconnected_socket> {
 public:
  explicit Socket(std::shared_ptr<Unconnected_socket> base) : Socket_common(std::move(base)) {}

  A getsockname() const {
    return Tcp::internal::address_as<A>(internal::name_of_this_side(*base_));
  }

  /// `listen(backlog)` begins to listen; this handle is of no use any more.
  Socket<Socket_state::Passive, A> listen(int backlog = default_backlog) const {
    return Socket<Socket_state::Passive, A>(internal::listen_on(*base_, backlog));
  }
  /// `connect(address)` connects; this handle is of no use any more.
  Deferred<Socket<Socket_state::Active, A>> connect(const A& address) const {
    return internal::connect_socket(base_, address).map([](internal::Connection_handle connection) {
      return Socket<Socket_state::Active, A>(std::move(connection));
    });
  }
};

template <class A>
class Socket<Socket_state::Unconnected, A> : public internal::Socket_common<Unconnected_socket> {
 public:
  /// `create(version)`, or `create()` for unix sockets, is a new socket.
  static Socket create(Ip_version version)
    requires std::same_as<A, Address::Inet>
  {
    return Socket(internal::create_socket(version == Ip_version::V4 ? Network::Family::V4
                                                                    : Network::Family::V6));
  }
  static Socket create()
    requires std::same_as<A, Address::Unix>
  {
    return Socket(internal::create_socket(Network::Family::Unix));
  }

  /// `bind(address)` gives it an address of its own.
  Socket<Socket_state::Bound, A> bind(const A& address) const {
    internal::bind_socket(*base_, address);
    return Socket<Socket_state::Bound, A>(base_);
  }
  /// `connect(address)` connects; this handle is of no use any more.
  Deferred<Socket<Socket_state::Active, A>> connect(const A& address) const {
    return Socket<Socket_state::Bound, A>(base_).connect(address);
  }

 private:
  explicit Socket(std::shared_ptr<Unconnected_socket> base) : Socket_common(std::move(base)) {}
};

}  // namespace async
