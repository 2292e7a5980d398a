// tcp/authority.h: the right to connect and to listen, as a value.
//
// Layer: tcp.  Read next: access.h; with_connection.h and server.h, which do the work.

#pragma once

#include <type_traits>
#include <utility>

#include "tcp/access.h"
#include "tcp/connect.h"
#include "tcp/server.h"
#include "tcp/with_connection.h"

namespace async::Tcp {

/// The right to connect to what its `Access` permits.  It is a value: a part of a program that is
/// given one, and connects through it alone, can do no more than that.
///
/// This is a convention for programs that want it, not a wall: `Tcp::connect` is there for
/// everybody who includes it.  (lori's and net's tokens, which are no more than types, with
/// limits.)
class Connect_authority {
 public:
  /// `narrowed_by(access)` permits what both do.  There is no way back.
  Connect_authority narrowed_by(const Access& access) const {
    return Connect_authority(access_.narrowed_by(access));
  }

  /// These are `Tcp::connect` and so on, with `options.access` narrowed by this one.
  template <class A>
  Deferred<Connected<A>> connect(Where_to_connect<A> where, Connect_options options = {}) const {
    return Tcp::connect(std::move(where), narrowed(std::move(options)));
  }
  template <class A>
  Deferred<Socket<Socket_state::Active, A>> connect_sock(Where_to_connect<A> where,
                                                         Connect_options options = {}) const {
    return Tcp::connect_sock(std::move(where), narrowed(std::move(options)));
  }
  template <class A, class F>
  auto with_connection(Where_to_connect<A> where, Connect_options options, F f) const {
    return Tcp::with_connection(std::move(where), narrowed(std::move(options)), std::move(f));
  }
  template <class A, class F>
  auto with_connection(Where_to_connect<A> where, F f) const {
    return with_connection(std::move(where), Connect_options(), std::move(f));
  }

 private:
  friend class Authority;
  explicit Connect_authority(Access access) : access_(std::move(access)) {}

  Connect_options narrowed(Connect_options options) const {
    options.access = options.access.narrowed_by(access_);
    return options;
  }

  Access access_;
};

/// The right to listen on the addresses of this machine that its `Access` permits.  Once it is
/// narrowed, it is none to listen on all of them at once, as `on_port` does.  Who may connect to a
/// server is the server's own business.
class Listen_authority {
 public:
  /// `narrowed_by(access)` permits what both do.  There is no way back.
  Listen_authority narrowed_by(const Access& access) const {
    return Listen_authority(access_.narrowed_by(access));
  }

  /// These are `Tcp::Server::create` and so on.  Errors: where this does not permit to listen, they
  /// fail with a `Listen_error` whose kind is `Access_denied`.
  template <class A, class L, class F>
  Deferred<Server::T<A, L>> create_server(Where_to_listen<A, L> where,
                                          std::type_identity_t<Server::Options<A>> options,
                                          F handler) const {
    if (!permits(where.address())) return denied<Server::T<A, L>>(where.address());
    return Server::create(std::move(where), std::move(options), std::move(handler));
  }
  template <class A, class L, class F>
  Deferred<Server::T<A, L>> create_server(Where_to_listen<A, L> where, F handler) const {
    return create_server(std::move(where), Server::Options<A>(), std::move(handler));
  }
  template <class A, class L, class F>
  Deferred<Server::T<A, L>> create_server_sock(Where_to_listen<A, L> where,
                                               std::type_identity_t<Server::Options<A>> options,
                                               F handler) const {
    if (!permits(where.address())) return denied<Server::T<A, L>>(where.address());
    return Server::create_sock(std::move(where), std::move(options), std::move(handler));
  }
  template <class A, class L, class F>
  Deferred<Server::T<A, L>> create_server_sock(Where_to_listen<A, L> where, F handler) const {
    return create_server_sock(std::move(where), Server::Options<A>(), std::move(handler));
  }

 private:
  friend class Authority;
  explicit Listen_authority(Access access) : access_(std::move(access)) {}

  bool permits(const Address::Any& address) const;
  template <class T>
  static Deferred<T> denied(const Address::Any& address) {
    return failed<T>(Error(Listen_error(access_denied(), address)));
  }

  Access access_;
};

/// Both.  All authority comes from `ambient()`, which a program that keeps to the convention calls
/// once, in its `main`, to hand on parts of it.
///
///     const auto authority = Tcp::Authority::ambient();
///     fetch(authority.to_connect().narrowed_by({.denied = {Cidr::of_string("10.0.0.0/8")}}));
class Authority {
 public:
  static Authority ambient() { return Authority(Access()); }

  Authority narrowed_by(const Access& access) const {
    return Authority(access_.narrowed_by(access));
  }
  Connect_authority to_connect() const { return Connect_authority(access_); }
  Listen_authority to_listen() const { return Listen_authority(access_); }

 private:
  explicit Authority(Access access) : access_(std::move(access)) {}

  Access access_;
};

}  // namespace async::Tcp
