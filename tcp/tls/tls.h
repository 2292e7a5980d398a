// tcp/tls/tls.h: all of tcp/tls.
//
// Layer: tcp/tls.  Where to begin: client.h, server.h.

#pragma once

#include "tcp/tls/client.h"       // IWYU pragma: export
#include "tcp/tls/credentials.h"  // IWYU pragma: export
#include "tcp/tls/error.h"        // IWYU pragma: export
#include "tcp/tls/info.h"         // IWYU pragma: export
#include "tcp/tls/server.h"       // IWYU pragma: export
#include "tcp/tls/start_tls.h"    // IWYU pragma: export
