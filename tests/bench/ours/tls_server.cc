// Echoes, sends BULK_BYTES bytes, or receives, over TLS:
// tls_server PORT echo|send|receive CERTIFICATE KEY
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

#include "tcp/tcp.h"
#include "tcp/tls/tls.h"

using namespace async;

static std::uint64_t bulk_bytes() {
  const char* text = std::getenv("BULK_BYTES");
  return text != nullptr ? std::stoull(text) : 1 << 30;
}

static Deferred<> echo(Address::Inet, Reader reader, Writer writer) {
  while (auto chunk = co_await reader.read_chunk()) {
    writer.write(*chunk);
    co_await writer.pushed_back();
  }
}

static Deferred<> send(Address::Inet, Reader, Writer writer) {
  const auto block = std::make_shared<const std::string>(64 * 1024, 'x');
  for (std::uint64_t left = bulk_bytes(); left > 0;) {
    const std::string_view bytes = std::string_view(*block).substr(0, left);
    writer.schedule(bytes, block);
    left -= bytes.size();
    if (co_await writer.flushed() != Flush_result::Flushed) co_return;
  }
}

static Deferred<> receive(Address::Inet, Reader reader, Writer writer) {
  std::uint64_t received = 0;
  while (auto chunk = co_await reader.read_chunk()) received += chunk->size();
  writer.write_line(std::to_string(received));
}

template <class Handler>
static Deferred<int> run(int port, std::string certificate, std::string key, Handler handler) {
  auto tls = Tls::server(
      {.certificate_chain = certificate, .private_key = key, .min_version = Tls::Version::Tls_1_3});
  auto server = co_await Tcp::Server::create(
      Tcp::on_port(port), {.max_connections = 10'000, .tls = std::move(tls)}, handler);
  std::printf("listening on %d\n", server.listening_on());
  std::fflush(stdout);
  co_await Shutdown::requested();
  co_await server.close();
  co_return 0;
}

int main(int argc, char** argv) {
  if (argc != 5) return 2;
  const std::string mode = argv[2];
  return Scheduler::go_main([=] {
    const int port = std::stoi(argv[1]);
    if (mode == "send") return run(port, argv[3], argv[4], send);
    if (mode == "receive") return run(port, argv[3], argv[4], receive);
    return run(port, argv[3], argv[4], echo);
  });
}
