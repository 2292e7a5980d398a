#include <deque>
#include <optional>
#include <utility>

#include "tests/bench/load/backend.h"
#include "tests/bench/load/loads.h"
#include "tests/bench/load/system.h"

namespace bench {

static void turn_for(Loop& loop, double seconds) {
  const std::uint64_t end = now_ns() + static_cast<std::uint64_t>(seconds * 1e9);
  while (now_ns() < end) loop.turn();
}

void measure_requests(Loop& loop, Replies& replies, const Options& options, Row& row) {
  turn_for(loop, options.warm_up);
  replies = {};
  Measurement measurement(options.pids);
  turn_for(loop, options.seconds);
  measurement.end();
  if (replies.count == 0) give_up("there were no replies");
  measurement.add_requests_to(row, replies.count, replies.latencies_ns);
}

Row echo_load(const Options& options, const Open& open) {
  Loop loop;
  std::optional<Backend> backend;
  if (options.backend_port != 0) {
    backend.emplace(loop, options.backend_port,
                    [&](int fd) { return std::make_unique<Echo_backend>(loop, fd); });
  }

  const Messages messages(options.size, options.depth);
  Replies replies;
  std::deque<Client> clients;
  for (int i = 0; i < options.connections; ++i) {
    auto stream = open(connect_to(options.port, i % options.sources));
    set_blocking(stream->fd(), false);
    clients.emplace_back(loop, messages, replies, std::move(stream), options.depth, i);
  }
  for (Client& client : clients) client.start();

  Row row;
  measure_requests(loop, replies, options, row);
  row.add("resident_bytes", resident_bytes(options.pids));
  return row;
}

}  // namespace bench
