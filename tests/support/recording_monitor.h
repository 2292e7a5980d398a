// tests/support/recording_monitor.h: a monitor that writes down what reaches it.

#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "async/monitor.h"
#include "async/scheduler.h"

namespace async {

/// `heard()` is what has reached the monitor, in order.
class Recording_monitor {
 public:
  explicit Recording_monitor(std::string name = "recording")
      : monitor_(Monitor::create(std::move(name))) {
    monitor_.detach_and_iter_errors(
        [heard = heard_](const Error& error) { heard->push_back(error.what()); });
  }

  const Monitor& monitor() const noexcept { return monitor_; }
  const std::vector<std::string>& heard() const noexcept { return *heard_; }

  /// `under(f)` is `f()`, under the monitor.
  template <class F>
  auto under(F f) const {
    return Scheduler::within({.monitor = monitor_}, std::move(f));
  }

 private:
  Monitor monitor_;
  std::shared_ptr<std::vector<std::string>> heard_ = std::make_shared<std::vector<std::string>>();
};

}  // namespace async
