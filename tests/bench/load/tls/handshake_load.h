// tests/bench/load/tls/handshake_load.h: many handshakes.

#pragma once

#include "tests/bench/load/options.h"
#include "tests/bench/load/row.h"

namespace bench {

/// `count` connections, `connections` at a time: connect, handshake, and both sides end; the
/// handshakes of mode `resume` resume sessions, those of `handshake` do not.  Gives cpu_us a
/// connection.
Row handshake_load(const Options& options);

}  // namespace bench
