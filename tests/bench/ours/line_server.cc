// Answers each line with itself: line_server PORT
#include <cstdio>
#include <string>

#include "tcp/tcp.h"

using namespace async;

static Deferred<> answer(Address::Inet, Reader reader, Writer writer) {
  while (auto line = co_await reader.read_line()) {
    writer.write_line(*line);
    co_await writer.flushed();
  }
}

static Deferred<int> run(int port) {
  auto server =
      co_await Tcp::Server::create(Tcp::on_port(port), {.max_connections = 10'000}, answer);
  std::printf("listening on %d\n", server.listening_on());
  std::fflush(stdout);
  co_await Shutdown::requested();
  co_await server.close();
  co_return 0;
}

int main(int argc, char** argv) {
  return Scheduler::go_main([=] { return run(argc > 1 ? std::stoi(argv[1]) : 0); });
}
