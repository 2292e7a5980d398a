// Asio with coroutines.  coroutines PORT MODE
#include <asio.hpp>
#include <asio/experimental/as_tuple.hpp>
#include <asio/experimental/awaitable_operators.hpp>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

using asio::awaitable;
using asio::ip::tcp;
using namespace asio::experimental::awaitable_operators;

// Errors are results rather than exceptions.
static constexpr auto as_result = asio::experimental::as_tuple(asio::use_awaitable);

static std::uint64_t number(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text != nullptr ? std::strtoull(text, nullptr, 10) : otherwise;
}

static const std::size_t read_size = number("READ_SIZE", 16 * 1024);
static const std::uint64_t bulk_bytes = number("BULK_BYTES", 1 << 30);

static awaitable<void> echo(tcp::socket socket) {
  const std::unique_ptr<char[]> buffer(new char[read_size]);
  for (;;) {
    auto [read_error, n] =
        co_await socket.async_read_some(asio::buffer(buffer.get(), read_size), as_result);
    if (read_error) co_return;
    auto [write_error, m] =
        co_await asio::async_write(socket, asio::buffer(buffer.get(), n), as_result);
    if (write_error) co_return;
  }
}

/// Answers each line with itself, and all lines that have arrived at once.
static awaitable<void> lines(tcp::socket socket) {
  std::string input;
  std::string output;
  for (;;) {
    auto [read_error, first_end] =
        co_await asio::async_read_until(socket, asio::dynamic_buffer(input), '\n', as_result);
    if (read_error) co_return;
    output.clear();
    std::size_t begin = 0;
    std::size_t end = first_end;
    do {
      output.append(input, begin, end - begin);
      begin = end;
      end = input.find('\n', begin) + 1;
    } while (end != 0);
    input.erase(0, begin);
    auto [write_error, n] = co_await asio::async_write(socket, asio::buffer(output), as_result);
    if (write_error) co_return;
  }
}

static awaitable<void> send(tcp::socket& socket) {
  static const std::string block(64 * 1024, 'x');
  for (std::uint64_t left = bulk_bytes; left > 0;) {
    auto [error, n] = co_await asio::async_write(socket, asio::buffer(block, left), as_result);
    if (error) co_return;
    left -= n;
  }
}

static awaitable<std::uint64_t> receive(tcp::socket& socket) {
  constexpr std::size_t size = 64 * 1024;
  const std::unique_ptr<char[]> buffer(new char[size]);
  for (std::uint64_t received = 0;;) {
    auto [error, n] = co_await socket.async_read_some(asio::buffer(buffer.get(), size), as_result);
    if (error) co_return received;
    received += n;
  }
}

static awaitable<void> send_much(tcp::socket socket) { co_await send(socket); }

static awaitable<void> receive_much(tcp::socket socket) {
  const std::string answer = std::to_string(co_await receive(socket)) + "\n";
  co_await asio::async_write(socket, asio::buffer(answer), as_result);
}

static awaitable<void> do_both(tcp::socket socket) { co_await (send(socket) && receive(socket)); }

static awaitable<void> accept(tcp::acceptor acceptor, awaitable<void> (*serve)(tcp::socket)) {
  for (;;) {
    auto [error, socket] = co_await acceptor.async_accept(as_result);
    if (error) continue;
    socket.set_option(tcp::no_delay(true));
    asio::co_spawn(acceptor.get_executor(), serve(std::move(socket)), asio::detached);
  }
}

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const std::string_view mode = argv[2];
  const auto serve = mode == "echo"      ? echo
                     : mode == "line"    ? lines
                     : mode == "send"    ? send_much
                     : mode == "receive" ? receive_much
                                         : do_both;
  asio::io_context context(1);  // one thread, so that it need not lock
  const auto port = static_cast<unsigned short>(std::atoi(argv[1]));
  tcp::acceptor acceptor(context, {asio::ip::address_v4::loopback(), port});
  asio::co_spawn(context, accept(std::move(acceptor), serve), asio::detached);
  context.run();
}
