// Servers with several sockets, and crowds, as the kernel sees them.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/real_sockets.h"
#include "tests/support/recording_monitor.h"
#include "tests/support/temporary_folder.h"
#include "tests/uv/accept_faults.h"

namespace async {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Client = Tcp::Connected<Address::Inet>;

Tcp::Where_to_listen<Address::Inet, int> on_loopback(const Inet_addr& addr) {
  return Tcp::Where_to_listen<Address::Inet, int>::create(
      Address::Inet(addr, 0), [](const Address::Inet& actual) { return actual.port(); });
}

Tcp::Where_to_connect<Address::Inet> to(const std::string& host, int port) {
  return Tcp::to_host_and_port(host, port);
}

Deferred<std::string> answer(Client client, std::string question) {
  client.writer.write_line(question);
  co_return (co_await client.reader.read_line()).value_or("eof");
}

TEST(A_server_on_both_loopbacks, serves_both) {
  Scheduler::go([]() -> Deferred<> {
    const auto server = co_await Tcp::Server::create(
        std::vector{on_loopback(Inet_addr::localhost()), on_loopback(Inet_addr::localhost_v6())},
        echo<Address::Inet>);
    const std::vector<int> ports = server.listening_on_all();
    EXPECT_EQ(co_await ask(to("127.0.0.1", ports.at(0)), "4"), "4");
    EXPECT_EQ(co_await ask(to("::1", ports.at(1)), "6"), "6");
    co_await end(server);
  });
}

TEST(A_server_on_a_port_and_a_file, serves_both_and_removes_the_file) {
  const Temporary_folder folder;
  Scheduler::go([&]() -> Deferred<> {
    const auto server = co_await Tcp::Server::create(
        std::vector{Tcp::on_port_chosen_by_os().as_any(), Tcp::on_file(folder.file("a")).as_any()},
        echo<Address::Any>);
    const int port = std::get<Address::Inet>(server.listening_on()).port();
    EXPECT_EQ(co_await ask(to("127.0.0.1", port), "port"), "port");
    EXPECT_EQ(co_await ask(Tcp::to_file(folder.file("a")), "file"), "file");
    co_await end(server);
    EXPECT_FALSE(std::filesystem::exists(folder.file("a")));
  });
}

TEST(A_server_that_cannot_listen_everywhere, leaves_no_descriptor_and_no_file) {
  const Temporary_folder folder;
  Scheduler::go([&]() -> Deferred<> {
    const auto other =
        co_await Tcp::Server::create(Tcp::on_file(folder.file("b")), echo<Address::Unix>);
    const int descriptors = num_descriptors();
    const auto failed = co_await or_error(Tcp::Server::create(
        std::vector{Tcp::on_file(folder.file("a")), Tcp::on_file(folder.file("b"))},
        echo<Address::Unix>));
    EXPECT_TRUE(failed.error().as<Tcp::Listen_error>());
    EXPECT_THAT(failed.error().what(), HasSubstr(folder.file("b")));
    EXPECT_EQ(num_descriptors(), descriptors);
    EXPECT_FALSE(std::filesystem::exists(folder.file("a")));
    EXPECT_EQ(co_await ask(Tcp::to_file(folder.file("b")), "still here"), "still here");
    co_await end(other);
  });
}

TEST(A_server_with_several_sockets, survives_being_out_of_descriptors) {
  Scheduler::go([]() -> Deferred<> {
    const Recording_monitor monitor;
    const auto server = co_await monitor.under([] {
      return Tcp::Server::create(
          std::vector{on_loopback(Inet_addr::localhost()), on_loopback(Inet_addr::localhost())},
          echo<Address::Inet>);
    });
    const std::vector<int> ports = server.listening_on_all();
    std::optional<Accept_fault> fault(std::in_place, EMFILE);
    std::vector<Deferred<Read_result<std::string>>> answers;
    for (int i = 0; i < 6; ++i) answers.push_back(ask(to("127.0.0.1", ports.at(i % 2)), "x"));
    while (fault->num_failed() < 4) co_await Scheduler::yield();
    EXPECT_EQ(server.counts().accept_errors, static_cast<std::uint64_t>(fault->num_failed()));
    fault.reset();
    for (const auto& answer : co_await all(std::move(answers))) EXPECT_EQ(answer, "x");
    EXPECT_THAT(monitor.heard(), IsEmpty());
    co_await end(server);
  });
}

TEST(A_server_with_several_sockets, closes_all_when_one_is_of_no_use_and_says_why) {
  Scheduler::go([]() -> Deferred<> {
    const Recording_monitor monitor;
    const auto server = co_await monitor.under([] {
      return Tcp::Server::create(
          std::vector{on_loopback(Inet_addr::localhost()), on_loopback(Inet_addr::localhost())},
          echo<Address::Inet>);
    });
    const std::vector<int> ports = server.listening_on_all();
    {
      const Accept_fault fault(EINVAL);
      const Client client = co_await Tcp::connect(to("127.0.0.1", ports.at(1)));
      const auto stopped = co_await server.stopped();
      EXPECT_THAT(stopped.error().what(),
                  HasSubstr("accept on 127.0.0.1:" + std::to_string(ports.at(1))));
    }
    co_await Scheduler::yield_until_no_jobs_remain();
    EXPECT_EQ(monitor.heard().size(), 1u);
    EXPECT_FALSE(co_await or_error(Tcp::connect(to("127.0.0.1", ports.at(0)))));
  });
}

TEST(A_paused_server, leaves_its_clients_in_the_kernels_queue) {
  Scheduler::go([]() -> Deferred<> {
    const auto server =
        co_await Tcp::Server::create(Tcp::on_port_chosen_by_os(), echo<Address::Inet>);
    const Client first = co_await Tcp::connect(at(server));
    EXPECT_EQ(co_await answer(first, "1"), "1");
    server.pause();
    const int descriptors = num_descriptors();
    const Client second = co_await Tcp::connect(at(server));
    const auto second_answer = answer(second, "2");
    for (int i = 0; i < 20; ++i) EXPECT_EQ(co_await answer(first, "again"), "again");
    EXPECT_EQ(num_descriptors(), descriptors + 1);  // which is the client's own
    EXPECT_FALSE(second_answer.is_determined());
    server.resume();
    EXPECT_EQ(co_await second_answer, "2");
    co_await first.writer.close();
    co_await second.writer.close();
    co_await end(server);
  });
}

// What a socket for both versions of IP shows for IPv4 is an address of IPv6.
TEST(Access, denies_an_ipv4_network_on_a_socket_for_both_versions) {
  Scheduler::go([]() -> Deferred<> {
    const auto server = co_await Tcp::Server::create(
        Tcp::on_port_chosen_by_os(), {.access = {.denied = {Cidr::of_string("127.0.0.0/8")}}},
        echo<Address::Inet>);
    const Client denied = co_await Tcp::connect(to("127.0.0.1", server.listening_on()));
    EXPECT_EQ(co_await denied.reader.read(), std::unexpected(Eof{Eof::Reason::Reset}));
    EXPECT_EQ(co_await ask(to("::1", server.listening_on()), "hello"), "hello");
    EXPECT_EQ(server.counts().denied, 1u);
    EXPECT_EQ(server.counts().accepted, 1u);
    co_await end(server);
  });
}

TEST(Drop_incoming_connections, leaves_nobody_in_the_kernels_queue) {
  Scheduler::go([]() -> Deferred<> {
    const auto server = co_await Tcp::Server::create(
        Tcp::on_port_chosen_by_os(), {.max_connections = 1, .drop_incoming_connections = true},
        echo<Address::Inet>);
    const Client first = co_await Tcp::connect(at(server));
    EXPECT_EQ(co_await answer(first, "1"), "1");
    const int descriptors = num_descriptors();
    for (int i = 0; i < 100; ++i) {
      const Client other = co_await Tcp::connect(at(server));
      EXPECT_EQ(co_await other.reader.read(), std::unexpected(Eof{Eof::Reason::Reset}));
    }
    EXPECT_EQ(num_descriptors(), descriptors);
    EXPECT_EQ(server.counts().dropped, 100u);
    EXPECT_EQ(co_await answer(first, "still here"), "still here");
    co_await first.writer.close();
    co_await end(server);
  });
}

TEST(Five_hundred_clients_at_once, are_all_served) {
  Scheduler::go([]() -> Deferred<> {
    const auto server =
        co_await Tcp::Server::create(Tcp::on_port_chosen_by_os(), echo<Address::Inet>);
    std::vector<Deferred<Read_result<std::string>>> answers;
    for (int i = 0; i < 500; ++i) answers.push_back(ask(at(server), std::to_string(i)));
    int i = 0;
    for (const auto& answer : co_await all(std::move(answers))) {
      EXPECT_EQ(answer, std::to_string(i++));
    }
    EXPECT_EQ(server.counts().accepted, 500u);
    co_await end(server);
  });
}

TEST(Three_thousand_clients, never_have_more_handlers_than_max_connections) {
  Scheduler::go([]() -> Deferred<> {
    int alive = 0;
    int most = 0;
    const auto server = co_await Tcp::Server::create(
        std::vector{on_loopback(Inet_addr::localhost()), on_loopback(Inet_addr::localhost())},
        {.max_connections = 10},
        [&](Address::Inet from, Reader reader, Writer writer) -> Deferred<> {
          most = std::max(most, ++alive);
          co_await echo(from, reader, writer);
          --alive;
        });
    const std::vector<int> ports = server.listening_on_all();
    const auto some = [&](int port) -> Deferred<> {
      for (int i = 0; i < 60; ++i) EXPECT_EQ(co_await ask(to("127.0.0.1", port), "x"), "x");
    };
    std::vector<Deferred<>> all_of_them;
    for (int i = 0; i < 50; ++i) all_of_them.push_back(some(ports.at(i % 2)));
    co_await all_unit(std::move(all_of_them));
    EXPECT_EQ(most, 10);
    EXPECT_EQ(server.counts().accepted, 3000u);
    server.invariant();
    co_await end(server);
  });
}

// The listening sockets are ready in the same turn as the client that has the server closed.
TEST(A_server_that_is_closed_by_a_handler, forgets_clients_that_were_just_coming) {
  for (const bool gracefully : {false, true}) {
    Scheduler::go([=]() -> Deferred<> {
      std::optional<Tcp::Server::Inet> server;
      server = co_await Tcp::Server::create(
          std::vector{on_loopback(Inet_addr::localhost()), on_loopback(Inet_addr::localhost())},
          [&](Address::Inet, Reader reader, Writer) -> Deferred<> {
            if (!co_await reader.read_line()) co_return;
            if (gracefully) {
              static_cast<void>(server->stop());
            } else {
              co_await server->close();
            }
          });
      const std::vector<int> ports = server->listening_on_all();
      const Client closes = co_await Tcp::connect(to("127.0.0.1", ports.at(0)));
      while (server->counts().accepted == 0) co_await Scheduler::yield();
      std::vector<Deferred<Or_error<Client>>> others;
      for (int i = 0; i < 20; ++i) {
        others.push_back(or_error(Tcp::connect(to("127.0.0.1", ports.at(i % 2)))));
      }
      closes.writer.write_line("close");
      co_await server->close_finished();
      for (auto& other : co_await all(std::move(others))) {
        if (!other) continue;
        other->writer.set_raise_when_consumer_leaves(false);
        co_await other->writer.close();
      }
      co_await server->close_finished_and_handlers_determined();
      EXPECT_EQ(server->num_connections(), 0);
      server->invariant();
    });
  }
}

TEST(A_graceful_stop, of_a_program_lets_its_clients_finish_and_cuts_off_the_others) {
  Scheduler::go([]() -> Deferred<> {
    const auto server = co_await Tcp::Server::create(
        Tcp::on_port_chosen_by_os(), [](Address::Inet, Reader reader, Writer writer) -> Deferred<> {
          while (auto line = co_await choose(
                     choice(reader.read_line(), [](Read_result<std::string> read) { return read; }),
                     choice(Tcp::Server::stopping(), [] {
                       return Read_result<std::string>(std::unexpected(Eof{Eof::Reason::Clean}));
                     }))) {
            writer.write_line(*line);
            if (*line == "hang") co_await reader.drain();
          }
          writer.write_line("bye");
        });
    const Client polite = co_await Tcp::connect(at(server));
    EXPECT_EQ(co_await answer(polite, "hello"), "hello");
    const Client hangs = co_await Tcp::connect(at(server));
    EXPECT_EQ(co_await answer(hangs, "hang"), "hang");
    const auto report = server.stop({.wait = 200ms});
    EXPECT_EQ(co_await polite.reader.read_line(), "bye");
    co_await polite.writer.close();
    EXPECT_EQ(co_await hangs.reader.read(), std::unexpected(Eof{Eof::Reason::Reset}));
    // It said "bye" when it was too late.
    EXPECT_EQ(co_await report,
              (Tcp::Server::Stop_report{.finished = 1, .aborted = 1, .bytes_dropped = 4}));
  });
}

}  // namespace
}  // namespace async
