// tests/support/goodbye.h: seeing when something is destroyed.

#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace async {

using Events = std::vector<std::string>;

/// `goodbye(events, name)` adds "`name` gone" to `events` when its last copy is destroyed.
inline std::shared_ptr<void> goodbye(Events& events, std::string name) {
  return std::shared_ptr<void>(
      nullptr, [&events, name = std::move(name)](void*) { events.push_back(name + " gone"); });
}

}  // namespace async
