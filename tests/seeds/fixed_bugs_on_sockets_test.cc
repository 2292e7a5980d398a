// Faults that other libraries had and fixed, where the operating system is the point.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <ctime>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/real_sockets.h"

namespace async {
namespace {

using namespace std::chrono_literals;

TEST(Fixed_bugs_on_sockets, T1_all_of_a_burst_of_connections_are_handled) {
  Scheduler::go([]() -> Deferred<> {
    const auto server =
        co_await Tcp::Server::create(Tcp::on_port_chosen_by_os(), echo<Address::Inet>);
    std::vector<Deferred<Read_result<std::string>>> answers;
    for (int i = 0; i < 500; ++i) answers.push_back(ask(at(server), std::to_string(i)));
    int i = 0;
    for (const auto& answer : co_await all(std::move(answers))) {
      EXPECT_EQ(answer, std::to_string(i++));
    }
    EXPECT_EQ(server.counts().accepted, 500U);
    co_await end(server);
  });
}

// Connections come and go in all ways, so that numbers of descriptors are used again at once.  Each
// sends a stamp of its own, and must get that and nothing else.
TEST(Fixed_bugs_on_sockets, T2_T23_T45_a_number_that_is_used_again_belongs_to_the_new_connection) {
  Scheduler::go([]() -> Deferred<> {
    int turn = 0;
    const auto server = co_await Tcp::Server::create_sock(
        Tcp::on_port_chosen_by_os(),
        [&turn](Address::Inet, Socket<Socket_state::Active, Address::Inet> socket) -> Deferred<> {
          const Reader reader = socket.reader();
          const Writer writer = socket.writer();
          // Some are closed while they are read from, by who reads.
          const int mine = turn++;
          co_await reader.read_one_chunk_at_a_time([&](std::string_view chunk) {
            writer.write(chunk);
            if (mine % 5 == 0) static_cast<void>(writer.abort());
            if (mine % 5 == 1) static_cast<void>(writer.close());
            if (mine % 5 == 2) static_cast<void>(writer.close({.wait_for_peer = true}));
            return Handle_chunk_result::go_on();
          });
        });
    int whole = 0;
    const auto client = [&](int number) -> Deferred<> {
      for (int round = 0; round < 50; ++round) {
        const auto [socket, reader, writer] = co_await Tcp::connect(at(server));
        writer.set_raise_when_consumer_leaves(false);
        const std::string stamp = std::to_string(number) + "/" + std::to_string(round) + ";";
        writer.write(stamp);
        writer.write(stamp);
        std::string got;
        while (got.size() < 2 * stamp.size()) {
          const auto some = co_await reader.read();
          if (!some) break;
          got += *some;
        }
        EXPECT_EQ(got, (stamp + stamp).substr(0, got.size()));
        if (got.size() == 2 * stamp.size()) ++whole;
        if (round % 2 == 0) co_await socket.abort();
      }
    };
    std::vector<Deferred<>> clients;
    for (int i = 0; i < 20; ++i) clients.push_back(client(i));
    co_await all_unit(std::move(clients));
    EXPECT_GT(whole, 300);
    co_await end(server);
    EXPECT_EQ(server.counts().handler_errors, 0U);
  });
}

// The second client is accepted long after its bytes have come, and sends no more.
TEST(Fixed_bugs_on_sockets, T3_bytes_that_came_before_the_handler_are_read_without_more) {
  Scheduler::go([]() -> Deferred<> {
    const auto server = co_await Tcp::Server::create(Tcp::on_port_chosen_by_os(),
                                                     {.max_connections = 1}, echo<Address::Inet>);
    const auto first = co_await Tcp::connect(at(server));
    first.writer.write_line("hello");
    EXPECT_EQ(co_await first.reader.read_line(), "hello");
    const auto second = co_await Tcp::connect(at(server));
    second.writer.write_line("early");
    EXPECT_EQ(co_await second.writer.flushed(), Flush_result::Flushed);
    EXPECT_EQ(server.num_connections(), 1);
    co_await first.writer.close();
    EXPECT_EQ(co_await second.reader.read_line(), "early");
    co_await second.writer.close();
    co_await end(server);
  });
}

// It never stops by itself, so the test ends only because alarms go off meanwhile.
TEST(Fixed_bugs_on_sockets, T14_one_who_never_stops_sending_does_not_keep_alarms_from_going_off) {
  Scheduler::go([]() -> Deferred<> {
    const auto server = co_await Tcp::Server::create(
        Tcp::on_port_chosen_by_os(), [](Address::Inet, Reader, Writer writer) -> Deferred<> {
          const auto bytes = std::make_shared<const std::string>(100'000, 'x');
          while (!writer.consumer_left().is_determined()) {
            writer.schedule(*bytes, bytes);
            co_await writer.pushed_back();
          }
        });
    const auto [socket, reader, writer] = co_await Tcp::connect(at(server));
    std::size_t got = 0;
    const auto read = [&got](Reader reader) -> Deferred<> {
      while (const auto chunk = co_await reader.read_chunk()) got += chunk->size();
    };
    const Deferred<> has_ended = read(reader);
    for (int i = 0; i < 50; ++i) {
      const std::size_t before = got;
      co_await Clock::after(1ms);
      EXPECT_LT(got - before, 1'000'000'000U);
    }
    EXPECT_GT(got, 1'000'000U);
    co_await socket.abort();
    co_await has_ended;
    co_await end(server);
  });
}

TEST(Fixed_bugs_on_sockets, T36_a_hundred_megabytes_at_once_do_not_keep_alarms_from_going_off) {
  Scheduler::go([]() -> Deferred<> {
    static constexpr std::size_t size = 100'000'000;
    const Ivar<std::size_t> received;
    const auto server = co_await Tcp::Server::create(
        Tcp::on_port_chosen_by_os(),
        [received](Address::Inet, Reader reader, Writer) -> Deferred<> {
          std::size_t got = 0;
          while (const auto chunk = co_await reader.read_chunk()) got += chunk->size();
          received.fill(got);
        });
    const auto [socket, reader, writer] = co_await Tcp::connect(at(server));
    int alarms = 0;
    const Ivar<> stop;
    Clock::every(1ms, {.stop = stop.read()}, [&alarms] { ++alarms; });
    writer.write(std::string(size, 'x'));
    EXPECT_GT(writer.bytes_to_write(), size / 2);
    EXPECT_EQ(co_await writer.flushed(), Flush_result::Flushed);
    EXPECT_GE(alarms, 3);
    stop.fill();
    co_await writer.close();
    EXPECT_EQ(co_await received.read(), size);
    co_await end(server);
  });
}

// Spinning shows only while time passes.
TEST(Fixed_bugs_on_sockets, T37_who_is_throttled_or_paused_does_not_spin) {
  Scheduler::go([]() -> Deferred<> {
    const Ivar<> go_on;
    const auto server = co_await Tcp::Server::create(
        Tcp::on_port_chosen_by_os(),
        [go_on](Address::Inet, Reader reader, Writer writer) -> Deferred<> {
          reader.pause();
          const auto drained = reader.drain();
          writer.write(std::string(8'000'000, 'y'));  // which nobody reads
          co_await go_on.read();
          reader.resume();
          co_await drained;
        });
    const auto [socket, reader, writer] = co_await Tcp::connect(at(server));
    writer.write(std::string(8'000'000, 'x'));
    while (!writer.is_throttled()) co_await Scheduler::yield();
    co_await Clock::after(20ms);
    const std::clock_t before = std::clock();
    co_await Clock::after(300ms);
    EXPECT_LT(std::clock() - before, CLOCKS_PER_SEC / 10);
    go_on.fill();
    co_await writer.pushed_back();
    EXPECT_EQ(co_await writer.flushed(), Flush_result::Flushed);
    co_await socket.abort();
    co_await end(server);
  });
}

}  // namespace
}  // namespace async
