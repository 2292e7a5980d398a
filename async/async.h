// async/async.h: the whole core, as `open Async`.
//
// Layer: async.  Where to begin: deferred.h, then coroutine.h, monitor.h, scheduler.h, clock.h,
// pipe.h.  tcp/tcp.h has the network.

#pragma once

#include "async/all.h"          // IWYU pragma: export
#include "async/choose.h"       // IWYU pragma: export
#include "async/clock.h"        // IWYU pragma: export
#include "async/coroutine.h"    // IWYU pragma: export
#include "async/deferred.h"     // IWYU pragma: export
#include "async/error.h"        // IWYU pragma: export
#include "async/errors.h"       // IWYU pragma: export
#include "async/in_thread.h"    // IWYU pragma: export
#include "async/ivar.h"         // IWYU pragma: export
#include "async/log.h"          // IWYU pragma: export
#include "async/loop.h"         // IWYU pragma: export
#include "async/monitor.h"      // IWYU pragma: export
#include "async/or_error.h"     // IWYU pragma: export
#include "async/pipe.h"         // IWYU pragma: export
#include "async/priority.h"     // IWYU pragma: export
#include "async/random.h"       // IWYU pragma: export
#include "async/read_result.h"  // IWYU pragma: export
#include "async/scheduler.h"    // IWYU pragma: export
#include "async/shutdown.h"     // IWYU pragma: export
#include "async/signal.h"       // IWYU pragma: export
#include "async/thread_safe.h"  // IWYU pragma: export
#include "async/time_ns.h"      // IWYU pragma: export
#include "async/time_source.h"  // IWYU pragma: export
#include "async/try_with.h"     // IWYU pragma: export
