// tests/tls/peers.h: what tests have in common in which the other side is a program by others.

#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "async/async.h"
#include "tcp/tcp.h"
#include "tcp/tls/tls.h"
#include "tests/support/program.h"
#include "tests/support/real_sockets.h"
#include "tests/tls/certificates.h"

namespace async {

/// `run_in_time(main)` runs a test that has to end within a minute, whatever it waits for.
inline void run_in_time(const std::function<Deferred<>()>& main) {
  Scheduler::go([&]() -> Deferred<> {
    EXPECT_TRUE(co_await Clock::with_timeout(std::chrono::minutes(1), main()))
        << "it took too long";
  });
}

inline Tcp::Where_to_listen<Address::Inet, int> on_loopback() {
  return Tcp::Where_to_listen<Address::Inet, int>::create(
      Address::Inet(Inet_addr::localhost(), 0),
      [](const Address::Inet& actual) { return actual.port(); });
}

/// `kind_of(error)` is that of an error of TLS, such as "truncated", or of that by which connecting
/// has failed; else what it says.
inline std::string kind_of(const Error& error) {
  const auto* connecting = error.as<Tcp::Connect_error>();
  if (connecting && connecting->cause()) return kind_of(*connecting->cause());
  const auto* of_tls = error.as<Tls::Error>();
  return of_tls ? std::string(to_string(of_tls->kind())) : error.what();
}

/// What a server of ours has seen of its clients.
class Seen final : public Tcp::Observer {
 public:
  std::vector<Tls::Info> served = {};

  void refused(const Address::Any& /*from*/, const Error& why) override {
    refusal_.fill_if_empty(kind_of(why));
  }
  void peer_error(const Connection_info& /*connection*/, const Error& error) override {
    peer_error_.fill_if_empty(kind_of(error));
  }

  /// `refusal()` is why a client was refused, and `error()` how the connection of one has failed.
  Deferred<std::string> refusal() const { return refusal_.read(); }
  Deferred<std::string> error() const { return peer_error_.read(); }

 private:
  Ivar<std::string> refusal_;
  Ivar<std::string> peer_error_;
};

struct Our_server {
  Tcp::Server::Inet server;
  std::shared_ptr<Seen> seen;
  /// How the clients have ended that it gave their bytes back.
  std::shared_ptr<std::vector<Eof::Reason>> ends = {};

  int port() const { return server.listening_on(); }
  const Tls::Info& last() const { return seen->served.back(); }
  Deferred<> end() const { return async::end(server); }
};

/// What is said on a connection.
using Talk = std::function<Deferred<>(Reader, Writer)>;

/// `serve(options, talk)` is a server of ours that talks to each client.
inline Deferred<Our_server> serve(Tls::Server_options options, Talk talk) {
  const auto seen = std::make_shared<Seen>();
  const auto server = co_await Tcp::Server::create(
      on_loopback(), {.tls = Tls::server(std::move(options)), .observer = seen},
      [seen, talk = std::move(talk)](const Address::Inet&, Reader reader, Writer writer) {
        seen->served.push_back(*Tls::info(writer));
        return talk(std::move(reader), std::move(writer));
      });
  co_return Our_server{.server = server, .seen = seen};
}

/// `serve_echo(options)` is one that gives each client its own bytes back.
inline Deferred<Our_server> serve_echo(Tls::Server_options options = server_options()) {
  const auto ends = std::make_shared<std::vector<Eof::Reason>>();
  auto server =
      co_await serve(std::move(options), [ends](Reader reader, Writer writer) -> Deferred<> {
        for (;;) {
          const auto chunk = co_await reader.read_chunk();
          if (!chunk) {
            ends->push_back(chunk.error().reason);
            co_return;
          }
          writer.write(*chunk);
          co_await writer.flushed();
        }
      });
  server.ends = ends;
  co_return server;
}

/// `talk_to(where, tls, talk)` connects, and talks.
template <class A>
Deferred<> talk_to(Tcp::Where_to_connect<A> where, std::shared_ptr<const Tcp::Upgrade> tls,
                   Talk talk) {
  return Tcp::with_connection(std::move(where), {.tls = std::move(tls)},
                              [talk = std::move(talk)](auto, Reader reader, Writer writer) {
                                return talk(std::move(reader), std::move(writer));
                              });
}

/// As much of a mail server as it takes to begin TLS.
inline Deferred<> smtp(Address::Inet /*from*/, Reader reader, Writer writer) {
  writer.write_line("220 here", Line_ending::Dos);
  EXPECT_THAT((co_await reader.read_line()).value(), ::testing::HasSubstr("EHLO"));
  writer.write("250-here\r\n250 STARTTLS\r\n");
  EXPECT_EQ((co_await reader.read_line()).value(), "STARTTLS");
  writer.write_line("220 go ahead", Line_ending::Dos);
  co_await writer.flushed();
  const auto started = co_await Tls::start_tls(writer, Tls::server(server_options()));
  EXPECT_TRUE(started.has_value());
  while (const auto chunk = co_await reader.read_chunk()) writer.write(*chunk);
}

/// A server by others, and its port.
struct Listening {
  Program program;
  int port;

  auto at() const { return Tcp::to_host_and_port("127.0.0.1", port); }
};

/// `listening(program, words)` is determined when it has said `words`, by which it listens.
inline Deferred<Listening> listening(Program program, std::string words) {
  co_await program.says(std::move(words));
  const int port = program.listens_on();
  co_return Listening{.program = std::move(program), .port = port};
}

/// `large_text(n)` is `n` bytes of lines, of letters that no program takes for a command.
inline std::string large_text(std::size_t n) {
  std::string text;
  text.reserve(n);
  for (std::size_t i = 0; text.size() < n; ++i) {
    text += i % 64 == 63 ? '\n' : "mnotuvwxyz"[(i * 7 + i / 1000) % 10];
  }
  text.back() = '\n';
  return text;
}

}  // namespace async
