// tests/tls/engines.h: two engines, with nothing between but bytes.

#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tcp/tls/internal/engine.h"
#include "tcp/tls/internal/tls_upgrade.h"
#include "tests/tls/certificates.h"

namespace async {

inline std::unique_ptr<Tls::internal::Engine> engine_of(const Tcp::Upgrade& upgrade) {
  return dynamic_cast<const Tls::internal::Makes_engines&>(upgrade).make_engine("server:443");
}

/// An engine, and what is on its way to it.
struct Side {
  using Engine = Tls::internal::Engine;
  using Kept_output = Tls::internal::Kept_output;

  explicit Side(const std::shared_ptr<const Tcp::Upgrade>& made_by)
      : upgrade(made_by), engine(engine_of(*made_by)) {}

  std::shared_ptr<const Tcp::Upgrade> upgrade;
  std::unique_ptr<Engine> engine;
  Engine::Progress progress = Engine::Progress::Wants_input;

  /// `go_on(input)` is what it has to say to that.
  std::string go_on(std::string_view input) {
    Kept_output output;
    engine->set_input(input);
    do {
      progress = engine->handshake(output);
      if (progress == Engine::Progress::Wants_signature) engine->signature()->make();
    } while (progress == Engine::Progress::Wants_signature);
    unread = std::string(engine->input());
    engine->set_input({});
    return std::string(output.bytes());
  }
  std::string unread;

  bool is_done() const { return progress == Engine::Progress::Done; }
  bool has_failed() const { return progress == Engine::Progress::Failed; }

  std::string encrypt(std::string_view text) const {
    Kept_output output;
    EXPECT_EQ(engine->write(text, output), Engine::Status::Done);
    return std::string(output.bytes());
  }

  struct Got {
    Engine::Status last;
    std::string text;
    std::string said;  // by the engine itself
  };
  Got decrypt(std::string_view input, std::size_t room = 1000) const {
    Got got;
    Kept_output said;
    engine->set_input(input);
    for (;;) {
      std::string into(room, '\0');
      const Engine::Read read = engine->read(into, said);
      got.last = read.status;
      if (read.status != Engine::Status::Done) break;
      got.text += into.substr(0, read.bytes);
    }
    got.said = std::string(said.bytes());
    engine->set_input({});
    return got;
  }
};

struct Both {
  explicit Both(Tls::Server_options server = server_options(), Tls::Client_options client = {})
      : server(Tls::server(std::move(server))), client(tls_client(std::move(client))) {}

  Side server;
  Side client;

  /// `shake_hands(pass)` lets them talk until neither has anything to say, in pieces that `pass`
  /// makes of what one of them says.
  using Pieces = std::vector<std::string>;
  void shake_hands(const std::function<Pieces(std::string)>& pass = [](std::string said) {
    return Pieces{std::move(said)};
  }) {
    std::string to_server = client.go_on("");
    while (!to_server.empty()) {
      std::string to_client;
      for (const std::string& piece : pass(std::exchange(to_server, ""))) {
        to_client += server.go_on(std::exchange(server.unread, "") + piece);
      }
      for (const std::string& piece : pass(std::exchange(to_client, ""))) {
        if (client.is_done()) {
          client.unread += piece;
        } else {
          to_server += client.go_on(std::exchange(client.unread, "") + piece);
        }
      }
    }
  }
};

}  // namespace async
