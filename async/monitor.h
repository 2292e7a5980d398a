// async/monitor.h: where errors go that nobody awaits.
//
// Layer: async.  Read next: try_with.h, scheduler.h.

#pragma once

#include <functional>
#include <source_location>
#include <string>

#include "async/deferred.h"
#include "async/error.h"

namespace async {

namespace internal {
struct Monitor_access;
}

/// Every job runs under a monitor, which receives its errors: an exception in a function that
/// determines nothing, and a failure that nobody took.  An error climbs from a monitor to its
/// parent until one of them is detached.  At the top the program prints it, with the chain of
/// monitors that it climbed, and ends with status 1; on a thread other than that of `go_main`, the
/// scheduler ends and `Scheduler::go` rethrows it.
///
/// A `Monitor` is a handle; dropping one changes nothing.
///
/// - Scheduling: receiving an error runs no code of the user: every handler is a job, in the
///   execution context in which it was given.
/// - Threads: it belongs to the thread of its scheduler.
class Monitor {
 public:
  /// `current()` is the monitor of the running job.
  static Monitor current();

  /// `main()` is the monitor at the top of this thread's scheduler.
  static Monitor main();

  /// `create(name)` is a new monitor whose parent is the current one.
  static Monitor create(std::string name = {},
                        std::source_location where = std::source_location::current());

  /// `name()` is what `create` was given.
  std::string name() const;

  /// `send(error)` is as if a job under this monitor had raised `error`.
  void send(const Error& error) const;

  /// `detach()` keeps errors from climbing any further.  Those that nobody handles go to the log.
  void detach() const;

  /// `detach_and_iter_errors(f)` detaches, and calls `f` with each later error, in order.  If `f`
  /// raises, that goes to the monitor that is current now, and `f` is not called again.
  void detach_and_iter_errors(std::move_only_function<void(const Error&)> f) const;

  /// `detach_and_get_next_error()` detaches, and is determined with the next error.
  Deferred<Error> detach_and_get_next_error() const;

  /// `get_next_error()` is determined with the next error, which climbs on all the same.
  Deferred<Error> get_next_error() const;

  /// `has_seen_error()` is true once an error has come by.
  bool has_seen_error() const noexcept;

  /// `depth()` is the number of monitors above this one.
  int depth() const noexcept;

 private:
  friend struct internal::Monitor_access;
  explicit Monitor(internal::Ref<internal::Monitor_core> core) : core_(std::move(core)) {}

  internal::Ref<internal::Monitor_core> core_;
};

/// How the library gets at the state of a monitor.
struct internal::Monitor_access {
  static const Ref<Monitor_core>& core(const Monitor& monitor) noexcept { return monitor.core_; }
  static Monitor monitor(Ref<Monitor_core> core) { return Monitor(std::move(core)); }
};

}  // namespace async
