// Bytes on real connections: many of them, and how they end.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>

#include "tests/support/real_sockets.h"
#include "tests/support/temporary_folder.h"

namespace async {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t large = 20'000'000;

// What is at `position` of a stream in which no part looks like another.
char byte_at(std::size_t position) {
  return static_cast<char>((position * 2654435761U) >> 24U ^ position);
}

std::string bytes_at(std::size_t position, std::size_t size) {
  std::string bytes(size, '\0');
  for (char& byte : bytes) byte = byte_at(position++);
  return bytes;
}

Deferred<> send_bytes(Writer writer, std::size_t total) {
  for (std::size_t sent = 0; sent < total;) {
    const std::size_t size = std::min<std::size_t>(100'000, total - sent);
    writer.schedule(bytes_at(sent, size));
    sent += size;
    EXPECT_EQ(co_await writer.flushed(), Flush_result::Flushed);
  }
  writer.shutdown_send();
}

// Returns the number of bytes that came in order.
Deferred<std::size_t> receive_bytes(Reader reader, bool slowly) {
  std::size_t received = 0;
  for (;;) {
    const auto some = co_await reader.read(slowly ? 30'000 : Reader::default_max);
    if (!some) {
      EXPECT_EQ(some.error().reason, Eof::Reason::Clean);
      co_return received;
    }
    if (*some != bytes_at(received, some->size())) {
      ADD_FAILURE() << "wrong bytes after " << received;
      co_return received;
    }
    received += some->size();
    if (slowly) co_await Scheduler::yield();
  }
}

// Both sides send a lot, and one of them reads slowly.
template <class Where>
Deferred<> exchange(Where where, Deferred<std::size_t> received_there) {
  const auto received = co_await Tcp::with_connection(
      where, [](auto, Reader reader, Writer writer) -> Deferred<std::size_t> {
        const auto sent = send_bytes(writer, large);
        const std::size_t received_here = co_await receive_bytes(reader, /*slowly=*/true);
        co_await sent;
        co_return received_here;
      });
  EXPECT_EQ(received, large);
  EXPECT_EQ(co_await received_there, large);
}

auto exchanging_handler(Ivar<std::size_t> received) {
  return [received](auto, Reader reader, Writer writer) -> Deferred<> {
    const auto sent = send_bytes(writer, large);
    received.fill(co_await receive_bytes(reader, /*slowly=*/false));
    co_await sent;
  };
}

TEST(Twenty_megabytes, go_both_ways_over_tcp) {
  Scheduler::go([]() -> Deferred<> {
    const Ivar<std::size_t> received;
    const auto server =
        co_await Tcp::Server::create(Tcp::on_port_chosen_by_os(), exchanging_handler(received));
    co_await exchange(at(server), received.read());
    EXPECT_EQ(server.counts().bytes_dropped, 0u);
    co_await end(server);
  });
}

TEST(Twenty_megabytes, go_both_ways_over_a_unix_socket) {
  const Temporary_folder folder;
  Scheduler::go([&]() -> Deferred<> {
    const Ivar<std::size_t> received;
    const auto server =
        co_await Tcp::Server::create(Tcp::on_file(folder.file("a")), exchanging_handler(received));
    co_await exchange(Tcp::to_file(folder.file("a")), received.read());
    co_await end(server);
  });
}

TEST(Twenty_megabytes, can_be_written_at_once_and_are_flushed_by_closing) {
  Scheduler::go([]() -> Deferred<> {
    const auto server = co_await Tcp::Server::create(Tcp::on_port_chosen_by_os(),
                                                     [](Address::Inet, Reader, Writer writer) {
                                                       writer.schedule(bytes_at(0, large));
                                                       return determined();
                                                     });
    const std::size_t received = co_await Tcp::with_connection(
        at(server), [](auto, Reader reader, Writer) { return receive_bytes(reader, true); });
    EXPECT_EQ(received, large);
    EXPECT_EQ(server.counts().bytes_dropped, 0u);
    co_await end(server);
  });
}

// Who does not read slows the sender down, instead of filling memory.
TEST(A_peer_that_does_not_read, keeps_the_writer_waiting) {
  Scheduler::go([]() -> Deferred<> {
    const Ivar<> read_now;
    const auto server = co_await Tcp::Server::create(
        Tcp::on_port_chosen_by_os(),
        [read_now](Address::Inet, Reader reader, Writer) -> Deferred<> {
          co_await read_now.read();
          co_await reader.drain();
        });
    co_await Tcp::with_connection(at(server), [&](auto, Reader, Writer writer) -> Deferred<> {
      Deferred<Flush_result> flushed = determined(Flush_result::Flushed);
      while (flushed.is_determined()) {  // until the system takes no more
        writer.schedule(std::string(1'000'000, 'x'));
        flushed = writer.flushed();
        co_await Scheduler::yield();
        co_await Scheduler::yield();
      }
      EXPECT_GT(writer.bytes_to_write(), 0u);
      EXPECT_LE(writer.bytes_to_write(), 1'000'000u);
      EXPECT_EQ(writer.bytes_received(), writer.bytes_written() + writer.bytes_to_write());
      read_now.fill();
      EXPECT_EQ(co_await flushed, Flush_result::Flushed);
    });
    co_await end(server);
  });
}

TEST(Half_a_connection, can_be_closed_and_the_other_half_used) {
  Scheduler::go([]() -> Deferred<> {
    const auto server = co_await Tcp::Server::create(
        Tcp::on_port_chosen_by_os(), [](Address::Inet, Reader reader, Writer writer) -> Deferred<> {
          const std::string question = co_await reader.contents();
          writer.write("you said: " + question);
        });
    co_await Tcp::with_connection(at(server), [](auto, Reader reader, Writer writer) -> Deferred<> {
      writer.write("a");
      writer.write("b");
      writer.shutdown_send();
      EXPECT_THROW(writer.write("c"), Writer_closed);
      EXPECT_EQ(co_await reader.contents(), "you said: ab");
    });
    co_await end(server);
  });
}

TEST(One_who_sends_much, is_read_from_at_most_eight_times_in_a_turn) {
  Scheduler::go([]() -> Deferred<> {
    struct Reads {
      int in_this_turn = 0;
      int most = 0;
      bool has_ended = false;
    };
    const auto reads = std::make_shared<Reads>();
    const auto server = co_await Tcp::Server::create(
        Tcp::on_port_chosen_by_os(), [reads](Address::Inet, Reader reader, Writer) -> Deferred<> {
          while (co_await reader.read_chunk()) ++reads->in_this_turn;
          reads->has_ended = true;
        });
    const auto [socket, reader, writer] = co_await Tcp::connect(at(server));
    writer.schedule(std::string(std::size_t{32} * 1024 * 1024, 'x'));
    writer.shutdown_send();
    // Jobs of priority Low run at the end of a turn.
    co_await Scheduler::within({.priority = Priority::Low}, [reads]() -> Deferred<> {
      while (!reads->has_ended) {
        reads->most = std::max(reads->most, std::exchange(reads->in_this_turn, 0));
        co_await Scheduler::yield();
      }
    });
    EXPECT_LE(reads->most, 8);
    EXPECT_GT(reads->most, 1);
    co_await writer.close();
    co_await end(server);
  });
}

TEST(A_reset, ends_reading_with_its_reason_and_is_not_the_handlers_error) {
  Scheduler::go([]() -> Deferred<> {
    const Ivar<Eof> ended;
    const auto server = co_await Tcp::Server::create(
        Tcp::on_port_chosen_by_os(),
        [ended](Address::Inet, Reader reader, Writer writer) -> Deferred<> {
          writer.write_line("welcome");
          EXPECT_EQ(co_await reader.read_line(), "thanks");
          const auto more = co_await reader.read_line();
          ended.fill_if_empty(more.error());
          static_cast<void>(co_await reader.contents());  // which fails
        });
    const auto [socket, reader, writer] = co_await Tcp::connect(at(server));
    EXPECT_EQ(co_await reader.read_line(), "welcome");
    writer.write_line("thanks");
    EXPECT_EQ(co_await writer.flushed(), Flush_result::Flushed);
    co_await socket.abort();
    EXPECT_EQ((co_await ended.read()).reason, Eof::Reason::Reset);
    EXPECT_FALSE(server.is_closed());
    EXPECT_EQ(co_await ask(at(server), "thanks"), "welcome");
    co_await end(server);
    EXPECT_EQ(server.counts().handler_errors, 0u);
    EXPECT_GE(server.counts().peer_errors, 1u);
  });
}

TEST(A_reset, is_seen_by_who_only_writes) {
  Scheduler::go([]() -> Deferred<> {
    const Ivar<Flush_result> result;
    const auto server = co_await Tcp::Server::create(
        Tcp::on_port_chosen_by_os(), [result](Address::Inet, Reader, Writer writer) -> Deferred<> {
          Flush_result flushed = Flush_result::Flushed;
          while (flushed == Flush_result::Flushed) {
            writer.schedule(std::string(100'000, 'x'));
            flushed = co_await writer.flushed();
          }
          result.fill(flushed);
          co_await writer.consumer_left();
          writer.write("for nobody");
          EXPECT_GE(writer.bytes_dropped(), 10u);
        });
    const auto [socket, reader, writer] = co_await Tcp::connect(at(server));
    static_cast<void>(co_await reader.read(1));
    co_await socket.abort();
    EXPECT_EQ(co_await result.read(), Flush_result::Consumer_left);
    co_await end(server);
    EXPECT_EQ(server.counts().handler_errors, 0u);
    EXPECT_GT(server.counts().bytes_dropped, 0u);
  });
}

TEST(A_reset, is_no_end_in_order_where_a_write_has_seen_it_first) {
  Scheduler::go([]() -> Deferred<> {
    const auto server = co_await Tcp::Server::create_sock(
        Tcp::on_port_chosen_by_os(),
        [](Address::Inet, Socket<Socket_state::Active, Address::Inet> socket) -> Deferred<> {
          socket.writer().write("half of it");
          co_await socket.writer().flushed();
          static_cast<void>(co_await socket.reader().read(1));
          co_await socket.abort();
        });
    const auto [socket, reader, writer] = co_await Tcp::connect(at(server));
    writer.set_raise_when_consumer_leaves(false);
    const auto contents = or_error(reader.contents());
    writer.write(std::string(large, 'x'));  // more than is taken before the reset
    EXPECT_EQ(co_await writer.flushed(), Flush_result::Consumer_left);
    EXPECT_FALSE(co_await contents);
    co_await end(server);
  });
}

TEST(A_client_that_has_gone_before_it_was_accepted, is_nothing_special) {
  Scheduler::go([]() -> Deferred<> {
    const auto server = co_await Tcp::Server::create(Tcp::on_port_chosen_by_os(),
                                                     {.max_connections = 1}, echo<Address::Inet>);
    const auto first = co_await Tcp::connect(at(server));
    for (int i = 0; i < 10; ++i) {
      const auto gone = co_await Tcp::connect_sock(at(server));
      co_await gone.abort();
    }
    const auto last = ask(at(server), "hello");
    co_await first.writer.close();
    EXPECT_EQ(co_await last, "hello");
    EXPECT_FALSE(server.is_closed());
    co_await end(server);
  });
}

}  // namespace
}  // namespace async
