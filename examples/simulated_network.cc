// A server and its clients on simulated machines: a day of their lives takes no time, and is the
// same each time.
#include <cstdio>
#include <string>
#include <vector>

#include "async/testing/simulation.h"
#include "tcp/tcp.h"

using namespace async;
using namespace std::chrono_literals;

// Nothing in here knows that the machines are not real.
static Deferred<> serve_time(Address::Inet, Reader reader, Writer writer) {
  while (co_await reader.read_line())
    writer.write_line("it is " + to_string(Span(Clock::now().time_since_epoch() % 24h)));
}

static Deferred<> ask_every_hour(int number) {
  co_await Tcp::with_connection(Tcp::to_host_and_port("time.example", 37),
                                [number](auto, Reader reader, Writer writer) -> Deferred<> {
                                  for (int hour = 0; hour < 24; ++hour) {
                                    writer.write_line("what time is it?");
                                    auto line = co_await reader.read_line();
                                    if (hour % 8 == 0)
                                      std::printf("client %d: %s\n", number,
                                                  line ? line->c_str() : "?");
                                    co_await Clock::after(1h);
                                  }
                                });
}

int main() {
  testing::Simulation simulation({.seed = 1});
  const testing::Host server = simulation.host("server");
  simulation.set_name("time.example", server.addrs(), {.delay = 30ms});
  simulation.run([&]() -> Deferred<> {
    auto listening = co_await server.within(
        [] { return Tcp::Server::create(Tcp::on_port(37), {.max_connections = 2}, serve_time); });
    std::vector<Deferred<>> clients;
    for (int i = 1; i <= 3; ++i) {
      clients.push_back(
          simulation.host("client " + std::to_string(i)).within([i] { return ask_every_hour(i); }));
    }
    co_await all_unit(std::move(clients));  // the third has to wait for a day
    co_await listening.close();
  });
  const std::string trace = simulation.trace();
  std::printf("the first things that went over the network:\n%s",
              trace.substr(0, trace.find("\n1h") + 1).c_str());
  return 0;
}
