// tcp/tls/tls.h: all of tcp/tls.
//
// Layer: tcp/tls.  Where to begin: client.h, server.h.
//
// A program that uses it takes on one thing for all of its BoringSSL: what that allocates comes
// from pools of the threads and not from `malloc`, by way of BoringSSL's own hooks.  A program that
// defines `OPENSSL_memory_alloc`, `OPENSSL_memory_free` and `OPENSSL_memory_get_size` itself, all
// three, keeps those.

#pragma once

#include "tcp/tls/client.h"       // IWYU pragma: export
#include "tcp/tls/credentials.h"  // IWYU pragma: export
#include "tcp/tls/error.h"        // IWYU pragma: export
#include "tcp/tls/info.h"         // IWYU pragma: export
#include "tcp/tls/server.h"       // IWYU pragma: export
#include "tcp/tls/start_tls.h"    // IWYU pragma: export
