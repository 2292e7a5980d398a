// tests/tls/openssl_client.h: OpenSSL's client, for tests of our server.

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

/// OpenSSL's client on a port of this machine, which asks for "server" unless `more` says
/// otherwise.
inline Program s_client(int port, std::vector<std::string> more = {}) {
  std::vector<std::string> command{"openssl",
                                   "s_client",
                                   "-connect",
                                   "127.0.0.1:" + std::to_string(port),
                                   "-CAfile",
                                   Certificates::get().chain("root"),
                                   "-verify_return_error"};
  if (std::ranges::find(more, "-servername") == more.end() &&
      std::ranges::find(more, "-noservername") == more.end()) {
    more.insert(more.end(), {"-servername", "server"});
  }
  command.insert(command.end(), more.begin(), more.end());
  return Program(std::move(command));
}

/// With the certificate of `name`.
inline std::vector<std::string> as(const std::string& name, std::vector<std::string> more = {}) {
  more.insert(more.end(),
              {"-cert", Certificates::get().chain(name), "-key", Certificates::get().key(name)});
  return more;
}

/// Says a line, gets it back, and leaves in order.
inline Deferred<> say_hello(Program client) {
  client.say("hello\n");
  co_await client.says("hello\n");
  client.end_input();
  EXPECT_EQ(co_await client.ended(), 0);
}

/// Why a server with `options` refuses the client that has `arguments`.
inline Deferred<std::string> refusal(Tls::Server_options options,
                                     std::vector<std::string> arguments) {
  const auto server = co_await serve_echo(std::move(options));
  const Program client = s_client(server.port(), std::move(arguments));
  std::string why = co_await server.seen->refusal();
  co_await server.end();
  EXPECT_EQ(server.server.counts().upgrade_errors, 1U);
  EXPECT_TRUE(server.seen->served.empty());
  co_return why;
}

}  // namespace async
