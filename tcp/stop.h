// tcp/stop.h: the one deadline and the one interrupt of an operation.
//
// Layer: tcp.  Read next: connect.cc, route.h and upgrade.h, which wait by it.

#pragma once

#include <expected>
#include <optional>
#include <utility>

#include "async/choose.h"
#include "async/clock.h"
#include "async/deferred.h"
#include "async/time_ns.h"

namespace async::Tcp {

/// Why an operation was ended from outside.
enum class Stopped : unsigned char { Timed_out, Interrupted };

/// Everything that belongs to one operation waits through its `Stop`, so that the operation ends at
/// once when its time is up or it is interrupted, wherever it is.  Nothing stays behind on the
/// interrupt.
class Stop {
 public:
  /// `Stop(timeout, interrupt)` begins to count now.  That `interrupt` is abandoned means that it
  /// will never come.
  Stop(Span timeout, Deferred<> interrupt)
      : timer_(Clock::Event::after(timeout)),
        timed_out_(timer_.fired()),
        interrupt_(std::move(interrupt)) {}
  Stop(const Stop&) = delete;
  Stop& operator=(const Stop&) = delete;
  ~Stop() { timer_.abort(); }

  /// `deadline()` is when the time is up.
  Time_ns deadline() const { return timer_.scheduled_at(); }

  /// `has_come()` says whether it is over already.
  std::optional<Stopped> has_come() const {
    if (interrupt_.peek()) return Stopped::Interrupted;
    if (timed_out_.is_determined()) return Stopped::Timed_out;
    return std::nullopt;
  }

  /// `wait(d)` is determined with the value of `d`, or with why that does not matter any more.  If
  /// both come together, `d` wins.
  template <class T>
  auto wait(Deferred<T> deferred) const -> Deferred<std::expected<T, Stopped>> {
    using R = std::expected<T, Stopped>;
    return choose(choice(std::move(deferred),
                         [](auto&&... value) { return R(std::in_place, std::move(value)...); }),
                  choice(interrupt_, [] { return R(std::unexpected(Stopped::Interrupted)); }),
                  choice(timed_out_, [](Clock::Event::Status) {
                    return R(std::unexpected(Stopped::Timed_out));
                  }));
  }

 private:
  const Clock::Event timer_;
  const Deferred<Clock::Event::Status> timed_out_;
  const Deferred<> interrupt_;
};

}  // namespace async::Tcp
