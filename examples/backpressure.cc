// A source that is faster than its client: two ways to hold no more than a little for it.
#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>

#include "tcp/tcp.h"

using namespace async;
using namespace std::chrono_literals;

static const std::string block(16 * 1024, 'x');
static constexpr int blocks = 1000;

// 1. Waits when the client does not keep up.
static Deferred<> send_all(Writer writer) {
  for (int i = 0; i < blocks; ++i) {
    writer.write(block);
    co_await writer.pushed_back();
  }
}

// 2. Leaves out what the client has no time for, as a stream of pictures does.
static Deferred<> send_what_fits(Writer writer) {
  int sent = 0;
  for (int i = 0; i < blocks; ++i) {
    if (writer.try_write(block)) ++sent;
    if (i % 10 == 0) co_await Scheduler::yield();
  }
  std::fprintf(stderr, "%d of %d blocks were sent\n", sent, blocks);
}

struct Source {
  bool waits = true;
  std::size_t most_held = 0;
};

static Deferred<int> run() {
  // What a server calls may outlive whoever created it: hence shared.
  const auto source = std::make_shared<Source>();
  auto server = co_await Tcp::Server::create(
      Tcp::on_port_chosen_by_os(), [source](Address::Inet, Reader, Writer writer) -> Deferred<> {
        writer.set_water_marks({.high = 256 * 1024, .low = 64 * 1024});
        Clock::every(1ms, {.stop = writer.close_finished().map([](auto) {})}, [source, writer] {
          source->most_held = std::max(source->most_held, writer.bytes_to_write());
        });
        co_await (source->waits ? send_all(writer) : send_what_fits(writer));
      });
  const auto where = Tcp::to_host_and_port("localhost", server.listening_on());
  const auto read_slowly = [](auto, Reader reader, Writer) -> Deferred<std::size_t> {
    std::size_t total = 0;
    while (auto bytes = co_await reader.read(64 * 1024)) {
      total += bytes->size();
      co_await Clock::after(1ms);
    }
    co_return total;
  };

  const std::size_t all = co_await Tcp::with_connection(where, read_slowly);
  std::printf("who waits sends all: %s\n", all == blocks * block.size() ? "yes" : "no");
  source->waits = false;
  const std::size_t some = co_await Tcp::with_connection(where, read_slowly);
  std::printf("who does not wait leaves out whole blocks: %s\n",
              some < all && some % block.size() == 0 ? "yes" : "no");
  std::printf("held at most: %s\n", source->most_held <= 512 * 1024 ? "little" : "much");
  co_await server.close();
  co_return 0;
}

int main() { return Scheduler::go_main(run); }
