// async/io/network.h: making connections, as a narrow interface.
//
// Layer: async/io.  Read next: transport.h; tcp/connect.h and tcp/server.h, which use it.

#pragma once

#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include "async/deferred.h"
#include "async/internal/engine.h"
#include "async/internal/shared.h"
#include "async/io/address.h"
#include "async/io/socket.h"
#include "async/io/transport.h"

namespace async {

/// As many clients as the system lets wait.
inline constexpr int default_backlog = 4096;

/// `is_passing_accept_error(code)` is true for what `Listener::accept` fails with for reasons that
/// concern the one client alone.
bool is_passing_accept_error(const std::error_code& code) noexcept;

/// A socket that listens.
class Listener : public Socket_base {
 public:
  /// `set_user(task)` has `task` run at the end of each turn in which there was somebody to accept,
  /// while that is wanted.  Null ends it.  Returns false if somebody else is the user.
  virtual bool set_user(internal::Turn_task* task) noexcept = 0;
  virtual void want_ready(bool wanted) noexcept = 0;

  struct Accepted {
    std::unique_ptr<Transport> transport;
    Address::Any from;
  };

  /// `accept()` takes one connection that waits.  Errors: the code; that nobody waits is
  /// `std::errc::operation_would_block`.  A connection that was reset while it waited is either
  /// accepted like any other or passed over.
  virtual std::expected<Accepted, std::error_code> accept() = 0;

  /// `close()` stops listening; whoever waits to be accepted is turned away.  Its user runs once
  /// more, and `accept` then fails with `std::errc::bad_file_descriptor`.
  virtual void close() noexcept = 0;
  virtual bool is_closed() const noexcept = 0;
};

/// A stream socket that is not connected.
class Unconnected_socket : public Socket_base {
 public:
  /// `bind(address)` gives it an address of its own.  A file on which nobody listens any more is
  /// replaced if it is a socket.
  virtual std::error_code bind(const Address::Any& address) = 0;

  /// `listen(backlog)` makes it a listener, and this unusable if it succeeds.
  virtual std::expected<std::unique_ptr<Listener>, std::error_code> listen(int backlog) = 0;

  /// `connect(address)` is determined with the error code, which is zero if it worked.  It can be
  /// called once.  Closing this socket abandons it.
  virtual Deferred<std::error_code> connect(const Address::Any& address) = 0;

  /// `take_transport()` is the connection, once there is one, and makes this unusable.
  virtual std::expected<std::unique_ptr<Transport>, std::error_code> take_transport() = 0;
};

/// The network as the current execution context has it: that of the machine, or a simulated one.
class Network : public internal::Shared {
 public:
  /// `current()` is that of the current execution context.
  static Network& current();

  /// `resolve(name)` is determined with the addresses of a host, in the order in which the system
  /// gives them, or fails with `Io_error`.  `localhost`, and names in it, are this machine,
  /// whatever the system thinks (RFC 6761).  Dropping it gives up.
  virtual Deferred<std::vector<Inet_addr>> resolve(std::string name) = 0;

  enum class Family : unsigned char { V4, V6, Unix };
  static Family family_of(const Address::Any& address) noexcept;

  /// `create_socket(family)` is a new stream socket.
  virtual std::expected<std::unique_ptr<Unconnected_socket>, std::error_code> create_socket(
      Family family) = 0;

  /// `adopt_listener(fd)` is a listener over a socket that listens already, such as one that this
  /// process was started with.  It owns `fd` from then on, makes it nonblocking and has it closed
  /// on exec(2), but leaves the file of a unix socket to whoever made it.
  ///
  /// - Errors: the code, and `fd` is left as it was.  `std::errc::not_a_socket`, or
  ///   `bad_file_descriptor`; `wrong_protocol_type` if it is no stream socket, `invalid_argument`
  ///   if it does not listen, `address_family_not_supported` if it is of no family below;
  ///   `operation_not_supported` where nothing is real.
  virtual std::expected<std::unique_ptr<Listener>, std::error_code> adopt_listener(int fd) = 0;
  /// What the addresses of an adopted descriptor are.
  enum class Domain : unsigned char { Inet, Unix };

  /// `adopt_connection(fd, domain)` is a transport over a connected stream socket that was made
  /// elsewhere; from then on the descriptor belongs to it, is nonblocking, and is closed on exec.
  /// Errors: the code, such as `not_connected`, or `operation_not_supported` where there are no
  /// descriptors; `fd` then is open, unchanged, and the caller's.
  virtual std::expected<std::unique_ptr<Transport>, std::error_code> adopt_connection(
      int fd, Domain domain) = 0;

  /// `source_address(to)` is the address that a connection to `to` would come from, if there is
  /// a way to it.
  virtual std::optional<Inet_addr> source_address(const Inet_addr& to) = 0;

  /// `descriptor_freed()` is determined when a descriptor of this network is closed, so that
  /// whoever ran out of them can try again.
  virtual Deferred<> descriptor_freed() = 0;

  /// `max_descriptors()` is the number of descriptors that this process may have open.
  virtual int max_descriptors() const = 0;
};

}  // namespace async
