#include "tests/bench/counts/echo_operations.h"

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <utility>

#include "async/testing/simulation.h"
#include "tcp/tcp.h"

namespace async::bench {
namespace {

constexpr std::size_t message_size = 64;

Deferred<> echo(Address::Inet, Reader reader, Writer writer) {
  while (const auto chunk = co_await reader.read_chunk()) {
    writer.write(*chunk);
    co_await writer.flushed();
  }
}

Deferred<> ask(Reader reader, Writer writer, std::uint64_t n) {
  const std::string question(message_size, 'x');
  std::array<char, message_size> answer;
  while (n--) {
    writer.write(question);
    for (std::size_t received = 0; received < answer.size();) {
      received += (co_await reader.read(std::span(answer).subspan(received))).value();
    }
  }
}

Deferred<> converse(std::uint64_t n) {
  auto server = co_await Tcp::Server::create(Tcp::on_port_chosen_by_os(), echo);
  co_await Tcp::with_connection(
      Tcp::to_host_and_port("127.0.0.1", server.listening_on()),
      [n](auto, Reader reader, Writer writer) { return ask(reader, writer, n); });
  co_await server.close();
  co_await server.close_finished_and_handlers_determined();
}

void over_loopback(std::uint64_t n) {
  Scheduler::go([n] { return converse(n); });
}

void in_simulation(std::uint64_t n) {
  testing::Simulation({.seed = 1}).run([n] { return converse(n); });
}

}  // namespace

std::vector<Operation> echo_operations() {
  return {{"echo over loopback", over_loopback}, {"echo in simulation", in_simulation}};
}

}  // namespace async::bench
