// tests/support/real_sockets.h: what many tests on real sockets need.

#pragma once

#include <dirent.h>

#include <memory>
#include <string>
#include <utility>

#include "async/async.h"
#include "tcp/tcp.h"

namespace async {

/// `echo(from, reader, writer)` is a handler that gives every client its own bytes back.
template <class A>
Deferred<> echo(A /*from*/, Reader reader, Writer writer) {
  while (auto chunk = co_await reader.read_chunk()) {
    writer.write(*chunk);
    co_await writer.flushed();
  }
}

/// `at(server)` is where a server on a port is to be found.
inline auto at(const Tcp::Server::Inet& server) {
  return Tcp::to_host_and_port("127.0.0.1", server.listening_on());
}

/// `ask(where, line)` is what a server answers to `line`.
template <class A>
Deferred<Read_result<std::string>> ask(Tcp::Where_to_connect<A> where, std::string line) {
  return Tcp::with_connection(
      std::move(where),
      [line = std::move(line)](auto, Reader reader,
                               Writer writer) -> Deferred<Read_result<std::string>> {
        writer.write_line(line);
        co_return co_await reader.read_line();
      });
}

/// `end(server)` closes it, and waits for all of its clients.
template <class Server>
Deferred<> end(Server server) {
  co_await server.close();
  co_await server.close_finished_and_handlers_determined();
}

/// `num_descriptors()` is the number of descriptors that this process has open.
inline int num_descriptors() {
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(opendir("/proc/self/fd"), closedir);
  int count = 0;
  while (readdir(directory.get())) ++count;
  return count - 3;  // ".", "..", and that of `directory`
}

}  // namespace async
