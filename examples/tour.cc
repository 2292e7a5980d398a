// What the library is for, on real sockets, in a few seconds. It ends with 0 if everything went as
// it should.
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <vector>

#include "tcp/tcp.h"

using namespace async;
using namespace std::chrono_literals;

namespace {

int failures = 0;

void title(const char* text) { std::printf("\n\033[1m%s\033[0m\n", text); }

// Says what happened, and whether that is what should have.
void say(bool is_right, const std::string& text) {
  std::printf("  %s %s\n", is_right ? "\033[32m✓\033[0m" : "\033[31m✗\033[0m", text.c_str());
  std::fflush(stdout);
  if (!is_right) ++failures;
}

Deferred<> echo(Address::Inet, Reader reader, Writer writer) {
  while (auto line = co_await reader.read_line()) {
    if (*line == "boom") throw std::runtime_error("boom");
    writer.write_line(*line);
    co_await writer.flushed();
  }
}

// What a server answers to `line`; nothing if it hangs up.
Deferred<Read_result<std::string>> ask(int port, std::string line) {
  return Tcp::with_connection(
      Tcp::to_host_and_port("localhost", port),
      [line](auto /*socket*/, Reader reader, Writer writer) -> Deferred<Read_result<std::string>> {
        writer.write_line(line);
        co_return co_await reader.read_line();
      });
}

// What a shell command prints.
Deferred<std::string> shell(std::string command) {
  return In_thread::run([command] {
    std::string output;
    if (FILE* pipe = popen(command.c_str(), "r")) {
      char part[256];
      while (std::fgets(part, sizeof part, pipe)) output += part;
      pclose(pipe);
    }
    return output;
  });
}

Deferred<> clients() {
  title("An echo server, and those who talk to it");
  auto server = co_await Tcp::Server::create(Tcp::on_port_chosen_by_os(), echo);
  const int port = server.listening_on();
  std::printf("  %s\n", to_string(server).c_str());

  const std::string answer =
      co_await shell("printf 'hello from nc\\n' | nc -N 127.0.0.1 " + std::to_string(port));
  say(answer == "hello from nc\n", "nc, a foreign client, gets its line back");

  const auto line = co_await ask(port, "hello from with_connection");
  say(line && *line == "hello from with_connection",
      "a scoped client gets its line back, and is closed");

  std::vector<Deferred<Read_result<std::string>>> answers;
  answers.reserve(500);
  for (int i = 0; i < 500; ++i) answers.push_back(ask(port, "number " + std::to_string(i)));
  int right = 0;
  for (int i = 0; const auto& one : co_await all(std::move(answers)))
    right += one == "number " + std::to_string(i++);
  say(right == 500, "500 scoped clients at the same time get theirs");
  co_await server.close();
  co_await server.close_finished_and_handlers_determined();
}

Deferred<> connecting() {
  title("Connecting, with one deadline and one interrupt over all of it");
  // A socket whose queue is full does not answer.
  using Unconnected = Socket<Socket_state::Unconnected, Address::Inet>;
  const auto silent =
      Unconnected::create(Ip_version::V4).bind(Address::Inet(Inet_addr::localhost(), 0)).listen(0);
  std::vector<Deferred<Tcp::Connected<Address::Inet>>> in_the_queue;
  in_the_queue.reserve(2);
  for (int i = 0; i < 2; ++i)
    in_the_queue.push_back(Tcp::connect(Tcp::to_inet_address(silent.getsockname())));
  co_await Clock::after(50ms);

  const Time_ns begin = Clock::now();
  try {
    co_await Tcp::connect(Tcp::to_inet_address(silent.getsockname()), {.timeout = 300ms});
    say(false, "a server that does not answer was connected to");
  } catch (const Tcp::Connect_error& error) {
    const Span took = Clock::now() - begin;
    say(error.kind() == Tcp::Connect_error::Kind::Timed_out && took >= 300ms && took < 600ms,
        std::string(error.what()) + ", after 300ms");
  }

  Ivar<> interrupt;
  Clock::Event::run_after(100ms, [interrupt] { interrupt.fill(); });
  try {
    co_await Tcp::connect(Tcp::to_inet_address(silent.getsockname()),
                          {.interrupt = interrupt.read()});
    say(false, "a server that does not answer was connected to");
  } catch (const Tcp::Connect_error& error) {
    say(error.kind() == Tcp::Connect_error::Kind::Interrupted,
        std::string(error.what()) + ", after 100ms");
  }

  const auto free_port =
      Unconnected::create(Ip_version::V4).bind(Address::Inet(Inet_addr::localhost(), 0));
  try {
    co_await Tcp::connect(Tcp::to_inet_address(free_port.getsockname()));
    say(false, "nobody was connected to");
  } catch (const Tcp::Connect_error& error) {
    say(error.kind() == Tcp::Connect_error::Kind::Refused, error.what());
  }
}

Deferred<> handler_errors() {
  title("A handler that raises, under each on_handler_error");
  auto ignoring = co_await Tcp::Server::create(
      Tcp::on_port_chosen_by_os(), {.on_handler_error = Tcp::On_handler_error::ignore()}, echo);
  const auto nothing = co_await ask(ignoring.listening_on(), "boom");
  const auto next = co_await ask(ignoring.listening_on(), "still there?");
  say(!nothing && next == "still there?" && ignoring.counts().handler_errors == 1,
      "ignore: that client is closed, the next one is served");

  std::string told;
  auto calling = co_await Tcp::Server::create(
      Tcp::on_port_chosen_by_os(),
      {.on_handler_error = Tcp::On_handler_error::call(
           [&told](const Address::Inet&, const Error& error) { told = error.what(); })},
      echo);
  co_await ask(calling.listening_on(), "boom");
  say(told == "boom" && !calling.is_closed(), "call: a function is told of the \"" + told + "\"");

  const Monitor monitor = Monitor::create("of the raising server");
  const Deferred<Error> error = monitor.detach_and_get_next_error();
  auto raising = co_await Scheduler::within({.monitor = monitor}, [] {
    return Tcp::Server::create(Tcp::on_port_chosen_by_os(),
                               {.on_handler_error = Tcp::On_handler_error::raise()}, echo);
  });
  co_await ask(raising.listening_on(), "boom");
  say(std::string((co_await error).what()) == "boom" && raising.is_closed(),
      "raise: the server stops accepting, and the error reaches the monitor that made it");
  co_await ignoring.close();
  co_await calling.close();
}

Deferred<> limits() {
  title("max_connections holds the next client back, in the kernel's queue");
  auto server =
      co_await Tcp::Server::create(Tcp::on_port_chosen_by_os(), {.max_connections = 2}, echo);
  const auto where = Tcp::to_host_and_port("localhost", server.listening_on());
  auto first = co_await Tcp::connect(where);
  auto second = co_await Tcp::connect(where);
  auto third = co_await Tcp::connect(where);
  third.writer.write_line("may I?");
  const Deferred<Read_result<std::string>> answer = third.reader.read_line();
  const bool was_held_back = !co_await Clock::with_timeout(200ms, answer);
  say(was_held_back && server.num_connections() == 2,
      "with two clients served, the third is connected, but not accepted");
  co_await first.writer.close();
  say(*co_await answer == "may I?", "it is served when one of the two has gone");

  title("A graceful stop");
  second.writer.write_line("one more");
  co_await server.close();
  const bool refused = !co_await or_error(Tcp::connect(where));
  say(refused && *co_await second.reader.read_line() == "one more",
      "nobody new gets in, and those who are in are served to the end");
  const Deferred<> all_done = server.close_finished_and_handlers_determined();
  const bool was_waiting = !all_done.is_determined();
  co_await second.writer.close();
  co_await third.writer.close();
  co_await all_done;
  say(was_waiting && server.num_connections() == 0, "it is over when the last of them has gone");
  server.invariant();
}

Deferred<int> run() {
  co_await clients();
  co_await connecting();
  co_await handler_errors();
  co_await limits();
  std::printf("\n%s\n", failures == 0 ? "Everything went as it should." : "Something went wrong.");
  co_return failures == 0 ? 0 : 1;
}

}  // namespace

int main() { return Scheduler::go_main(run); }
