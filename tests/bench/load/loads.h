// tests/bench/load/loads.h: the kinds of load.

#pragma once

#include "tests/bench/load/client.h"
#include "tests/bench/load/loop.h"
#include "tests/bench/load/options.h"
#include "tests/bench/load/row.h"
#include "tests/bench/load/stream.h"

namespace bench {

// `open` makes streams of connections to the server.

/// Each connection always has `depth` requests of `size` bytes under way; each request is a line,
/// so this suits servers that echo what arrives as well as those that answer lines.  Gives cpu_us a
/// request.
Row echo_load(const Options& options, const Open& open);

/// `count` connections, `connections` at a time: connect, one request, its reply, close.  Gives
/// cpu_us a connection.
Row churn_load(const Options& options);

/// One connection on which the server, the client or both (mode send, receive, both) send `bytes`
/// bytes.  Gives cpu_s_per_gb of all that was moved.
Row bulk_load(const Options& options, const Open& open);

/// Connections that do nothing, at first; then one request each; then as `echo_load`.  Gives
/// resident bytes a connection at each of these times, and the same as echo_load.
Row growth_load(const Options& options, const Open& open);

/// What `echo_load` and `growth_load` share: lets clients that have started go on for `warm_up`,
/// then measures for `seconds`.
void measure_requests(Loop& loop, Replies& replies, const Options& options, Row& row);

}  // namespace bench
