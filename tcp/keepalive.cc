#include "tcp/keepalive.h"

#include <algorithm>
#include <chrono>

#include "async/io/socket_option.h"

namespace async::Tcp {

namespace {

using std::chrono::seconds;

constexpr seconds longest(32767);  // that Linux takes

// What is left of it after whole seconds counts as one more.
seconds in_seconds(Span span) {
  return std::clamp(std::chrono::ceil<seconds>(std::min(span, Span(longest)).ns()), seconds(1),
                    longest);
}

}  // namespace

Keepalive Keepalive::of_total(Span span) {
  const std::int64_t total = std::max<std::int64_t>(2, in_seconds(span).count());
  const std::int64_t probes = std::min<std::int64_t>(6, total / 2);
  const std::int64_t interval = total / 2 / probes;
  return {.after = seconds(total - probes * interval),
          .interval = seconds(interval),
          .probes = static_cast<int>(probes)};
}

void set_keepalive(Socket_base& socket, const Keepalive& keepalive) {
  if (keepalive.probes != 0) {
    setopt(socket, Socket_opt::keepidle, in_seconds(keepalive.after));
    setopt(socket, Socket_opt::keepintvl, in_seconds(keepalive.interval));
    setopt(socket, Socket_opt::keepcnt, keepalive.probes);
  }
  setopt(socket, Socket_opt::keepalive, keepalive.probes != 0);
}

}  // namespace async::Tcp
