// What connections hold that are encrypted.

#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <memory>
#include <vector>

#include "async/testing/simulation.h"
#include "tcp/tcp.h"
#include "tests/support/bytes_in_use.h"
#include "tests/support/echo_server.h"
#include "tests/tls/certificates.h"

namespace async {
namespace {

using testing::Host;
using testing::Simulation;

Deferred<Tcp::Server::Inet> echo_on(Host host) {
  return host.within([] {
    return Tcp::Server::create(Tcp::on_port(443), {.tls = Tls::server(server_options())},
                               echo_handler);
  });
}

/// Connections to a server over TLS, each of which has been used once.
class Used_connections {
 public:
  Deferred<> add(int n) {
    for (int i = 0; i < n; ++i) {
      const auto& made = connections_.emplace_back(
          co_await Tcp::connect(Tcp::to_host_and_port("server", 443), {.tls = tls_}));
      made.writer.write_line("hello");
      EXPECT_EQ(co_await made.reader.read_line(), "hello");
    }
  }

 private:
  const std::shared_ptr<const Tcp::Upgrade> tls_ = tls_client({.resume_sessions = false});
  std::vector<Tcp::Connected<Address::Inet>> connections_;
};

// Before it has said anything there is no TLS for it.
TEST(A_tls_client_that_says_nothing, costs_no_more_than_5_KiB_at_both_ends_together) {
  Simulation simulation;
  const auto far = simulation.host("server");
  simulation.run([&]() -> Deferred<> {
    co_await echo_on(far);
    std::vector<Tcp::Connected<Address::Inet>> connections;
    const auto add = [&connections](int n) -> Deferred<> {
      for (int i = 0; i < n; ++i) {
        connections.push_back(co_await Tcp::connect(Tcp::to_host_and_port("server", 443)));
      }
      co_await Clock::after(std::chrono::seconds(1));
    };
    constexpr int some = 50;
    co_await add(some);
    const std::size_t before = bytes_in_use();
    co_await add(some);
    EXPECT_LT((bytes_in_use() - before) / some, 5U * 1024);
    RecordProperty("bytes", static_cast<int>((bytes_in_use() - before) / some));
  });
}

// Its buffers have been given back, as have those of the handshake.
TEST(An_idle_tls_connection, holds_no_more_than_20_KiB_at_both_ends_together) {
  Simulation simulation;
  const auto far = simulation.host("server");
  simulation.run([&]() -> Deferred<> {
    co_await echo_on(far);
    Used_connections connections;
    constexpr int some = 50;
    co_await connections.add(some);  // what all of them share is there now
    const std::size_t before = bytes_in_use();
    co_await connections.add(some);
    EXPECT_LT((bytes_in_use() - before) / some, 20U * 1024);
    RecordProperty("bytes", static_cast<int>((bytes_in_use() - before) / some));
  });
}

}  // namespace
}  // namespace async
