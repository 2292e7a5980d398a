// Many handshakes at once, on real sockets: the rest of the program goes on.

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/turns.h"
#include "tests/tls/peers.h"

namespace async {
namespace {

/// In which turns of the loop handshakes were done.
struct Done final : Tcp::Observer {
  Turns turns;
  std::map<int, int> in_turn;

  void connected(const Connection_info&) override { ++in_turn[turns.count()]; }
  void accepted(const Connection_info&) override { ++in_turn[turns.count()]; }
};

TEST(Tls_handshakes, take_turns_with_everything_else_however_many_come_at_once) {
  for (const char* certificate : {"server", "rsa"}) {
    run_in_time([&]() -> Deferred<> {
      internal::engine().turnstile.slice = Span();  // so that each has a turn of its own
      constexpr int count = 60;
      const auto done = std::make_shared<Done>();
      const auto server =
          co_await Tcp::Server::create(on_loopback(),
                                       {.max_connections = 2 * count,
                                        .tls = Tls::server(server_options(certificate)),
                                        .observer = done},
                                       echo<Address::Inet>);
      const auto client = tls_client();
      std::vector<Deferred<Tcp::Connected<Address::Inet>>> connecting;
      for (int i = 0; i < count; ++i) {
        connecting.push_back(Tcp::connect(at(server), {.tls = client, .observer = done}));
      }
      std::vector<Tcp::Connected<Address::Inet>> connected;
      for (auto& one : connecting) connected.push_back(co_await std::move(one));

      int most_in_a_turn = 0;
      for (const auto& [turn, n] : done->in_turn) most_in_a_turn = std::max(most_in_a_turn, n);
      // A step of one in each turn; what follows the last step may meet that of the next.
      EXPECT_LE(most_in_a_turn, 3);
      // Until a client is done it has had two steps, and the server one.
      EXPECT_GE(done->turns.count(), 3 * count);
      for (const auto& one : connected) co_await one.writer.close();
      co_await end(server);
    });
  }
}

}  // namespace
}  // namespace async
