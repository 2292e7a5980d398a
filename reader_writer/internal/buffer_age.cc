#include "reader_writer/internal/buffer_age.h"

namespace async::internal {

void Buffer_age::mark(std::uint64_t position, Time_ns now) {
  if (!limit_.span() || (!marks_.is_empty() && marks_.back().position == position)) return;
  const std::size_t n = marks_.size();
  const bool last_is_recent = n > 1 && now - marks_[n - 2].time < limit_.span()->ns() / 16;
  if (last_is_recent) {
    marks_.back() = {position, now};
  } else {
    marks_.push_back(Mark{position, now});
  }
}

void Buffer_age::written(std::uint64_t position) noexcept {
  while (!marks_.is_empty() && marks_.front().position <= position) marks_.pop_front();
  if (marks_.is_empty()) marks_.release();
}

std::optional<Time_ns> Buffer_age::deadline() noexcept {
  if (marks_.is_empty()) return std::nullopt;
  return marks_.front().time + *limit_.span();
}

}  // namespace async::internal
