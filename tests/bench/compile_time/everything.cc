// Includes everything public and uses one server: how long that compiles, and what it includes, is
// tested.

#include "async/async.h"
#include "async/backend.h"
#include "async/io/network.h"
#include "async/io/transport_layer.h"
#include "async/testing/sim_backend.h"
#include "async/testing/sim_unconnected_socket.h"
#include "async/testing/simulation.h"
#include "async/unit.h"
#include "reader_writer/connection.h"
#include "reader_writer/socket_buf.h"
#include "tcp/stop.h"
#include "tcp/tcp.h"

using namespace async;

static Deferred<> echo(Address::Inet, Reader reader, Writer writer) {
  while (auto chunk = co_await reader.read_chunk()) {
    writer.write(*chunk);
    co_await writer.flushed();
  }
}

static Deferred<int> run() {
  auto server = co_await Tcp::Server::create(Tcp::on_port_chosen_by_os(), echo);
  co_await Shutdown::requested();
  co_await server.close();
  co_return 0;
}

int main() { return Scheduler::go_main(run); }
