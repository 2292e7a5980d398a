#include "tests/bench/load/client.h"

#include <sys/epoll.h>

#include <cerrno>
#include <span>
#include <string_view>
#include <utility>

#include "tests/bench/load/system.h"

namespace bench {

Client::Client(Loop& loop, const Messages& messages, Replies& replies,
               std::unique_ptr<Stream> stream, int depth, int first)
    : loop_(loop),
      messages_(messages),
      replies_(replies),
      stream_(std::move(stream)),
      sent_(static_cast<std::size_t>(first) * messages.size() % messages.round()),
      received_(sent_),
      began_(static_cast<std::size_t>(depth)) {
  loop_.watch(stream_->fd(), *this, EPOLLIN);
}

void Client::start() { request(static_cast<int>(began_.size()), now_ns()); }

void Client::on_events(std::uint32_t events) {
  if ((events & EPOLLOUT) != 0) send_pending();
  if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) receive();
}

void Client::request(int n, std::uint64_t now) {
  for (int i = 0; i < n; ++i) began_[(oldest_ + under_way_++) % began_.size()] = now;
  pending_ += static_cast<std::size_t>(n) * messages_.size();
  if (!waits_to_send_) send_pending();
}

bool Client::all_is_sent() {
  while (pending_ > 0) {
    const std::size_t n = stream_->send(messages_.at(sent_, pending_));
    if (n == 0) return false;
    sent_ += n;
    pending_ -= n;
  }
  return stream_->flush();
}

void Client::send_pending() {
  const bool waits = !all_is_sent();
  if (waits != waits_to_send_)
    loop_.change(stream_->fd(), *this, waits ? EPOLLIN | EPOLLOUT : EPOLLIN);
  waits_to_send_ = waits;
}

void Client::receive() {
  static char buffer[256 * 1024];
  const ssize_t n = stream_->receive(buffer);
  if (n < 0) return;
  errno = 0;
  if (n == 0) give_up("the server has closed a connection");
  const auto size = static_cast<std::size_t>(n);
  if (!messages_.match(received_, {buffer, size})) give_up("a reply is wrong");

  const std::size_t answered_before = received_ / messages_.size();
  received_ += size;
  const std::size_t answered = received_ / messages_.size() - answered_before;
  if (answered > under_way_) give_up("there are more replies than requests");
  const std::uint64_t now = now_ns();
  for (std::size_t i = 0; i < answered; ++i) {
    replies_.latencies_ns.add(now - began_[oldest_]);
    oldest_ = (oldest_ + 1) % began_.size();
  }
  under_way_ -= answered;
  replies_.count += answered;
  loop_.progressed();
  if (answered > 0) request(static_cast<int>(answered), now);
}

}  // namespace bench
