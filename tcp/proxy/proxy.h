// tcp/proxy/proxy.h: all of tcp/proxy.
//
// Layer: tcp/proxy.  Where to begin: environment.h for clients, proxy_protocol.h for servers.

#pragma once

#include "tcp/proxy/environment.h"     // IWYU pragma: export
#include "tcp/proxy/http_connect.h"    // IWYU pragma: export
#include "tcp/proxy/proxy_protocol.h"  // IWYU pragma: export
#include "tcp/proxy/socks5.h"          // IWYU pragma: export
