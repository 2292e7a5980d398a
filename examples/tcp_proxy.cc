// Passes every connection on to another server: tcp_proxy LISTEN_PORT HOST PORT
#include <cstdio>
#include <string>

#include "tcp/tcp.h"

using namespace async;
using namespace std::chrono_literals;

// Passes on what arrives, and then that nothing more will.  A slow receiver slows its sender down.
static Deferred<> pass_on(Reader from, Writer to) {
  if (co_await to.splice(from) == Flush_result::Flushed) to.shutdown_send();
}

static Deferred<> serve(std::string host, int port, Reader client, Writer to_client) {
  co_await Tcp::with_connection(
      Tcp::to_host_and_port(host, port), {.timeout = 10s},
      [client, to_client](auto /*socket*/, Reader server, Writer to_server) -> Deferred<> {
        to_server.set_raise_when_consumer_leaves(false);
        co_await all_unit({pass_on(client, to_server), pass_on(server, to_client)});
      });
}

static Deferred<int> run(int listen_port, std::string host, int port) {
  auto server = co_await Tcp::Server::create(
      Tcp::on_port(listen_port),
      {.on_handler_error = Tcp::On_handler_error::call([](Address::Inet from, const Error& error) {
         std::fprintf(stderr, "%s: %s\n", to_string(from).c_str(), error.what());
       })},
      [host, port](Address::Inet, Reader reader, Writer writer) {
        return serve(host, port, reader, writer);
      });
  std::printf("listening on %d\n", server.listening_on());
  std::fflush(stdout);
  co_await Shutdown::requested();
  co_await server.close({.close_existing_connections = true});
  co_return 0;
}

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: tcp_proxy LISTEN_PORT HOST PORT\n");
    return 2;
  }
  return Scheduler::go_main([=] { return run(std::stoi(argv[1]), argv[2], std::stoi(argv[3])); });
}
