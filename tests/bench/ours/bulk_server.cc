// Sends or receives BULK_BYTES bytes: bulk_server PORT send|receive|both copying|sharing
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

#include "tcp/tcp.h"

using namespace async;

static std::uint64_t bulk_bytes() {
  const char* text = std::getenv("BULK_BYTES");
  return text != nullptr ? std::stoull(text) : 1 << 30;
}

static Deferred<> send(Writer writer, bool copying) {
  const auto block = std::make_shared<const std::string>(64 * 1024, 'x');
  for (std::uint64_t left = bulk_bytes(); left > 0;) {
    const std::string_view bytes = std::string_view(*block).substr(0, left);
    if (copying) {
      writer.write(bytes);
    } else {
      writer.schedule(bytes, block);
    }
    left -= bytes.size();
    if (co_await writer.flushed() != Flush_result::Flushed) co_return;
  }
}

static Deferred<std::uint64_t> receive(Reader reader) {
  std::uint64_t received = 0;
  while (auto chunk = co_await reader.read_chunk()) received += chunk->size();
  co_return received;
}

static Deferred<> serve(std::string mode, bool copying, Reader reader, Writer writer) {
  if (mode == "receive") {
    writer.write_line(std::to_string(co_await receive(reader)));
    co_return;
  }
  if (mode == "send") co_return co_await send(writer, copying);
  auto received = receive(reader);
  co_await send(writer, copying);
  co_await received;
}

static Deferred<int> run(int port, std::string mode, bool copying) {
  auto server = co_await Tcp::Server::create(
      Tcp::on_port(port), [mode, copying](Address::Inet, Reader reader, Writer writer) {
        return serve(mode, copying, reader, writer);
      });
  std::printf("listening on %d\n", server.listening_on());
  std::fflush(stdout);
  co_await Shutdown::requested();
  co_await server.close();
  co_return 0;
}

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  return Scheduler::go_main(
      [=] { return run(std::stoi(argv[1]), argv[2], argv[3] == std::string_view("copying")); });
}
