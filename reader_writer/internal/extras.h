// reader_writer/internal/extras.h: what few connections have, and the others do without.
//
// Layer: reader_writer.  Read next: reader_writer/connection.h, which makes one when it is needed.

#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "async/clock.h"
#include "async/scheduler.h"
#include "reader_writer/filter.h"
#include "reader_writer/limits.h"
#include "reader_writer/observer.h"

namespace async::internal {

/// Filters, the newest last: it is the first to see what is written, and the last to see what has
/// arrived.
class Filters {
 public:
  bool is_empty() const noexcept { return filters_.empty(); }
  void add(std::shared_ptr<Filter> filter) { filters_.push_back(std::move(filter)); }

  std::string sent(std::span<const std::string_view> parts) const;
  std::string received(std::string bytes) const;

 private:
  std::vector<std::shared_ptr<Filter>> filters_;
};

/// Tells an observer, in jobs of the context that is current.
class Observed {
 public:
  Observed(std::shared_ptr<Connection_observer> observer, Connection_info info)
      : observer_(std::move(observer)),
        info_(std::make_shared<const Connection_info>(std::move(info))) {}

  /// `tell(f, args...)` is `(observer.*f)(info, args...)`, in a job.
  template <class... Parameters, class... Args>
  void tell(void (Connection_observer::*f)(const Connection_info&, Parameters...),
            Args... args) const {
    Scheduler::schedule(
        [observer = observer_, info = info_, f, args...] { (observer.get()->*f)(*info, args...); });
  }

 private:
  std::shared_ptr<Connection_observer> observer_;
  std::shared_ptr<const Connection_info> info_;
};

struct Extras : Pooled {
  Water_marks water_marks;
  Ref<Cell<void>> unthrottled;  // while it is throttled, once somebody has asked
  std::size_t expected = 0;     // the size of a frame; 0 for any
  Filters filters;
  std::optional<Observed> observed;

  bool stamps_activity = false;
  Time_ns last_activity;
  std::optional<Span> idle_timeout;
  std::optional<Clock::Event> idle_timer;
  std::optional<Clock::Event> lifetime_timer;
};

}  // namespace async::internal
