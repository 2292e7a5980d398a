// How reading ends, and whole conversations.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "async/async.h"
#include "async/io/io_error.h"
#include "async/random.h"
#include "async/testing/simulation.h"
#include "tests/support/captured_log.h"
#include "tests/support/connected_pair.h"
#include "tests/support/fake_transport.h"

namespace async {
namespace {

using namespace std::chrono_literals;
using testing::Host;
using testing::Simulation;

TEST(End_of_input, comes_after_all_that_has_arrived) {
  Simulation().run([]() -> Deferred<> {
    const Ends ends = co_await connected_pair();
    ends.there.writer.write(std::string(300'000, 'x'));
    dont_wait_for(ends.there.writer.close().map([](const Close_result&) {}));
    co_await Clock::after(2s);
    std::size_t size = 0;
    while (const auto chunk = co_await ends.here.reader.read_chunk()) size += chunk->size();
    EXPECT_EQ(size, 300'000U);
    EXPECT_EQ(co_await ends.here.reader.read_chunk(), clean_eof);
  });
}

TEST(End_of_input, by_a_reset_or_silence_has_a_reason) {
  struct Case {
    int error;
    std::unexpected<Eof> end;
  };
  const Case cases[] = {
      {ECONNRESET, reset_eof},       {ECONNABORTED, reset_eof},    {EPIPE, reset_eof},
      {ENOTCONN, reset_eof},         {ENETRESET, reset_eof},       {ETIMEDOUT, timed_out_eof},
      {EHOSTUNREACH, timed_out_eof}, {ENETUNREACH, timed_out_eof}, {ENETDOWN, timed_out_eof}};
  for (const Case& one : cases) {
    Simulation().run([&]() -> Deferred<> {
      const auto wire = std::make_shared<Fake_wire>();
      const End end = fake_end(wire);
      const auto read = end.reader.read();
      wire->fail_reading(one.error);
      EXPECT_EQ(co_await read, one.end) << one.error;
      EXPECT_EQ(co_await end.reader.read(), one.end);
      EXPECT_FALSE(end.reader.is_closed());
      const auto contents = co_await or_error(end.reader.contents());
      EXPECT_NE(contents.error().as<Io_error>(), nullptr);
      end.writer.write("the other way is open");
      EXPECT_EQ(co_await end.writer.flushed(), Flush_result::Flushed);
    });
  }
}

TEST(End_of_input, by_another_error_fails_each_read) {
  Simulation().run([]() -> Deferred<> {
    const auto wire = std::make_shared<Fake_wire>();
    const End end = fake_end(wire);
    const auto read = end.reader.read_line();
    wire->arrive("what has arrived");
    wire->fail_reading(EIO);
    const auto is_io_error = [&end](const auto& result) {
      const auto* error = result ? nullptr : result.error().template as<Io_error>();
      return error && error->code() == std::errc::io_error &&
             error->connection() == end.connection->number();
    };
    EXPECT_TRUE(is_io_error(co_await or_error(read)));
    EXPECT_TRUE(is_io_error(co_await or_error(end.reader.read_line())));
    EXPECT_TRUE(is_io_error(co_await or_error(end.reader.contents())));
    EXPECT_TRUE(is_io_error(co_await or_error(end.reader.really_read(100))));
    EXPECT_EQ(co_await end.reader.read(), "what has arrived");
    EXPECT_TRUE(is_io_error(co_await or_error(end.reader.read())));
    EXPECT_TRUE(is_io_error(co_await or_error(end.reader.drain())));
    EXPECT_FALSE(end.reader.is_closed());
    co_await end.reader.close();
  });
}

TEST(End_of_input, is_noticed_only_by_a_read) {
  Simulation().run([]() -> Deferred<> {
    const Ends ends = co_await connected_pair();
    dont_wait_for(ends.there.connection->abort().map([](const Close_result&) {}));
    co_await Clock::after(1h);
    EXPECT_FALSE(ends.here.reader.is_closed());
    EXPECT_EQ(co_await ends.here.reader.read(), reset_eof);
  });
}

TEST(A_cycle, reads_once_from_a_connection) {
  Simulation().run([]() -> Deferred<> {
    const Ends a = co_await connected_pair({.limits = {.reader_buffer_size = 10}});
    const Ends b = co_await connected_pair({.limits = {.reader_buffer_size = 10}});
    std::string order;
    const auto read_all = [&order](Reader reader, char name) -> Deferred<> {
      while (co_await reader.read_chunk()) order.push_back(name);
    };
    const Deferred<> a_done = read_all(a.here.reader, 'a');
    const Deferred<> b_done = read_all(b.here.reader, 'b');
    for (const End& end : {a.there, b.there}) {
      end.writer.write(std::string(50, 'x'));
      dont_wait_for(end.writer.close().map([](const Close_result&) {}));
    }
    co_await a_done;
    co_await b_done;
    EXPECT_EQ(order, "ababababab");  // one that has much to say does not starve the other
  });
}

Deferred<> echo(Reader reader, Writer writer) {
  while (const auto chunk = co_await reader.read_chunk()) {
    writer.write(*chunk);
    co_await writer.flushed();
  }
  co_await writer.close();
}

TEST(A_conversation, echoes_megabytes_over_a_slow_link_unchanged) {
  Simulation simulation({.seed = 7, .delay = 50ms});
  const Host far = simulation.host("far");
  simulation.run([&]() -> Deferred<> {
    const Ends ends = co_await connected_pair({.other = far});
    const Deferred<> echoed = echo(ends.there.reader, ends.there.writer);
    std::string sent;
    for (int i = 0; i < 200; ++i) {
      sent += std::string(Random::below(20'000), static_cast<char>('a' + i % 26));
    }
    ends.here.writer.write(sent);
    ends.here.writer.shutdown_send();
    EXPECT_TRUE(co_await ends.here.reader.contents() == sent);
    co_await echoed;
    EXPECT_EQ((co_await ends.here.writer.close()).bytes_dropped, 0U);
  });
}

TEST(A_conversation, goes_on_for_thousands_of_turns) {
  Simulation simulation;
  const Host far = simulation.host("far");
  simulation.run([&]() -> Deferred<> {
    const Ends ends = co_await connected_pair({.other = far});
    const Deferred<> echoed = echo(ends.there.reader, ends.there.writer);
    for (int i = 0; i < 5000; ++i) {
      ends.here.writer.write_line(std::to_string(i));
      const auto line = co_await ends.here.reader.read_line();
      if (line != std::to_string(i)) ADD_FAILURE() << i;
    }
    co_await ends.here.writer.close();
    co_await echoed;
  });
}

TEST(A_conversation, of_two_floods_at_once_deadlocks_nowhere) {
  Simulation simulation;
  const Host far = simulation.host("far");
  simulation.run([&]() -> Deferred<> {
    const Ends ends = co_await connected_pair({.other = far});
    const auto flood = [](End end, char c) -> Deferred<std::size_t> {
      end.writer.write(std::string(3'000'000, c));
      end.writer.shutdown_send();
      co_return (co_await end.reader.contents()).size();
    };
    auto [there, here] = co_await both(flood(ends.there, 'a'), flood(ends.here, 'b'));
    EXPECT_EQ(there, 3'000'000U);
    EXPECT_EQ(here, 3'000'000U);
  });
}

Read_result<std::string> as_string(Read_result<std::string_view> view) {
  if (!view) return std::unexpected(view.error());
  return std::string(*view);
}
Read_result<std::string> as_string(Read_result<char> c) {
  if (!c) return std::unexpected(c.error());
  return std::string(1, *c);
}

TEST(A_conversation, can_be_read_in_any_mixture_of_ways) {
  Simulation({.seed = 3}).run([]() -> Deferred<> {
    const Ends ends = co_await connected_pair({.limits = {.reader_buffer_size = 16}});
    const Reader& reader = ends.here.reader;
    std::string sent;
    for (int i = 0; i < 2000; ++i) {
      sent += std::to_string(Random::bits());
      sent += Random::below(3) == 0 ? "\n" : ";";
    }
    dont_wait_for([](Writer writer, std::string all) -> Deferred<> {
      while (!all.empty()) {
        const std::size_t n = std::min<std::size_t>(all.size(), Random::below(50));
        writer.write(all.substr(0, n));
        all.erase(0, n);
        if (Random::below(2) == 0) co_await Clock::after(1ms);
      }
      co_await writer.close();
    }(ends.there.writer, sent));
    std::string received;
    for (bool more = true; more;) {
      Read_result<std::string> part;
      switch (Random::below(7)) {
        case 0:
          part = co_await reader.read(Random::below(30) + 1);
          break;
        case 1:
          part = as_string(co_await reader.read_chunk());
          break;
        case 2:
          part = as_string(co_await reader.read_char());
          break;
        case 3:
          part = co_await reader.read_until(';', {.keep_delimiter = true});
          break;
        case 4:
          part = co_await reader.really_read(3);
          if (!part) part = co_await reader.read();
          break;
        case 5:
          if (const auto given_up = co_await Clock::with_timeout(1us, reader.read_line(1000))) {
            part = *given_up;
            if (part) part->push_back('\n');
          }
          break;
        default:
          static_cast<void>(co_await Clock::with_timeout(1us, reader.peek(5)));
          part = reader.read_available(2);
      }
      more = part.has_value();
      if (more) received += *part;
    }
    EXPECT_EQ(received.substr(0, sent.size()), sent);
    EXPECT_LE(received.size(), sent.size() + 1);  // a last line has got an end
    EXPECT_EQ(reader.bytes_read(), sent.size());
  });
}

TEST(Eof, has_names) {
  EXPECT_EQ(to_string(Eof::Reason::Clean), "clean");
  EXPECT_EQ(to_string(Eof::Reason::Reset), "reset");
  EXPECT_EQ(to_string(Eof::Reason::Timed_out), "timed out");
  EXPECT_EQ(to_string(Eof::Reason::Closed), "closed");
}

}  // namespace
}  // namespace async
