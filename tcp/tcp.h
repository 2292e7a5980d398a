// tcp/tcp.h: all of Tcp, and with it all of the core.
//
// Layer: tcp.  Where to begin: with_connection.h for clients, server.h for servers; reader_writer/
// for what both read and write with.

#pragma once

#include "async/async.h"            // IWYU pragma: export
#include "reader_writer/reader.h"   // IWYU pragma: export
#include "reader_writer/writer.h"   // IWYU pragma: export
#include "tcp/access.h"             // IWYU pragma: export
#include "tcp/authority.h"          // IWYU pragma: export
#include "tcp/connect.h"            // IWYU pragma: export
#include "tcp/connect_error.h"      // IWYU pragma: export
#include "tcp/connect_options.h"    // IWYU pragma: export
#include "tcp/happy_eyeballs.h"     // IWYU pragma: export
#include "tcp/keepalive.h"          // IWYU pragma: export
#include "tcp/listen_error.h"       // IWYU pragma: export
#include "tcp/observer.h"           // IWYU pragma: export
#include "tcp/of_fd.h"              // IWYU pragma: export
#include "tcp/on_handler_error.h"   // IWYU pragma: export
#include "tcp/refused.h"            // IWYU pragma: export
#include "tcp/server.h"             // IWYU pragma: export
#include "tcp/socket.h"             // IWYU pragma: export
#include "tcp/socket_activation.h"  // IWYU pragma: export
#include "tcp/socket_options.h"     // IWYU pragma: export
#include "tcp/stop_report.h"        // IWYU pragma: export
#include "tcp/where_to_connect.h"   // IWYU pragma: export
#include "tcp/where_to_listen.h"    // IWYU pragma: export
#include "tcp/with_connection.h"    // IWYU pragma: export
