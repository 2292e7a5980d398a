// Every client gets its own bytes back, on sockets that somebody else has opened: activated_server.
// Try it: systemd-socket-activate -l 7000 ./activated_server, and then nc localhost 7000
#include <cstdio>
#include <string>
#include <vector>

#include "tcp/tcp.h"

using namespace async;

static Deferred<> echo(Address::Any, Reader reader, Writer writer) {
  while (auto chunk = co_await reader.read_chunk()) {
    writer.write(*chunk);
    co_await writer.flushed();
  }
}

static Deferred<int> run() {
  auto sockets = Tcp::Inherited_sockets::take();
  std::vector<Tcp::Where_to_listen<Address::Any, Address::Any>> where;
  for (std::size_t n = 0; n < sockets.size(); ++n) {
    std::printf("socket %zu is called %s\n", n, sockets.name(n).c_str());
    where.push_back(Tcp::on_inherited_socket<Address::Any>(sockets, n));
  }
  if (where.empty()) {
    std::printf("there are no sockets; choosing a port\n");
    where.push_back(Tcp::on_port_chosen_by_os().as_any());
  }
  auto server = co_await Tcp::Server::create(where, echo);
  for (const Address::Any& address : server.listening_on_all()) {
    std::printf("listening on %s\n", to_string(address).c_str());
  }
  std::fflush(stdout);
  co_await Shutdown::requested();  // SIGINT or SIGTERM
  const auto report = co_await server.stop({.wait = std::chrono::seconds(5)});
  std::printf("%d were served to the end, %d were cut off\n", report.finished, report.aborted);
  co_return 0;
}

int main() { return Scheduler::go_main(run); }
