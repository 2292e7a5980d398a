// A server whose system call fails.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <chrono>
#include <optional>
#include <string>
#include <system_error>

#include "tests/support/real_sockets.h"
#include "tests/support/recording_monitor.h"
#include "tests/uv/accept_faults.h"

namespace async {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Client = Tcp::Connected<Address::Inet>;

Deferred<std::string> answer(Client client, std::string question) {
  client.writer.write_line(question);
  co_return (co_await client.reader.read_line()).value();
}

Deferred<Tcp::Server::Inet> echo_server(const Recording_monitor& monitor) {
  return monitor.under(
      [] { return Tcp::Server::create(Tcp::on_port_chosen_by_os(), echo<Address::Inet>); });
}

// The server's other clients are served while nobody can be accepted, and then those who waited.
Deferred<> survive(int error) {
  const Recording_monitor monitor;
  const auto server = co_await echo_server(monitor);
  const Client first = co_await Tcp::connect(at(server));
  EXPECT_EQ(co_await answer(first, "1"), "1");
  std::optional<Accept_fault> fault(std::in_place, error);
  const Client second = co_await Tcp::connect(at(server));
  const Deferred<std::string> second_answer = answer(second, "2");
  while (fault->num_failed() == 0) co_await Scheduler::yield();
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(co_await answer(first, "1 again"), "1 again");
  EXPECT_FALSE(second_answer.is_determined());
  EXPECT_LT(fault->num_failed(), 20);
  EXPECT_EQ(server.counts().accept_errors, static_cast<std::uint64_t>(fault->num_failed()));
  EXPECT_EQ(server.num_connections(), 1);
  fault.reset();
  EXPECT_EQ(co_await second_answer, "2");
  EXPECT_EQ(server.counts().accepted, 2u);
  EXPECT_THAT(monitor.heard(), IsEmpty());
  co_await first.writer.close();
  co_await second.writer.close();
  co_await end(server);
}

TEST(A_server, survives_being_out_of_descriptors) {
  Scheduler::go([] { return survive(EMFILE); });
}
TEST(A_server, survives_that_the_machine_is_out_of_descriptors) {
  Scheduler::go([] { return survive(ENFILE); });
}
TEST(A_server, survives_being_out_of_buffers) {
  Scheduler::go([] { return survive(ENOBUFS); });
}
TEST(A_server, survives_being_out_of_memory) {
  Scheduler::go([] { return survive(ENOMEM); });
}

TEST(A_server, tries_again_as_soon_as_a_descriptor_is_closed) {
  Scheduler::go([]() -> Deferred<> {
    const Recording_monitor monitor;
    const auto server = co_await echo_server(monitor);
    const Client first = co_await Tcp::connect(at(server));
    EXPECT_EQ(co_await answer(first, "1"), "1");
    // After some failures, waiting without that would take a second.
    std::optional<Accept_fault> fault(std::in_place, EMFILE);
    const Client second = co_await Tcp::connect(at(server));
    while (fault->num_failed() < 8) co_await Scheduler::yield();
    fault.reset();
    const Time_ns begin = Clock::now();
    co_await first.writer.close();
    EXPECT_EQ(co_await answer(second, "2"), "2");
    EXPECT_LT(Clock::now() - begin, std::chrono::milliseconds(500));
    co_await second.writer.close();
    co_await end(server);
  });
}

// What concerns one client alone.
TEST(A_server, passes_over_clients_that_have_gone) {
  Scheduler::go([]() -> Deferred<> {
    const Recording_monitor monitor;
    const auto server = co_await echo_server(monitor);
    for (const int error : {ECONNABORTED, EPROTO, EPERM, EHOSTUNREACH, ENETDOWN, EINTR}) {
      const Accept_fault fault(error, 3);
      EXPECT_EQ(co_await ask(at(server), "hello"), "hello")
          << std::generic_category().message(error);
      EXPECT_EQ(fault.num_failed(), 3);
    }
    EXPECT_EQ(server.counts().accept_errors, 0u);
    EXPECT_THAT(monitor.heard(), IsEmpty());
    co_await end(server);
  });
}

TEST(A_server, closes_when_its_socket_is_of_no_use) {
  Scheduler::go([]() -> Deferred<> {
    const Recording_monitor monitor;
    const auto server = co_await echo_server(monitor);
    const Accept_fault fault(EINVAL);
    const Client client = co_await Tcp::connect(at(server));
    co_await server.close_finished();
    co_await Scheduler::yield_until_no_jobs_remain();
    EXPECT_EQ(fault.num_failed(), 1);
    EXPECT_THAT(monitor.heard(), ElementsAre(HasSubstr("accept on [::]:")));
  });
}

}  // namespace
}  // namespace async
