// tests/support/captured_log.h: what the library logs, for tests to look at.

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "async/log.h"

namespace async {

/// While a `Captured_log` lives, what is logged goes there and nowhere else.  Read it only when no
/// other thread logs.
class Captured_log {
 public:
  Captured_log() {
    Log::set_sink([this](Log::Level level, std::string_view message) {
      if (level == Log::Level::Error) errors_.emplace_back(message);
      if (level == Log::Level::Info) infos_.emplace_back(message);
    });
  }
  Captured_log(const Captured_log&) = delete;
  Captured_log& operator=(const Captured_log&) = delete;
  ~Captured_log() { Log::set_sink(nullptr); }

  const std::vector<std::string>& errors() const noexcept { return errors_; }
  const std::vector<std::string>& infos() const noexcept { return infos_; }

 private:
  std::vector<std::string> errors_;
  std::vector<std::string> infos_;
};

}  // namespace async
