// What programs do with MirageOS's `Tcpv4_socket`.  README.md says which row is tested where.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "async/async.h"
#include "async/testing/simulation.h"
#include "tests/support/connected_pair.h"
#include "tests/support/fake_transport.h"
#include "tests/support/real_sockets.h"

namespace async {
namespace {

using namespace std::chrono_literals;
using testing::Host;
using testing::Simulation;

TEST(Mirage, M2_M6_who_writes_to_a_flow_that_is_closed_is_told_and_how_much_had_left) {
  Simulation().run([]() -> Deferred<> {
    for (const int error : {EPIPE, ECONNRESET}) {
      const auto wire = std::make_shared<Fake_wire>();
      wire->room = 4;
      const End end = fake_end(wire);
      end.writer.set_raise_when_consumer_leaves(false);
      const std::string_view parts[] = {"one", "two"};
      end.writer.writev(parts);
      const auto flushed = end.writer.flushed();
      co_await Scheduler::yield();
      wire->write_error = io_error_of_errno(error);
      wire->tell_writable();
      EXPECT_EQ(co_await flushed, Flush_result::Consumer_left);
      EXPECT_EQ(end.writer.bytes_written(), 4U);
      EXPECT_EQ(co_await end.writer.write_nodelay("three"), Flush_result::Consumer_left);
      EXPECT_EQ(end.writer.bytes_dropped(), 7U);
    }
  });
}

TEST(Mirage, M4_what_is_in_flight_comes_first_and_then_the_end_again_and_again) {
  Simulation simulation;
  const Host far = simulation.host("far");
  simulation.run([&]() -> Deferred<> {
    const Ends ends = co_await connected_pair({.other = far});
    ends.there.writer.write(std::string(300'000, 'x'));
    const auto closed = ends.there.writer.close();
    std::size_t got = 0;
    while (const auto chunk = co_await ends.here.reader.read_chunk()) {
      EXPECT_GE(chunk->size(), 1U);
      got += chunk->size();
      co_await Clock::after(1ms);
    }
    EXPECT_EQ(got, 300'000U);
    for (int i = 0; i < 3; ++i) EXPECT_EQ(co_await ends.here.reader.read(), clean_eof);
    co_await closed;
  });
}

TEST(Mirage, M8_closing_sends_the_end_reads_on_and_returns_when_both_have_closed) {
  Scheduler::go([]() -> Deferred<> {
    const auto server = co_await Tcp::Server::create(
        Tcp::on_port_chosen_by_os(), [](Address::Inet, Reader reader, Writer writer) -> Deferred<> {
          const std::string all = co_await reader.contents();
          writer.write("all of it: " + all);
        });
    const auto [socket, reader, writer] = co_await Tcp::connect(at(server));
    writer.write("question");
    const auto closed = writer.close({.wait_for_peer = true});
    EXPECT_FALSE(closed.is_determined());
    EXPECT_THROW(writer.write("more"), Writer_closed);
    EXPECT_EQ(co_await reader.contents(), "all of it: question");
    const Close_result result = co_await closed;
    EXPECT_EQ(result.outcome, Flush_result::Flushed);
    EXPECT_EQ(result.peer_end, Eof::Reason::Clean);
    EXPECT_EQ(socket.fd(), -1);
    co_await end(server);
  });
}

// On whatever the connection has become, and again.
TEST(Mirage, M9_M10_closing_and_ending_one_way_never_fail) {
  Scheduler::go([]() -> Deferred<> {
    const auto server = co_await Tcp::Server::create_sock(
        Tcp::on_port_chosen_by_os(),
        [](Address::Inet, Socket<Socket_state::Active, Address::Inet> socket) -> Deferred<> {
          const auto line = co_await socket.reader().read_line();
          if (line == "reset") co_await socket.abort();
        });
    for (const char* line : {"reset", "close"}) {
      const auto [socket, reader, writer] = co_await Tcp::connect(at(server));
      writer.write_line(line);
      co_await reader.drain();
      for (int i = 0; i < 2; ++i) {
        writer.shutdown_send();
        const Close_result result = co_await writer.close();
        EXPECT_EQ(result.bytes_dropped, 0U);
        EXPECT_EQ(result.peer_end, line[0] == 'r' ? Eof::Reason::Reset : Eof::Reason::Clean);
      }
      writer.shutdown_send();
    }
    co_await end(server);
  });
}

TEST(Mirage, M11_each_end_has_the_addresses_of_both) {
  Scheduler::go([]() -> Deferred<> {
    const Ivar<std::pair<Address::Inet, Address::Inet>> seen;
    const auto server = co_await Tcp::Server::create_sock(
        Tcp::on_port_chosen_by_os(),
        [seen](Address::Inet from, Socket<Socket_state::Active, Address::Inet> socket) {
          EXPECT_EQ(from, socket.getpeername());
          seen.fill(std::pair(socket.getpeername(), socket.getsockname()));
          return socket.reader().drain().map([](Eof) {});
        });
    const auto [socket, reader, writer] = co_await Tcp::connect(at(server));
    const auto [peer, self] = co_await seen.read();
    // Though the server listens on all addresses by one socket, those of IPv4 look like it.
    EXPECT_EQ(peer, socket.getsockname());
    EXPECT_EQ(self, socket.getpeername());
    EXPECT_EQ(peer.addr(), Inet_addr::localhost());
    co_await writer.close();
    EXPECT_EQ(socket.getpeername(), self);
    co_await end(server);
  });
}

}  // namespace
}  // namespace async
