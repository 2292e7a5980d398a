// Passes every connection on to a server, and tells it first whose it is, by the PROXY protocol:
// announcing_proxy LISTEN_PORT HOST PORT [1|2]. Try it with behind_proxy as the server.
#include <cstdio>
#include <string>

#include "tcp/proxy/proxy.h"
#include "tcp/tcp.h"

using namespace async;
using namespace std::chrono_literals;

using Socket_of_client = Socket<Socket_state::Active, Address::Inet>;

static Deferred<> pass_on(Reader from, Writer to) {
  if (co_await to.splice(from) == Flush_result::Flushed) to.shutdown_send();
}

static Deferred<> serve(std::string host, int port, Tcp::Proxy_protocol::Version version,
                        Address::Inet from, Socket_of_client client) {
  const Tcp::Proxy_protocol::Ends ends = {.source = from, .destination = client.getsockname()};
  co_await Tcp::with_connection(
      Tcp::to_host_and_port(host, port),
      {.timeout = 10s, .via = Tcp::Proxy_protocol::send({.version = version, .client = ends})},
      [client](auto /*socket*/, Reader server, Writer to_server) -> Deferred<> {
        to_server.set_raise_when_consumer_leaves(false);
        co_await all_unit({pass_on(client.reader(), to_server), pass_on(server, client.writer())});
      });
}

static Deferred<int> run(int listen_port, std::string host, int port,
                         Tcp::Proxy_protocol::Version version) {
  auto server = co_await Tcp::Server::create_sock(
      Tcp::on_port(listen_port),
      {.on_handler_error = Tcp::On_handler_error::call([](Address::Inet from, const Error& error) {
         std::fprintf(stderr, "%s: %s\n", to_string(from).c_str(), error.what());
       })},
      [=](Address::Inet from, Socket_of_client client) {
        return serve(host, port, version, from, client);
      });
  std::printf("listening on %d\n", server.listening_on());
  std::fflush(stdout);
  co_await Shutdown::requested();
  co_await server.close({.close_existing_connections = true});
  co_return 0;
}

int main(int argc, char** argv) {
  if (argc != 4 && argc != 5) {
    std::fprintf(stderr, "usage: announcing_proxy LISTEN_PORT HOST PORT [1|2]\n");
    return 2;
  }
  const bool is_v1 = argc == 5 && std::string(argv[4]) == "1";
  const auto version = is_v1 ? Tcp::Proxy_protocol::Version::V1 : Tcp::Proxy_protocol::Version::V2;
  return Scheduler::go_main(
      [=] { return run(std::stoi(argv[1]), argv[2], std::stoi(argv[3]), version); });
}
