// tests/bench/load/system.h: time, sockets, and giving up.

#pragma once

#include <cstdint>
#include <string>

namespace bench {

/// `give_up(why)` says why on the standard error, with errno if that is set, and ends the program.
[[noreturn]] void give_up(const std::string& why);

/// `now_ns()` is the monotonic time.
std::uint64_t now_ns();

/// `rest(ms)` does nothing for so long, so that the server can.
void rest(int ms);

/// `allow_descriptors(n)` raises the limit of open descriptors to at least `n`, or gives up.
void allow_descriptors(int n);

/// `connect_to(port, source)` is a socket connected to 127.0.0.1, from 127.0.0.1 + `source`,
/// without delay.  It blocks.
int connect_to(int port, int source = 0);
/// `begin_to_connect(port, source)` is the same but does not wait, and its socket does not block.
int begin_to_connect(int port, int source = 0);

/// `listen_on(port)` is a socket that listens on 127.0.0.1, and does not block.
int listen_on(int port);

void set_blocking(int fd, bool blocking);
/// `send_no_delay(fd)` switches off the waiting for more bytes.
void send_no_delay(int fd);

}  // namespace bench
