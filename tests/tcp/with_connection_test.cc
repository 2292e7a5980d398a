// with_connection: a connection for the length of one task.

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
#include "tests/support/captured_log.h"
#include "tests/support/echo_server.h"
#include "tests/support/goodbye.h"

namespace async {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::Host;
using ::testing::IsEmpty;
using testing::Simulation;

/// A server that writes down what it hears, and how that ended.
class Listening {
 public:
  Deferred<> start(const Host& host) {
    server.emplace(co_await host.within([this] {
      return Tcp::Server::create(Tcp::on_port(7),
                                 [this](const Address::Inet&, Reader reader, Writer) {
                                   return listen(std::move(reader));
                                 });
    }));
  }

  std::optional<Tcp::Server::Inet> server;
  std::string heard;
  Events ends;

 private:
  Deferred<> listen(Reader reader) {
    for (;;) {
      const auto chunk = co_await reader.read();
      if (!chunk) {
        ends.emplace_back(to_string(chunk.error().reason));
        co_return;
      }
      heard += *chunk;
    }
  }
};

const auto where = [] { return Tcp::to_host_and_port("server", 7); };

TEST(With_connection, gives_what_its_function_gives) {
  Simulation simulation;
  const Host host = simulation.host("server");
  simulation.run([&]() -> Deferred<> {
    co_await echo_server(host, 7);
    const int number =
        co_await Tcp::with_connection(where(), [](auto, Reader, Writer) { return determined(7); });
    EXPECT_EQ(number, 7);
    const auto pointer = co_await Tcp::with_connection(
        where(), [](auto, Reader, Writer) -> Deferred<std::unique_ptr<int>> {
          co_return std::make_unique<int>(8);
        });
    EXPECT_EQ(*pointer, 8);
    co_await Tcp::with_connection(where(), [](auto, Reader, Writer) { return determined(); });
  });
}

TEST(With_connection, flushes_and_closes_before_it_is_determined) {
  Simulation simulation;
  const Host host = simulation.host("server");
  simulation.run([&]() -> Deferred<> {
    Listening listening;
    co_await listening.start(host);
    std::optional<Deferred<Close_result>> closed;
    co_await Tcp::with_connection(where(), [&](auto socket, Reader, Writer writer) -> Deferred<> {
      closed = socket.closed();
      co_await Clock::after(1s);
      writer.write("last words");
    });
    EXPECT_TRUE(closed->is_determined());
    EXPECT_EQ((co_await *closed).outcome, Flush_result::Flushed);
    co_await Clock::after(1s);
    EXPECT_EQ(listening.heard, "last words");
    EXPECT_THAT(listening.ends, ElementsAre("clean"));
  });
}

TEST(With_connection, fails_as_connect_does_and_does_not_call_its_function) {
  Simulation simulation;
  simulation.host("server");
  simulation.run([&]() -> Deferred<> {
    const auto error = co_await error_of<Tcp::Connect_error>(
        Tcp::with_connection(where(), {.timeout = 1s}, [](auto, Reader, Writer) -> Deferred<> {
          ADD_FAILURE();
          co_return;
        }));
    EXPECT_EQ(error->kind(), Tcp::Connect_error::Kind::Refused);
    const auto interrupted = co_await error_of<Tcp::Connect_error>(Tcp::with_connection(
        where(), {.interrupt = determined()}, [](auto, Reader, Writer) { return determined(); }));
    EXPECT_EQ(interrupted->kind(), Tcp::Connect_error::Kind::Interrupted);
  });
}

TEST(With_connection, fails_with_what_its_function_raises_and_aborts_the_connection) {
  Simulation simulation;
  const Host host = simulation.host("server");
  simulation.run([&]() -> Deferred<> {
    Listening listening;
    co_await listening.start(host);
    const auto raises = [](auto, Reader, Writer writer) -> Deferred<int> {
      writer.write("never sent");
      throw std::out_of_range("at once");
    };
    EXPECT_TRUE(co_await error_of<std::out_of_range>(Tcp::with_connection(where(), raises)));
    const auto fails = [](auto, Reader, Writer writer) -> Deferred<int> {
      writer.write("sent");
      co_await Clock::after(1s);
      writer.write("never sent");
      throw std::out_of_range("later");
    };
    EXPECT_TRUE(co_await error_of<std::out_of_range>(Tcp::with_connection(where(), fails)));
    co_await Clock::after(1s);
    EXPECT_EQ(listening.heard, "sent");
    EXPECT_THAT(listening.ends, ElementsAre("reset", "reset"));
  });
}

TEST(With_connection, fails_with_an_error_of_anything_started_under_it) {
  Simulation simulation;
  const Host host = simulation.host("server");
  simulation.run([&]() -> Deferred<> {
    co_await echo_server(host, 7);
    std::string local = "alive";
    const Time_ns start = Clock::now();
    const auto error = co_await error_of<std::out_of_range>(
        Tcp::with_connection(where(), [&](auto, Reader reader, Writer writer) -> Deferred<> {
          dont_wait_for(Clock::after(1s).map([] { throw std::out_of_range("background"); }));
          EXPECT_EQ(co_await reader.read(),
                    std::unexpected(Eof{Eof::Reason::Closed}));  // the connection is aborted
          EXPECT_LT(Clock::now() - start, 2s);
          writer.write("discarded");
          EXPECT_EQ(writer.bytes_dropped(), 9U);
          co_await Clock::after(1min);
          local += " to the end";
        }));
    EXPECT_STREQ(error->what(), "background");
    EXPECT_EQ(local, "alive to the end");  // it waited for its function
  });
}

TEST(With_connection, fails_with_an_error_of_its_writer) {
  Simulation simulation;
  const Host host = simulation.host("server");
  simulation.run([&]() -> Deferred<> {
    co_await host.within([] {
      return Tcp::Server::create_sock(Tcp::on_port(7), {},
                                      [](const Address::Inet&, const auto& socket) {
                                        return socket.abort().map([](const Close_result&) {});
                                      });
    });
    const auto error = co_await error_of<Io_error>(
        Tcp::with_connection(where(), [](auto socket, Reader, Writer writer) -> Deferred<> {
          co_await Clock::after(1s);
          writer.write("x");
          co_await socket.closed();  // tells one that waits for something else
        }));
    EXPECT_EQ(error->code(), std::errc::connection_reset);
    EXPECT_NE(error->connection(), 0U);
  });
}

TEST(With_connection, gives_up_when_something_has_waited_for_too_long) {
  Simulation simulation;
  const Host host = simulation.host("server");
  simulation.run([&]() -> Deferred<> {
    co_await host.within([] {
      return Tcp::Server::create(Tcp::on_port(7), [](const Address::Inet&, Reader, Writer writer) {
        return writer.close_finished().map([](const Close_result&) {});
      });
    });
    const Time_ns start = Clock::now();
    const auto error = co_await error_of<Limit_exceeded>(
        Tcp::with_connection(where(), {.buffer_age_limit = Buffer_age_limit::at_most(1min)},
                             [](auto, Reader reader, Writer writer) -> Deferred<> {
                               writer.write(std::string(1'000'000, 'x'));
                               co_await reader.contents();
                             }));
    EXPECT_EQ(error->limit(), Limit_exceeded::Limit::Buffer_age);
    EXPECT_LT(Clock::now() - start, 62s);
  });
}

TEST(With_connection, waits_thirty_seconds_for_the_last_bytes_and_logs_what_is_dropped) {
  Captured_log log;
  Simulation simulation;
  const Host host = simulation.host("server");
  simulation.run([&]() -> Deferred<> {
    co_await host.within([] {
      return Tcp::Server::create(Tcp::on_port(7), [](const Address::Inet&, Reader, Writer writer) {
        return writer.close_finished().map([](const Close_result&) {});
      });
    });
    const Time_ns start = Clock::now();
    co_await Tcp::with_connection(where(), [](auto, Reader, Writer writer) {
      writer.write(std::string(1'000'000, 'x'));
      return determined();
    });
    EXPECT_EQ((Clock::now() - start) / 1s, 30);
  });
  EXPECT_THAT(log.errors(), ElementsAre(HasSubstr("were dropped: force closed")));
}

TEST(With_connection, is_fine_with_a_function_that_closes_the_connection) {
  Simulation simulation;
  const Host host = simulation.host("server");
  simulation.run([&]() -> Deferred<> {
    Listening listening;
    co_await listening.start(host);
    co_await Tcp::with_connection(where(), [](auto, Reader, Writer writer) -> Deferred<> {
      writer.write("a");
      co_await writer.close();
      co_await Clock::after(1s);
    });
    co_await Tcp::with_connection(where(), [](auto socket, Reader, Writer writer) -> Deferred<> {
      writer.write("b");
      co_await socket.abort();
    });
    co_await Clock::after(1s);
    EXPECT_EQ(listening.heard, "a");
    EXPECT_THAT(listening.ends, ElementsAre("clean", "reset"));
  });
}

TEST(With_connection, logs_errors_that_come_after_the_first) {
  Captured_log log;
  Simulation simulation;
  const Host host = simulation.host("server");
  simulation.run([&]() -> Deferred<> {
    co_await echo_server(host, 7);
    const auto error = co_await error_of<std::out_of_range>(
        Tcp::with_connection(where(), [](auto, Reader, Writer) -> Deferred<> {
          dont_wait_for(Clock::after(1s).map([] { throw std::out_of_range("first"); }));
          co_await Clock::after(2s);
          throw std::out_of_range("second");
        }));
    EXPECT_STREQ(error->what(), "first");
    co_await Clock::after(1s);
  });
  EXPECT_THAT(log.errors(), ElementsAre(HasSubstr("second")));
}

TEST(With_connection, keeps_its_function_until_it_has_ended) {
  Simulation simulation;
  const Host host = simulation.host("server");
  Events events;
  simulation.run([&]() -> Deferred<> {
    co_await echo_server(host, 7);
    auto result = Tcp::with_connection(
        where(),
        [&events, probe = goodbye(events, "function")](auto, Reader, Writer) -> Deferred<> {
          co_await Clock::after(1s);
          events.emplace_back("end");
        });
    EXPECT_THAT(events, IsEmpty());
    co_await std::move(result);
    EXPECT_THAT(events, ElementsAre("end", "function gone"));
  });
}

TEST(With_connection, that_nobody_waits_for_goes_on_and_closes) {
  Simulation simulation;
  const Host host = simulation.host("server");
  simulation.run([&]() -> Deferred<> {
    Listening listening;
    co_await listening.start(host);
    static_cast<void>(Tcp::with_connection(where(), [](auto, Reader, Writer writer) -> Deferred<> {
      co_await Clock::after(10s);
      writer.write("done");
    }));
    co_await Clock::after(20s);
    EXPECT_EQ(listening.heard, "done");
    EXPECT_EQ(listening.server->num_connections(), 0);
  });
}

TEST(With_connection, leaves_no_descriptor_after_a_thousand_of_each_ending) {
  Simulation simulation({.max_descriptors = 10});
  const Host host = simulation.host("server");
  simulation.run([&]() -> Deferred<> {
    const auto server = co_await echo_server(host, 7);
    for (int i = 0; i < 1000; ++i) {
      const auto result = co_await or_error(Tcp::with_connection(
          where(), [i](auto socket, Reader reader, Writer writer) -> Deferred<> {
            writer.write_line("x");
            if (i % 4 == 0) throw std::out_of_range("x");
            co_await reader.read_line();
            if (i % 4 == 1) co_await socket.abort();
            if (i % 4 == 2) co_await writer.close();
          }));
      EXPECT_EQ(result.has_value(), i % 4 != 0);
    }
    co_await Clock::after(2s);
    EXPECT_EQ(server.num_connections(), 0);
    EXPECT_EQ(server.counts().accepted, 1000U);
    server.invariant();
  });
}

}  // namespace
}  // namespace async
