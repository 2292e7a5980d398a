// tests/tls/openssl_server.h: OpenSSL's server, for tests of our client.

#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/tls/peers.h"

namespace async {

inline const std::vector<std::string> both_versions{"-tls1_2", "-tls1_3"};

struct S_server_options {
  std::string certificate = "server";
  std::string where = "127.0.0.1:0";
};

/// OpenSSL's server.
inline Deferred<Listening> s_server(std::vector<std::string> more, S_server_options options = {}) {
  std::vector<std::string> command{"openssl",     "s_server",
                                   "-accept",     options.where,
                                   "-cert_chain", Certificates::get().chain(options.certificate),
                                   "-cert",       Certificates::get().chain(options.certificate),
                                   "-key",        Certificates::get().key(options.certificate),
                                   "-CAfile",     Certificates::get().chain("root")};
  command.insert(command.end(), more.begin(), more.end());
  return listening(Program(std::move(command)), "ACCEPT");
}

/// Says a line to a server that says it back from behind, and has it end the connection in order.
/// Gives what the handshake has come to.
template <class A>
Deferred<Tls::Info> say_hello(Tcp::Where_to_connect<A> where,
                              std::shared_ptr<const Tcp::Upgrade> tls) {
  return Tcp::with_connection(std::move(where), {.tls = std::move(tls)},
                              [](auto, Reader reader, Writer writer) -> Deferred<Tls::Info> {
                                writer.write_line("hello");
                                EXPECT_EQ(co_await reader.read_line(), "olleh");
                                writer.write_line("CLOSE");
                                EXPECT_EQ(co_await reader.contents(), "");
                                co_return *Tls::info(writer);
                              });
}

/// Why connecting to `where` has failed, such as "expired".
template <class A>
Deferred<std::string> refusal(Tcp::Where_to_connect<A> where,
                              std::shared_ptr<const Tcp::Upgrade> tls) {
  const auto connected = co_await or_error(Tcp::connect(std::move(where), {.tls = std::move(tls)}));
  co_return connected ? "it was not refused" : kind_of(connected.error());
}

/// How what is said on a connection fails.
inline Deferred<std::string> failure_of(const Listening* peer,
                                        std::shared_ptr<const Tcp::Upgrade> tls, Talk talk) {
  const auto done = co_await or_error(talk_to(peer->at(), std::move(tls), std::move(talk)));
  co_return done ? "it has not failed" : kind_of(done.error());
}

}  // namespace async
