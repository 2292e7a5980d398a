#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <deque>
#include <string>
#include <vector>

#include "tests/bench/load/loads.h"
#include "tests/bench/load/system.h"

namespace bench {

/// One request and its reply, waited for.
static void converse(int fd, const Messages& messages, int first) {
  const timeval patience = {.tv_sec = 5, .tv_usec = 0};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  const std::size_t position = static_cast<std::size_t>(first) * messages.size();
  const std::string_view request = messages.at(position, messages.size());
  if (send(fd, request.data(), request.size(), MSG_NOSIGNAL) !=
      static_cast<ssize_t>(request.size()))
    give_up("send");
  std::string reply(messages.size(), '\0');
  if (recv(fd, reply.data(), reply.size(), MSG_WAITALL) != static_cast<ssize_t>(reply.size()))
    give_up("recv");
  if (reply != request) give_up("a reply is wrong");
}

Row growth_load(const Options& options) {
  const Messages messages(options.size, options.depth);
  // What a server sets up for its very first client is not to be counted.
  const int first = connect_to(options.port);
  converse(first, messages, 0);
  wait_until_idle(options.pids);

  Row row;
  const std::uint64_t before = resident_bytes(options.pids);
  const auto add_bytes = [&](std::string_view name) {
    const auto now = static_cast<double>(resident_bytes(options.pids));
    row.add(name, (now - static_cast<double>(before)) / options.connections);
  };

  std::vector<int> fds;
  for (int i = 0; i < options.connections; ++i) {
    fds.push_back(connect_to(options.port, i % options.sources));
  }
  wait_until_idle(options.pids);
  add_bytes("idle_bytes");

  for (int i = 0; i < options.connections; ++i) {
    converse(fds[static_cast<std::size_t>(i)], messages, i);
  }
  wait_until_idle(options.pids);
  add_bytes("used_bytes");

  Loop loop;
  Replies replies;
  std::deque<Client> clients;
  for (int i = 0; i < options.connections; ++i) {
    const int fd = fds[static_cast<std::size_t>(i)];
    set_blocking(fd, false);
    // Each goes on where `converse` has left off.
    clients.emplace_back(loop, messages, replies, fd, options.depth, i + 1);
  }
  for (Client& client : clients) client.start();
  measure_requests(loop, replies, options, row);
  add_bytes("busy_bytes");

  for (const int fd : fds) close(fd);
  wait_until_idle(options.pids);
  add_bytes("closed_bytes");
  close(first);
  return row;
}

}  // namespace bench
