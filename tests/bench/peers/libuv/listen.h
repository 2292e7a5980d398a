// tests/bench/peers/libuv/listen.h: what every server on libuv begins with.

#pragma once

#include <uv.h>

#include <csignal>
#include <cstdio>

/// `serve(port, on_connection)` listens on the loopback, and runs the loop; it returns what the
/// program ends with.
inline int serve(int port, uv_connection_cb on_connection) {
  std::signal(SIGPIPE, SIG_IGN);
  uv_loop_t* loop = uv_default_loop();
  uv_tcp_t listener;
  uv_tcp_init(loop, &listener);
  sockaddr_in address;
  uv_ip4_addr("127.0.0.1", port, &address);
  int status = uv_tcp_bind(&listener, reinterpret_cast<const sockaddr*>(&address), 0);
  if (status == 0)
    status = uv_listen(reinterpret_cast<uv_stream_t*>(&listener), 4096, on_connection);
  if (status != 0) {
    std::fprintf(stderr, "%s\n", uv_strerror(status));
    return 1;
  }
  return uv_run(loop, UV_RUN_DEFAULT);
}
