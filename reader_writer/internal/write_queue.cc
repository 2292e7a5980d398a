#include "reader_writer/internal/write_queue.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace async::internal {

std::size_t Write_queue::room_at_the_end() noexcept {
  if (parts_.is_empty() || !parts_.back().buffer) return 0;
  const Part& last = parts_.back();
  const char* end = last.buffer.get() + last.buffer.get_deleter().size;
  return static_cast<std::size_t>(end - (last.bytes.data() + last.bytes.size()));
}

void Write_queue::copy(std::string_view bytes) {
  num_bytes_ += bytes.size();
  if (const std::size_t n = std::min(room_at_the_end(), bytes.size()); n > 0) {
    Part& last = parts_.back();
    std::memcpy(const_cast<char*>(last.bytes.data()) + last.bytes.size(), bytes.data(), n);
    last.bytes = {last.bytes.data(), last.bytes.size() + n};
    bytes.remove_prefix(n);
  }
  if (bytes.empty()) return;
  Buffer buffer = make_buffer(std::max(bytes.size(), write_buffer_size));
  std::memcpy(buffer.get(), bytes.data(), bytes.size());
  const std::string_view copied(buffer.get(), bytes.size());
  parts_.push_back(Part{.bytes = copied, .buffer = std::move(buffer), .owner = nullptr});
}

void Write_queue::take(std::string_view bytes, std::shared_ptr<const void> owner) {
  if (bytes.empty()) return;
  num_bytes_ += bytes.size();
  parts_.push_back(Part{.bytes = bytes, .buffer = nullptr, .owner = std::move(owner)});
}

void Write_queue::take(std::string bytes) {
  auto owner = std::make_shared<const std::string>(std::move(bytes));
  take(std::string_view(*owner), owner);
}

std::span<const std::string_view> Write_queue::first(std::span<std::string_view> parts) {
  const std::size_t count = std::min(parts.size(), parts_.size());
  for (std::size_t i = 0; i < count; ++i) parts[i] = parts_[i].bytes;
  return parts.first(count);
}

void Write_queue::pop(std::size_t n) noexcept {
  num_bytes_ -= n;
  while (n > 0) {
    Part& part = parts_.front();
    if (n < part.bytes.size()) {
      part.bytes.remove_prefix(n);
      return;
    }
    n -= part.bytes.size();
    parts_.pop_front();
  }
  if (num_bytes_ == 0) parts_.release();
}

std::size_t Write_queue::clear() noexcept {
  parts_.clear();
  parts_.release();
  return std::exchange(num_bytes_, 0);
}

}  // namespace async::internal
