// reader_writer/observer.h: being told what happens on a connection.
//
// Layer: reader_writer.  Read next: tcp/observer.h, which adds connecting and accepting.

#pragma once

#include <cstddef>
#include <cstdint>

#include "async/io/address.h"
#include "reader_writer/flush_result.h"

namespace async {

/// A connection as its observer sees it.
struct Connection_info {
  std::uint64_t number;  // never used twice in a process; `Io_error::connection()` is the same
  Address::Any local;
  Address::Any remote;
};

/// A `Connection_observer` is told what happens on connections.  All functions do nothing by
/// default.
///
/// - Scheduling: each is called in a job of its own, in the order in which things happened, once
/// the
///   state has changed: so it may do anything, but cannot prevent anything.  It runs in the
///   execution context in which the connection was made.
/// - Errors: an exception goes to the monitor of that.
/// - Lifetime: whoever observes holds it; a connection, until it is closed and has told so.
class Connection_observer {
 public:
  virtual ~Connection_observer() = default;

  /// `sent(c, n)`: the system has taken over `n` more bytes.  `received(c, n)`: `n` more bytes have
  /// come from it.
  virtual void sent(const Connection_info& connection, std::size_t bytes);
  virtual void received(const Connection_info& connection, std::size_t bytes);

  /// `throttled(c)`: more than the high mark waits to be written.  `unthrottled(c)`: no more than
  /// the low mark does, or nothing will be written any more.  They alternate, beginning with
  /// `throttled`; the last one is `unthrottled`, before `closed`.
  virtual void throttled(const Connection_info& connection);
  virtual void unthrottled(const Connection_info& connection);

  /// `closed(c, result)`: the descriptor is closed.  It is the last call for a connection.
  virtual void closed(const Connection_info& connection, const Close_result& result);
};

}  // namespace async
