// What TLS allocates once the program has warmed up.  Both ends are on this thread, so both are
// counted, and BoringSSL's allocations with the rest.

#include <gtest/gtest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "tcp/tcp.h"
#include "tests/support/echo_server.h"
#include "tests/support/steady_state.h"
#include "tests/tls/certificates.h"

namespace async {
namespace {

Deferred<Tcp::Server::Inet> echo_server() {
  return Tcp::Server::create(Tcp::on_port_chosen_by_os(), {.tls = Tls::server(server_options())},
                             echo_handler);
}

constexpr int counted_messages = 2'000;

Deferred<std::uint64_t> allocations_of_messages(int counted) {
  auto server = co_await echo_server();
  auto [socket, reader, writer] = co_await Tcp::connect(
      Tcp::to_host_and_port("127.0.0.1", server.listening_on()), {.tls = tls_client()});
  const std::string message(1000, 'x');
  std::array<char, 1000> answer;
  const std::uint64_t result = co_await allocations_of(
      [&]() -> Deferred<> {
        writer.write(message);
        std::size_t received = 0;
        while (received < message.size()) {
          received += (co_await reader.read(std::span(answer))).value();
        }
      },
      {.warm_up = 200, .counted = counted});
  co_await writer.close();
  co_await server.close();
  co_await server.close_finished_and_handlers_determined();
  co_return result;
}

// For each record BoringSSL has a buffer, as long as it is under way, which never comes by its
// hooks.
TEST(A_message_that_is_echoed_over_tls, allocates_four_buffers_for_records_and_nothing_else) {
  EXPECT_LE(Scheduler::go([] { return allocations_of_messages(counted_messages); }),
            4 * counted_messages);
}

Deferred<std::uint64_t> allocations_of_connections(int counted) {
  auto server = co_await echo_server();
  const auto where = Tcp::to_host_and_port("127.0.0.1", server.listening_on());
  const std::shared_ptr<const Tcp::Upgrade> tls = tls_client({.resume_sessions = false});
  const std::uint64_t result = co_await allocations_of(
      [&]() -> Deferred<> {
        return Tcp::with_connection(where, {.tls = tls},
                                    [](auto, Reader reader, Writer writer) -> Deferred<> {
                                      writer.write("x");
                                      EXPECT_EQ(co_await reader.read_char(), 'x');
                                    });
      },
      {.warm_up = 50, .counted = counted});
  co_await server.close();
  co_await server.close_finished_and_handlers_determined();
  co_return result;
}

// Of some hundreds, were it not for the pool: what is left are those buffers, and what is larger
// than the pool's blocks.
TEST(A_connection_with_a_full_handshake, allocates_no_more_than_40_times_at_both_ends_together) {
  constexpr int counted = 100;
  const auto result = Scheduler::go([] { return allocations_of_connections(counted); });
  RecordProperty("allocations", static_cast<int>(result / counted));
  EXPECT_LE(result / counted, 40);
}

}  // namespace
}  // namespace async
