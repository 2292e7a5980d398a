// tests/bench/load/client.h: one connection that always has the same number of requests under way.

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "tests/bench/load/histogram.h"
#include "tests/bench/load/loop.h"
#include "tests/bench/load/messages.h"
#include "tests/bench/load/stream.h"

namespace bench {

/// What all clients have seen together.
struct Replies {
  std::uint64_t count = 0;
  Histogram latencies_ns;
};

class Client final : public Pollable {
 public:
  /// `stream` does not block.  Its first request is the line `first` of `messages`.
  Client(Loop& loop, const Messages& messages, Replies& replies, std::unique_ptr<Stream> stream,
         int depth, int first);

  void start();
  void on_events(std::uint32_t events) override;

 private:
  void request(int n, std::uint64_t now);
  void send_pending();
  bool all_is_sent();
  void receive();

  Loop& loop_;
  const Messages& messages_;
  Replies& replies_;
  std::unique_ptr<Stream> stream_;
  bool waits_to_send_ = false;
  std::size_t sent_;
  std::size_t received_;
  std::size_t pending_ = 0;  // bytes of requests that were made and not sent yet
  // When those under way were made: a ring, of which `oldest_` is answered next.
  std::vector<std::uint64_t> began_;
  std::size_t oldest_ = 0;
  std::size_t under_way_ = 0;
};

}  // namespace bench
