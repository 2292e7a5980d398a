#include "tests/bench/load/messages.h"

#include <algorithm>

namespace bench {

Messages::Messages(std::size_t size, int window)
    : size_(size), round_(size * static_cast<std::size_t>(std::max(window, 16))) {
  const std::size_t lines = round_ / size_ + static_cast<std::size_t>(window);
  bytes_.reserve(lines * size_);
  for (std::size_t line = 0; line < lines; ++line) {
    const std::size_t number = line % (round_ / size_);
    for (std::size_t i = 0; i + 1 < size_; ++i) {
      bytes_ += static_cast<char>('a' + (number + i) % 26);
    }
    bytes_ += '\n';
  }
}

bool Messages::match(std::size_t position, std::string_view bytes) const {
  while (!bytes.empty()) {
    position %= round_;
    const std::size_t n = std::min(bytes.size(), round_ - position);
    if (bytes.substr(0, n) != at(position, n)) return false;
    bytes.remove_prefix(n);
    position += n;
  }
  return true;
}

}  // namespace bench
