// Asio's TLS, over BoringSSL, with coroutines.  tls PORT MODE CERTIFICATE KEY
#include <array>
#include <asio.hpp>
#include <asio/experimental/as_tuple.hpp>
#include <asio/ssl.hpp>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>

using asio::awaitable;
using asio::ip::tcp;
using Stream = asio::ssl::stream<tcp::socket>;

// Errors are results rather than exceptions.
static constexpr auto as_result = asio::experimental::as_tuple(asio::use_awaitable);

static std::uint64_t bulk_bytes() {
  const char* text = std::getenv("BULK_BYTES");
  return text != nullptr ? std::strtoull(text, nullptr, 10) : 1 << 30;
}

static awaitable<void> echo(Stream& stream) {
  std::array<char, 16 * 1024> buffer;
  for (;;) {
    const auto [read_error, n] = co_await stream.async_read_some(asio::buffer(buffer), as_result);
    if (read_error) co_return;
    const auto [write_error, written] =
        co_await asio::async_write(stream, asio::buffer(buffer, n), as_result);
    if (write_error) co_return;
  }
}

static awaitable<void> send(Stream& stream) {
  static const std::string block(64 * 1024, 'x');
  for (std::uint64_t left = bulk_bytes(); left > 0;) {
    const auto [error, n] =
        co_await asio::async_write(stream, asio::buffer(block, left), as_result);
    if (error) co_return;
    left -= n;
  }
}

static awaitable<void> receive(Stream& stream) {
  std::array<char, 16 * 1024> buffer;  // it never gives more than one record at once
  std::uint64_t received = 0;
  for (;;) {
    const auto [error, n] = co_await stream.async_read_some(asio::buffer(buffer), as_result);
    if (error) break;
    received += n;
  }
  const std::string answer = std::to_string(received) + "\n";
  co_await asio::async_write(stream, asio::buffer(answer), as_result);
}

static awaitable<void> serve(Stream stream, std::string_view mode) {
  const auto [error] = co_await stream.async_handshake(Stream::server, as_result);
  if (error) co_return;
  if (mode == "send") {
    co_await send(stream);
  } else if (mode == "receive") {
    co_await receive(stream);
  } else {
    co_await echo(stream);
  }
  co_await stream.async_shutdown(as_result);
}

static awaitable<void> accept(tcp::acceptor acceptor, asio::ssl::context& tls,
                              std::string_view mode) {
  for (;;) {
    auto [error, socket] = co_await acceptor.async_accept(as_result);
    if (error) continue;
    socket.set_option(tcp::no_delay(true));
    asio::co_spawn(acceptor.get_executor(), serve(Stream(std::move(socket), tls), mode),
                   asio::detached);
  }
}

int main(int argc, char** argv) {
  if (argc != 5) return 2;
  asio::io_context context(1);  // one thread, so that it need not lock
  asio::ssl::context tls(asio::ssl::context::tlsv13_server);
  tls.use_certificate_chain_file(argv[3]);
  tls.use_private_key_file(argv[4], asio::ssl::context::pem);
  const auto port = static_cast<unsigned short>(std::atoi(argv[1]));
  tcp::acceptor acceptor(context, {asio::ip::address_v4::loopback(), port});
  asio::co_spawn(context, accept(std::move(acceptor), tls, argv[2]), asio::detached);
  context.run();
}
