// connect and connect_sock, and their interrupt and timeout.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "async/testing/simulation.h"
#include "tcp/tcp.h"
#include "tests/support/echo_server.h"

namespace async {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::HasSubstr;
using testing::Host;
using ::testing::IsEmpty;
using ::testing::Not;
using testing::Simulation;
using Kind = Tcp::Connect_error::Kind;

TEST(Connect, gives_a_socket_a_reader_and_a_writer) {
  Simulation simulation;
  const Host host = simulation.host("server");
  simulation.run([&]() -> Deferred<> {
    co_await echo_server(host, 7);
    const auto [socket, reader, writer] = co_await Tcp::connect(Tcp::to_host_and_port("server", 7));
    EXPECT_EQ(socket.getpeername().port(), 7);
    EXPECT_EQ(to_string(socket.getpeername()), "10.0.0.1:7");
    EXPECT_TRUE(writer.raise_when_consumer_leaves());
    writer.write_line("hello");
    EXPECT_EQ(co_await reader.read_line(), "hello");
    co_await writer.close();
    EXPECT_TRUE(reader.is_closed());
    EXPECT_TRUE(socket.closed().is_determined());
  });
}

TEST(Connect_sock, gives_the_socket_alone) {
  Simulation simulation;
  const Host host = simulation.host("server");
  simulation.run([&]() -> Deferred<> {
    co_await echo_server(host, 7);
    const auto socket = co_await Tcp::connect_sock(Tcp::to_host_and_port("server", 7));
    socket.writer().write_line("hello");
    EXPECT_EQ(co_await socket.reader().read_line(), "hello");
    co_await socket.abort();
  });
}

TEST(Connect, that_nobody_waits_for_any_more_closes_the_connection) {
  Simulation simulation;
  const Host host = simulation.host("server");
  simulation.run([&]() -> Deferred<> {
    const auto server = co_await echo_server(host, 7);
    static_cast<void>(Tcp::connect(Tcp::to_host_and_port("server", 7)));
    co_await Clock::after(10s);
    EXPECT_EQ(server.counts().accepted, 1U);
    EXPECT_EQ(server.num_connections(), 0);
  });
}

TEST(Connect, closes_the_connection_with_the_last_of_the_handles) {
  Simulation simulation;
  const Host host = simulation.host("server");
  simulation.run([&]() -> Deferred<> {
    const auto server = co_await echo_server(host, 7);
    std::optional<Writer> writer;
    {
      const auto connected = co_await Tcp::connect(Tcp::to_host_and_port("server", 7));
      writer = connected.writer;
    }
    co_await Clock::after(10s);
    EXPECT_EQ(server.num_connections(), 1);
    writer.reset();
    co_await Clock::after(10s);
    EXPECT_EQ(server.num_connections(), 0);
  });
}

TEST(Connect, passes_its_options_to_the_connection) {
  Simulation simulation;
  const Host host = simulation.host("server");
  simulation.run([&]() -> Deferred<> {
    const auto server = co_await host.within([] {
      return Tcp::Server::create(Tcp::on_port(7), [](const Address::Inet&, Reader, Writer writer) {
        writer.write(std::string(1000, 'x'));
        return writer.close_finished().map([](const Close_result&) {});
      });
    });
    const auto connected = co_await Tcp::connect(
        Tcp::to_host_and_port("server", 7),
        {.buffer_age_limit = Buffer_age_limit::at_most(10s), .reader_buffer_size = 10});
    EXPECT_EQ((co_await connected.reader.read_chunk())->size(), 10U);
    const auto error = connected.writer.monitor().detach_and_get_next_error();
    const Time_ns start = Clock::now();
    connected.writer.write(std::string(1'000'000, 'x'));
    EXPECT_NE((co_await error).as<Limit_exceeded>(), nullptr);
    EXPECT_EQ(Clock::now(), start + 10s);
  });
}

TEST(Connect, sends_errors_of_the_writer_to_the_monitor_of_its_caller) {
  Simulation simulation;
  const Host host = simulation.host("server");
  simulation.run([&]() -> Deferred<> {
    co_await host.within([] {
      return Tcp::Server::create_sock(Tcp::on_port(7), {},
                                      [](const Address::Inet&, const auto& socket) {
                                        return socket.abort().map([](const Close_result&) {});
                                      });
    });
    const auto result = co_await try_with([]() -> Deferred<> {
      const auto connected = co_await Tcp::connect(Tcp::to_host_and_port("server", 7));
      for (;;) {
        connected.writer.write("x");
        co_await Clock::after(1s);
      }
    });
    EXPECT_NE(result.error().as<Io_error>(), nullptr);
  });
}

TEST(Connect, refuses_to_read_nothing_at_once) {
  Simulation().run([]() -> Deferred<> {
    EXPECT_TRUE(co_await error_of<std::invalid_argument>(
        Tcp::connect(Tcp::to_host_and_port("localhost", 7), {.reader_buffer_size = 0})));
  });
}

TEST(Connect, fails_if_nobody_listens) {
  Simulation simulation;
  const Host host = simulation.host("server", {Inet_addr::of_string("192.0.2.1")});
  simulation.run([&]() -> Deferred<> {
    const auto error =
        co_await error_of<Tcp::Connect_error>(Tcp::connect(Tcp::to_host_and_port("server", 7)));
    EXPECT_EQ(error->kind(), Kind::Refused);
    EXPECT_STREQ(error->what(), "cannot connect to server:7: 192.0.2.1:7: connection refused");
    EXPECT_EQ(error->attempts().size(), 1U);
    EXPECT_EQ(to_string(error->attempts().at(0).address), "192.0.2.1:7");
    EXPECT_EQ(error->attempts().at(0).code, std::errc::connection_refused);
    const auto file = co_await error_of<Tcp::Connect_error>(Tcp::connect(Tcp::to_file("/none")));
    EXPECT_EQ(file->kind(), Kind::Refused);
  });
}

TEST(Connect, fails_if_there_is_no_way) {
  Simulation().run([]() -> Deferred<> {
    const auto error = co_await error_of<Tcp::Connect_error>(
        Tcp::connect(Tcp::to_host_and_port("203.0.113.1", 7)));
    EXPECT_EQ(error->kind(), Kind::Unreachable);
    EXPECT_STREQ(error->what(), "cannot connect to 203.0.113.1:7: no route to host");
  });
}

TEST(Connect, fails_if_the_name_is_not_known_or_has_no_address) {
  Simulation simulation;
  simulation.set_name("empty", {});
  simulation.set_name("broken", {}, {.delay = 2s, .error = Name_error::Again});
  simulation.run([&]() -> Deferred<> {
    for (const char* name : {"nowhere", "empty", "broken"}) {
      const auto error =
          co_await error_of<Tcp::Connect_error>(Tcp::connect(Tcp::to_host_and_port(name, 7)));
      EXPECT_EQ(error->kind(), Kind::Name_resolution) << name;
      EXPECT_THAT(error->what(), HasSubstr(std::string("cannot connect to ") + name + ":7: "));
      EXPECT_THAT(error->attempts(), IsEmpty());
    }
  });
}

TEST(Connect, fails_if_there_is_no_descriptor_and_works_again_when_there_is) {
  Simulation simulation({.max_descriptors = 1});
  const Host host = simulation.host("server");
  simulation.run([&]() -> Deferred<> {
    const auto passive =
        co_await host.within([] { return Tcp::Server::create(Tcp::on_port(7), echo_handler); });
    const auto where = Tcp::to_inet_address(Address::Inet(host.addrs()[0], 7));
    auto connected = std::make_optional(co_await Tcp::connect(where));
    const auto error = co_await error_of<Tcp::Connect_error>(Tcp::connect(where));
    EXPECT_EQ(error->kind(), Kind::Other);
    EXPECT_EQ(error->attempts().at(0).code, std::errc::too_many_files_open);
    co_await connected->socket.abort();
    connected.reset();
    co_await (co_await Tcp::connect_sock(where)).abort();
  });
}

/// What connecting fails with, and after how long.
struct Failed {
  Tcp::Connect_error error;
  Span after;
};
Deferred<Failed> fails(Tcp::Where_to_connect<Address::Inet> where, Tcp::Connect_options options) {
  const Time_ns start = Clock::now();
  const auto error = co_await error_of<Tcp::Connect_error>(Tcp::connect(where, options));
  co_return Failed{error.value(), Clock::now() - start};
}

TEST(Connect_timeout, is_thirty_seconds_unless_something_else_is_said) {
  Simulation simulation;
  simulation.set_delay(simulation.host("localhost"), simulation.host("far"), 1h);
  simulation.run([&]() -> Deferred<> {
    const Failed failed = co_await fails(Tcp::to_host_and_port("far", 7), {});
    EXPECT_EQ(failed.error.kind(), Kind::Timed_out);
    EXPECT_EQ(failed.after, Span(30s));
    EXPECT_THAT(failed.error.what(), HasSubstr("timed out"));
  });
}

TEST(Connect_timeout, covers_name_resolution_and_all_attempts_together) {
  Simulation simulation;
  const Host far = simulation.host("far");
  simulation.set_delay(simulation.host("localhost"), far, 1h);
  simulation.set_name("slow", far.addrs(), {.delay = 3s});
  simulation.run([&]() -> Deferred<> {
    const auto where = Tcp::to_host_and_port("slow", 7);
    for (const Span timeout : {Span(1s), Span(3500ms), Span(7s)}) {
      const Failed failed = co_await fails(where, {.timeout = timeout});
      EXPECT_EQ(failed.error.kind(), Kind::Timed_out);
      EXPECT_EQ(failed.after, timeout);
    }
  });
}

TEST(Connect_timeout, of_no_time_fails_at_once) {
  Simulation simulation;
  const Host host = simulation.host("server");
  simulation.run([&]() -> Deferred<> {
    co_await echo_server(host, 7);
    for (const Span timeout : {Span(0s), Span(-1s)}) {
      const Failed failed =
          co_await fails(Tcp::to_host_and_port("server", 7), {.timeout = timeout});
      EXPECT_EQ(failed.error.kind(), Kind::Timed_out);
      EXPECT_EQ(failed.after, Span(0s));
    }
  });
}

TEST(Connect_timeout, leaves_no_alarm_behind) {
  Simulation simulation;
  const Host host = simulation.host("server");
  simulation.run([&]() -> Deferred<> {
    co_await echo_server(host, 7);
    const auto connected = co_await Tcp::connect(Tcp::to_host_and_port("server", 7));
    co_await fails(Tcp::to_host_and_port("server", 8), {});
    EXPECT_EQ(Time_source::current().next_alarm_fires_at(), std::nullopt);
    co_await Clock::after(1h);
    EXPECT_FALSE(connected.reader.is_closed());
  });
}

TEST(Connect_interrupt, before_the_start_does_nothing_at_all) {
  Simulation simulation;
  const Host host = simulation.host("server");
  simulation.run([&]() -> Deferred<> {
    co_await echo_server(host, 7);
    for (const auto& where : {Tcp::to_host_and_port("server", 7),
                              Tcp::to_inet_address(Address::Inet(host.addrs()[0], 7))}) {
      const Failed failed = co_await fails(where, {.interrupt = determined()});
      EXPECT_EQ(failed.error.kind(), Kind::Interrupted);
      EXPECT_EQ(failed.after, Span(0s));
    }
  });
  EXPECT_THAT(simulation.trace(), AllOf(Not(HasSubstr("connect")), Not(HasSubstr("resolve"))));
}

TEST(Connect_interrupt, ends_name_resolution_and_connecting) {
  Simulation simulation;
  const Host far = simulation.host("far");
  simulation.set_delay(simulation.host("localhost"), far, 1h);
  simulation.set_name("slow", far.addrs(), {.delay = 10s});
  simulation.run([&]() -> Deferred<> {
    for (const Span after : {Span(5s), Span(15s), Span(20s)}) {
      const Failed failed =
          co_await fails(Tcp::to_host_and_port("slow", 7), {.interrupt = Clock::after(after)});
      EXPECT_EQ(failed.error.kind(), Kind::Interrupted);
      EXPECT_EQ(failed.after, after);
    }
  });
}

TEST(Connect_interrupt, after_the_connection_is_there_does_nothing) {
  Simulation simulation;
  const Host host = simulation.host("server");
  simulation.run([&]() -> Deferred<> {
    co_await echo_server(host, 7);
    const auto connected =
        co_await Tcp::connect(Tcp::to_host_and_port("server", 7), {.interrupt = Clock::after(1s)});
    co_await Clock::after(5s);
    connected.writer.write_line("still here");
    EXPECT_EQ(co_await connected.reader.read_line(), "still here");
  });
}

TEST(Connect_interrupt, that_will_never_come_is_ignored) {
  Simulation simulation;
  const Host host = simulation.host("server");
  simulation.run([&]() -> Deferred<> {
    co_await echo_server(host, 7);
    EXPECT_EQ(co_await ask(Tcp::to_host_and_port("server", 7), "a", {.interrupt = never()}), "a");
    EXPECT_EQ(co_await ask(Tcp::to_host_and_port("server", 7), "b", {.interrupt = Ivar<>().read()}),
              "b");
  });
}

TEST(Connect_interrupt, has_nothing_left_on_it_afterwards) {
  Simulation simulation;
  const Host host = simulation.host("server");
  simulation.run([&]() -> Deferred<> {
    co_await echo_server(host, 7);
    const Ivar<> stop;
    for (int i = 0; i < 100; ++i) {
      for (const int port : {7, 8}) {
        co_await or_error(
            Tcp::connect(Tcp::to_host_and_port("server", port), {.interrupt = stop.read()}));
      }
    }
    co_await Clock::after(1min);
    const std::uint64_t before = Scheduler::num_jobs_run();
    stop.fill();
    co_await Scheduler::yield();
    EXPECT_LT(Scheduler::num_jobs_run() - before, 10);
  });
}

TEST(Connect_interrupt, of_many_at_once_leaves_no_descriptor) {
  Simulation simulation({.max_descriptors = 100});
  simulation.set_delay(simulation.host("localhost"), simulation.host("far"), 1h);
  simulation.run([&]() -> Deferred<> {
    for (int round = 0; round < 10; ++round) {
      const Ivar<> stop;
      std::vector<Deferred<Failed>> all_of_them;
      for (int i = 0; i < 40; ++i) {
        all_of_them.push_back(fails(Tcp::to_host_and_port("far", 7), {.interrupt = stop.read()}));
      }
      co_await Clock::after(1s);
      stop.fill();
      for (const Failed& failed : co_await all(std::move(all_of_them))) {
        EXPECT_EQ(failed.error.kind(), Kind::Interrupted);
      }
    }
  });
}

}  // namespace
}  // namespace async
