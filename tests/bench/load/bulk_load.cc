#include <sys/epoll.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "tests/bench/load/backend.h"
#include "tests/bench/load/loads.h"
#include "tests/bench/load/system.h"

namespace bench {

namespace {

/// What both sides send is this byte, again and again.
constexpr char filler = 'x';

class Bulk_end final : public Pollable {
 public:
  /// Sends `bytes` bytes, if that is any, and then that no more will come, while it receives.
  Bulk_end(Loop& loop, std::unique_ptr<Stream> stream, std::uint64_t bytes)
      : loop_(loop), stream_(std::move(stream)), to_send_(bytes) {
    loop_.watch(stream_->fd(), *this, bytes == 0 ? EPOLLIN : EPOLLIN | EPOLLOUT);
  }

  void on_events(std::uint32_t events) override {
    if ((events & EPOLLOUT) != 0) send_more();
    if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) receive();
  }

  std::uint64_t received() const { return received_; }
  /// `beginning()` is the first of what was received.
  const std::string& beginning() const { return beginning_; }
  bool ended() const { return ended_; }

 private:
  void send_more() {
    static const std::string buffer(256 * 1024, filler);
    while (to_send_ > 0) {
      const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(to_send_, buffer.size()));
      const std::size_t sent = stream_->send(std::string_view(buffer).substr(0, n));
      if (sent == 0) return;
      to_send_ -= sent;
      loop_.progressed();
    }
    if (!stream_->flush()) return;
    stream_->end();
    loop_.change(stream_->fd(), *this, EPOLLIN);
  }

  void receive() {
    static char buffer[256 * 1024];
    // The beginning is looked at.  The rest is counted.
    const bool look = received_ < beginning_size;
    const ssize_t n = look ? stream_->receive(buffer) : stream_->skip(buffer);
    if (n < 0) return;
    loop_.progressed();
    if (look) beginning_.append(buffer, static_cast<std::size_t>(n));
    received_ += static_cast<std::uint64_t>(n);
    // TLS's own end may come together with the last bytes, and be all that comes.
    if (n > 0 && !stream_->is_at_end()) return;
    errno = 0;
    if (to_send_ > 0) give_up("the server has ended before it got everything");
    ended_ = true;
    loop_.forget(stream_->fd());
  }

  static constexpr std::size_t beginning_size = 1 << 20;

  Loop& loop_;
  std::unique_ptr<Stream> stream_;
  std::uint64_t to_send_;
  std::uint64_t received_ = 0;
  std::string beginning_;
  bool ended_ = false;
};

}  // namespace

static void check(const Bulk_end& client, const Options& options) {
  errno = 0;
  const std::string& beginning = client.beginning();
  if (options.mode == "receive") {
    // The server says how many bytes it got.
    if (beginning != std::to_string(options.bytes) + "\n") give_up("the server got " + beginning);
    return;
  }
  if (client.received() != options.bytes)
    give_up("the server has sent " + std::to_string(client.received()) + " bytes");
  if (beginning.find_first_not_of(filler) != std::string::npos)
    give_up("the server has sent something else");
}

Row bulk_load(const Options& options, const Open& open) {
  Loop loop;
  std::optional<Backend> backend;
  if (options.backend_port != 0) {
    backend.emplace(loop, options.backend_port, [&](int fd) {
      return std::make_unique<Bulk_end>(loop, plain(fd), options.bytes);
    });
  }

  Measurement measurement(options.pids);
  auto stream = open(connect_to(options.port));
  set_blocking(stream->fd(), false);
  const bool client_sends = options.mode == "receive" || options.mode == "both";
  Bulk_end client(loop, std::move(stream), client_sends ? options.bytes : 0);
  while (!client.ended()) loop.turn();
  measurement.end();
  check(client, options);

  Row row;
  const double gb = static_cast<double>(options.bytes) * (options.mode == "both" ? 2 : 1) * 1e-9;
  row.add("bytes", options.bytes);
  row.add("gb_per_s", gb / measurement.seconds());
  row.add("cpu_s_per_gb", measurement.server_seconds() / gb);
  measurement.add_to(row);
  return row;
}

}  // namespace bench
