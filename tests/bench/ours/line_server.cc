// Answers each line with itself: line_server PORT each|batch.  It waits for what it has written
// after each line, as README.md does it, or when it has answered all that have arrived.
#include <cstdio>
#include <string>
#include <string_view>

#include "tcp/tcp.h"

using namespace async;

static Deferred<> answer(bool each, Reader reader, Writer writer) {
  while (auto line = co_await reader.read_line()) {
    writer.write_line(*line);
    if (each || reader.bytes_available() == 0) co_await writer.flushed();
  }
}

static Deferred<int> run(int port, bool each) {
  auto server = co_await Tcp::Server::create(
      Tcp::on_port(port), {.max_connections = 10'000},
      [each](Address::Inet, Reader reader, Writer writer) { return answer(each, reader, writer); });
  std::printf("listening on %d\n", server.listening_on());
  std::fflush(stdout);
  co_await Shutdown::requested();
  co_await server.close();
  co_return 0;
}

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  return Scheduler::go_main(
      [=] { return run(std::stoi(argv[1]), argv[2] == std::string_view("each")); });
}
