#include <deque>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/bench/load/loads.h"
#include "tests/bench/load/system.h"

namespace bench {

Row growth_load(const Options& options, const Open& open) {
  const Messages messages(options.size, options.depth);
  // What a server sets up for its very first client is not to be counted.
  const auto first = open(connect_to(options.port));
  converse(*first, messages.at(0, messages.size()));
  wait_until_idle(options.pids);

  Row row;
  const std::uint64_t before = resident_bytes(options.pids);
  const auto add_bytes = [&](std::string_view name) {
    const auto now = static_cast<double>(resident_bytes(options.pids));
    row.add(name, (now - static_cast<double>(before)) / options.connections);
  };

  std::vector<std::unique_ptr<Stream>> streams;
  for (int i = 0; i < options.connections; ++i) {
    streams.push_back(open(connect_to(options.port, i % options.sources)));
  }
  wait_until_idle(options.pids);
  add_bytes("idle_bytes");

  for (int i = 0; i < options.connections; ++i) {
    const auto n = static_cast<std::size_t>(i);
    converse(*streams[n], messages.at(n * messages.size(), messages.size()));
  }
  wait_until_idle(options.pids);
  add_bytes("used_bytes");

  Loop loop;
  Replies replies;
  std::deque<Client> clients;
  for (int i = 0; i < options.connections; ++i) {
    auto& stream = streams[static_cast<std::size_t>(i)];
    set_blocking(stream->fd(), false);
    // Each goes on where `converse` has left off.
    clients.emplace_back(loop, messages, replies, std::move(stream), options.depth, i + 1);
  }
  for (Client& client : clients) client.start();
  measure_requests(loop, replies, options, row);
  add_bytes("busy_bytes");

  clients.clear();
  wait_until_idle(options.pids);
  add_bytes("closed_bytes");
  return row;
}

}  // namespace bench
