// tests/bench/load/messages.h: what all clients send, and expect back.

#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace bench {

/// Lines of one size that go round: sixteen different ones, or more, so that a reply which is lost,
/// doubled or somebody else's is noticed.  A position is a number of bytes since the first line.
class Messages {
 public:
  /// `window` is how many lines `at` may give at once.
  Messages(std::size_t size, int window);

  std::size_t size() const { return size_; }
  /// `round()` is the position at which they begin again.
  std::size_t round() const { return round_; }

  /// `at(position, n)` is `n` bytes from there on, at most those of `window` lines.
  std::string_view at(std::size_t position, std::size_t n) const {
    return {bytes_.data() + position % round_, n};
  }

  /// `match(position, bytes)` is whether that is what was sent from `position` on.
  bool match(std::size_t position, std::string_view bytes) const;

 private:
  std::size_t size_;
  std::size_t round_;
  std::string bytes_;  // one round, and a window of the next
};

}  // namespace bench
