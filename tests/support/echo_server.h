// tests/support/echo_server.h: a server for clients to talk to.

#pragma once

#include <optional>
#include <string>
#include <utility>

#include "async/testing/simulation.h"
#include "tcp/tcp.h"

namespace async {

/// Sends back what it gets, up to the end.
inline Deferred<> echo(Reader reader, Writer writer) {
  while (const auto chunk = co_await reader.read_chunk()) writer.write(*chunk);
}
inline const auto echo_handler = [](const Address::Inet&, Reader reader, Writer writer) {
  return echo(std::move(reader), std::move(writer));
};

/// `echo_server(host, port)` is a server that echoes on `host`.
inline Deferred<Tcp::Server::Inet> echo_server(const testing::Host& host, int port) {
  return host.within([port] { return Tcp::Server::create(Tcp::on_port(port), echo_handler); });
}

/// `ask(where, question)` is the line that comes back.
template <class A>
Deferred<std::string> ask(Tcp::Where_to_connect<A> where, std::string question,
                          Tcp::Connect_options options = {}) {
  co_return co_await Tcp::with_connection(
      std::move(where), std::move(options),
      [question](auto, Reader reader, Writer writer) -> Deferred<std::string> {
        writer.write_line(question);
        const auto line = co_await reader.read_line();
        co_return line ? *line : "eof: " + std::string(to_string(line.error().reason));
      });
}

/// `error_of(d)` is the failure of `d` as an `E`; nothing if it is none.
template <class E, class T>
Deferred<std::optional<E>> error_of(Deferred<T> deferred) {
  const auto result = co_await or_error(std::move(deferred));
  const E* error = result ? nullptr : result.error().template as<E>();
  co_return error ? std::optional<E>(*error) : std::nullopt;
}

}  // namespace async
