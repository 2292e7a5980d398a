// Connections as streams of the standard library, for code that blocks on a thread of its own.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <istream>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include "reader_writer/socket_buf.h"
#include "tests/support/real_sockets.h"

namespace async {
namespace {

using namespace std::chrono_literals;

// Runs `f(stream)` on another thread, with the other end served by `handler`.
template <class F>
auto with_stream(F f, std::function<Deferred<>(Address::Inet, Reader, Writer)> handler,
                 Socket_buf_options options = {}) {
  using T = std::invoke_result_t<F&, std::iostream&>;
  return [](F call, std::function<Deferred<>(Address::Inet, Reader, Writer)> serve,
            Socket_buf_options how) -> Deferred<T> {
    const auto server = co_await Tcp::Server::create(
        Tcp::on_port_chosen_by_os(), {.on_handler_error = Tcp::On_handler_error::ignore()},
        std::move(serve));
    auto connected = co_await Tcp::connect(at(server));
    connected.writer.set_raise_when_consumer_leaves(false);
    auto result = co_await or_error(
        In_thread::run([stream = socket_stream(connected.reader, connected.writer, how),
                        call = std::move(call)]() mutable { return call(*stream); }));
    co_await connected.writer.close();
    co_await end(server);
    if (!result) result.error().rethrow();
    if constexpr (!std::is_void_v<T>) co_return std::move(*result);
  }(std::move(f), std::move(handler), options);
}

TEST(Socket_buf, reads_and_writes_lines_with_the_standard_library) {
  Scheduler::go([]() -> Deferred<> {
    const std::string got = co_await with_stream(
        [](std::iostream& stream) {
          std::string all;
          std::string line;
          for (int i = 0; i < 100; ++i) {
            stream << "line " << i << std::endl;
            std::getline(stream, line);
            all += line + ";";
          }
          EXPECT_TRUE(stream.good());
          return all;
        },
        echo<Address::Inet>);
    EXPECT_THAT(got, ::testing::StartsWith("line 0;line 1;"));
    EXPECT_THAT(got, ::testing::EndsWith("line 99;"));
  });
}

TEST(Socket_buf, ends_the_stream_where_the_other_side_ends_in_order) {
  Scheduler::go([]() -> Deferred<> {
    const std::string got = co_await with_stream(
        [](std::iostream& stream) {
          int number = 0;
          stream >> number;
          std::string rest(std::istreambuf_iterator<char>(stream), {});
          EXPECT_FALSE(stream.bad());
          EXPECT_EQ(stream.get(), std::char_traits<char>::eof());
          EXPECT_TRUE(stream.eof());
          return std::to_string(number) + rest;
        },
        [](Address::Inet, Reader, Writer writer) -> Deferred<> {
          writer.write("42 and more");
          co_return;
        });
    EXPECT_EQ(got, "42 and more");
  });
}

TEST(Socket_buf, is_bad_after_a_reset_and_says_so_when_asked_to_throw) {
  Scheduler::go([]() -> Deferred<> {
    co_await with_stream(
        [](std::iostream& stream) {
          stream.get();
          EXPECT_TRUE(stream.bad());
          stream.clear();
          stream.exceptions(std::ios::badbit);
          EXPECT_THROW(stream.get(), Io_error);
        },
        [](Address::Inet, Reader, Writer writer) -> Deferred<> { co_await writer.abort(); });
  });
}

TEST(Socket_buf, passes_on_megabytes_both_ways) {
  Scheduler::go([]() -> Deferred<> {
    const std::size_t got = co_await with_stream(
        [](std::iostream& stream) {
          const std::string block(100'000, 'b');
          std::size_t size = 0;
          std::string back(block.size(), '\0');
          for (int i = 0; i < 30; ++i) {
            stream.write(block.data(), static_cast<std::streamsize>(block.size())).flush();
            stream.read(back.data(), static_cast<std::streamsize>(back.size()));
            EXPECT_EQ(back, block);
            size += static_cast<std::size_t>(stream.gcount());
          }
          EXPECT_EQ(stream.tellp(), 3'000'000);
          EXPECT_EQ(stream.tellg(), 3'000'000);
          EXPECT_EQ(stream.seekg(5).fail(), true);
          return size;
        },
        echo<Address::Inet>);
    EXPECT_EQ(got, 3'000'000U);
  });
}

TEST(Socket_buf, takes_back_any_byte_any_number_of_times) {
  Scheduler::go([]() -> Deferred<> {
    co_await with_stream(
        [](std::iostream& stream) {
          EXPECT_EQ(stream.get(), 'a');
          stream.unget();
          EXPECT_EQ(stream.get(), 'a');
          for (const char c : {'3', '2', '1'}) stream.putback(c);
          std::string word;
          stream >> word;
          EXPECT_EQ(word, "123bc");
          EXPECT_FALSE(stream.bad());
        },
        [](Address::Inet, Reader, Writer writer) -> Deferred<> {
          writer.write("abc");
          co_return;
        });
  });
}

TEST(Socket_buf, gives_up_a_read_after_its_timeout_and_can_go_on) {
  Scheduler::go([]() -> Deferred<> {
    const auto go = std::make_shared<Ivar<>>();
    const auto scheduler = Thread_safe::this_scheduler();
    co_await with_stream(
        [go, scheduler](std::iostream& stream) {
          EXPECT_EQ(stream.get(), std::char_traits<char>::eof());
          EXPECT_TRUE(stream.bad());
          stream.clear();
          Thread_safe::block_on_async(scheduler, [go]() -> Deferred<> {
            go->fill();
            return determined();
          });
          while (stream.get() != 'x') stream.clear();
        },
        [go](Address::Inet, Reader, Writer writer) -> Deferred<> {
          co_await go->read();
          writer.write("x");
          co_await writer.flushed();
        },
        {.read_timeout = Span(20ms)});
  });
}

TEST(Socket_buf, hands_over_what_it_has_collected_when_it_is_destroyed) {
  Scheduler::go([]() -> Deferred<> {
    const Ivar<std::string> got;
    const auto server = co_await Tcp::Server::create(
        Tcp::on_port_chosen_by_os(), [got](Address::Inet, Reader reader, Writer) -> Deferred<> {
          got.fill(co_await reader.contents());
        });
    const auto connected = co_await Tcp::connect(at(server));
    co_await In_thread::run([stream = socket_stream(connected.reader, connected.writer)]() mutable {
      *stream << "not flushed";
      stream = nullptr;
    });
    connected.writer.shutdown_send();
    EXPECT_EQ(co_await got.read(), "not flushed");
    co_await end(server);
  });
}

TEST(Socket_buf, refuses_to_block_its_own_scheduler_and_to_have_no_buffer) {
  Scheduler::go([]() -> Deferred<> {
    const auto server =
        co_await Tcp::Server::create(Tcp::on_port_chosen_by_os(), echo<Address::Inet>);
    const auto connected = co_await Tcp::connect(at(server));
    const auto stream = socket_stream(connected.reader, connected.writer);
    stream->exceptions(std::ios::badbit);
    EXPECT_THROW(stream->get(), std::logic_error);
    EXPECT_THROW(Socket_buf(connected.reader, connected.writer, {.buffer_size = 0}),
                 std::invalid_argument);
    co_await connected.writer.close();
    co_await end(server);
  });
}

TEST(Socket_buf, of_a_scheduler_that_has_ended_is_bad) {
  std::unique_ptr<std::iostream> stream;
  Scheduler::go([&]() -> Deferred<> {
    const auto server =
        co_await Tcp::Server::create(Tcp::on_port_chosen_by_os(), echo<Address::Inet>);
    const auto connected = co_await Tcp::connect(at(server));
    stream = socket_stream(connected.reader, connected.writer);
  });
  stream->get();
  EXPECT_TRUE(stream->bad());
  *stream << "x";
  stream = nullptr;
}

}  // namespace
}  // namespace async
