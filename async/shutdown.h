// async/shutdown.h: how a program ends.
//
// Layer: async.  Read next: scheduler.h (go_main), signal.h.

#pragma once

#include <functional>

#include "async/deferred.h"
#include "async/time_ns.h"

/// A program ends when what it gave to `go_main` is determined, when an error has reached the top
/// monitor, or when `shutdown` is called.  Then the shutdown begins: what `at_shutdown` was given
/// runs, all at the same time; open writers are flushed; and when all of that is done, or the
/// bound on it has passed, nothing runs any more.
///
/// Each scheduler has a shutdown of its own.
namespace async::Shutdown {

/// `requested()` is determined when the process receives SIGINT or SIGTERM, or when the shutdown
/// begins.  Calling it is what makes the process take those signals; until then they end
/// it, as always.  The next such signal begins the shutdown with status 128 + its number, and
/// one more ends it at once.
Deferred<> requested();

/// `shutdown(status)` begins the shutdown, and makes `go_main` return `status`.  Called again, only
/// a status that is not zero has an effect, and only if the one before was zero.
void shutdown(int status = 0);

/// `is_shutting_down()` is true once the shutdown has begun.
bool is_shutting_down();

/// `at_shutdown(f)` calls `f()` in a job when the shutdown begins, or soon if it has begun, in the
/// execution context that is current now; and the program waits for what it returns, within the
/// bound.  If that fails, it is logged, and status 0 becomes 1.
void at_shutdown(std::move_only_function<Deferred<>()> f);

/// `set_default_force(span)` changes the bound, which is 10 seconds.  If it passes, that is
/// logged, and status 0 becomes 1.
void set_default_force(Span span);

}  // namespace async::Shutdown
