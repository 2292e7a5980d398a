// Tells each client its address, as a proxy in front has seen it: behind_proxy PORT
// Shows the PROXY protocol: each connection has to begin with a header, and only one from this
// machine is believed. Try it: behind_proxy 7000 & curl --haproxy-protocol telnet://localhost:7000
#include <cstdio>
#include <string>

#include "tcp/proxy/proxy.h"
#include "tcp/tcp.h"

using namespace async;
using namespace std::chrono_literals;

static Deferred<> tell(Address::Inet from, Reader reader, Writer writer) {
  writer.write_line("you are " + to_string(from));
  while (auto line = co_await reader.read_line()) writer.write_line(*line);
}

static Deferred<int> run(int port) {
  auto server = co_await Tcp::Server::create(
      Tcp::on_port(port),
      {.proxy_protocol = Tcp::Proxy_protocol::accept(
           {.trusted = {Cidr::of_string("127.0.0.0/8"), Cidr::of_string("::1")}}),
       .tls_timeout = 5s},
      tell);
  std::printf("listening on %d\n", server.listening_on());
  std::fflush(stdout);
  co_await Shutdown::requested();
  co_await server.close({.close_existing_connections = true});
  const auto& counts = server.counts();
  std::printf("%llu clients, %llu of them without a proper header\n",
              static_cast<unsigned long long>(counts.accepted),
              static_cast<unsigned long long>(counts.upgrade_errors));
  co_return 0;
}

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: behind_proxy PORT\n");
    return 2;
  }
  return Scheduler::go_main([=] { return run(std::stoi(argv[1])); });
}
