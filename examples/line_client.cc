// Sends each line of standard input to a server, and prints each line that comes back:
// line_client HOST PORT. Try it: nc -lk 7000 & line_client localhost 7000
#include <cstdio>
#include <iostream>
#include <optional>
#include <string>

#include "tcp/tcp.h"

using namespace async;
using namespace std::chrono_literals;

// Standard input blocks, so it is read in a thread.
static Deferred<std::optional<std::string>> read_stdin_line() {
  return In_thread::run([]() -> std::optional<std::string> {
    std::string line;
    if (!std::getline(std::cin, line)) return std::nullopt;
    return line;
  });
}

static Deferred<> print_lines(Reader reader) {
  while (auto line = co_await reader.read_line()) {
    std::printf("%s\n", line->c_str());
    std::fflush(stdout);
  }
}

static Deferred<int> run(std::string host, int port) {
  try {
    co_await Tcp::with_connection(
        Tcp::to_host_and_port(host, port), {.timeout = 5s},
        [](auto /*socket*/, Reader reader, Writer writer) -> Deferred<> {
          const Deferred<> all_printed = print_lines(reader);
          while (auto line = co_await read_stdin_line()) {
            writer.write_line(*line);
            co_await writer.flushed();
          }
          writer.shutdown_send();  // no more questions, but there may be answers
          co_await all_printed;
        });
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    co_return 1;
  }
  co_return 0;
}

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: line_client HOST PORT\n");
    return 2;
  }
  return Scheduler::go_main([=] { return run(argv[1], std::stoi(argv[2])); });
}
