// examples/echo_server for more connections than that allows, or with reads of READ_SIZE bytes:
// big_echo_server PORT
#include <cstdio>
#include <cstdlib>
#include <string>

#include "tcp/tcp.h"

using namespace async;

static Deferred<> echo(Address::Inet, Reader reader, Writer writer) {
  while (auto chunk = co_await reader.read_chunk()) {
    writer.write(*chunk);
    co_await writer.flushed();
  }
}

static Deferred<int> run(int port) {
  Tcp::Server::Options<Address::Inet> options = {.max_connections = 50'000};
  if (const char* size = std::getenv("READ_SIZE")) options.reader_buffer_size = std::stoul(size);
  auto server = co_await Tcp::Server::create(Tcp::on_port(port), options, echo);
  std::printf("listening on %d\n", server.listening_on());
  std::fflush(stdout);
  co_await Shutdown::requested();
  co_await server.close();
  co_return 0;
}

int main(int argc, char** argv) {
  return Scheduler::go_main([=] { return run(argc > 1 ? std::stoi(argv[1]) : 0); });
}
