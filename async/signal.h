// async/signal.h: signals of the operating system as jobs.
//
// Layer: async.  Read next: shutdown.h.

#pragma once

#include <functional>
#include <vector>

#include "async/deferred.h"

namespace async::Signal {

struct Handle_options {
  /// The handler goes away when this is determined.
  Deferred<> stop = never();
};

/// `handle(signals, f)` calls `f(number)` in a job each time the process has received one of
/// `signals`, which then does nothing else.  There may be several handlers of a signal, also of
/// different schedulers: each is called.  When the last one has gone, the signal does again what it
/// did before.
///
/// - Errors: what `f` raises goes to the monitor that is current now.  Throws `std::system_error`
///   for a signal that cannot be handled.
/// - Lifetime: `f` lives until `stop`, or until the scheduler ends.
void handle(std::vector<int> signals, Handle_options options, std::function<void(int)> f);
void handle(std::vector<int> signals, std::function<void(int)> f);

}  // namespace async::Signal
