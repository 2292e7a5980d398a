#include "reader_writer/internal/write_queue.h"

#include <algorithm>
#include <utility>

namespace async::internal {

void Write_queue::close_open() {
  make_part_of_copies();
  // It goes with the last part that can be in it.
  if (open_.buffer && !parts_.is_empty()) parts_.back().buffer = std::move(open_.buffer);
  open_.close();
}

void Write_queue::make_part_of_copies() {
  const std::string_view copies = open_.copies();
  if (copies.empty()) return;
  parts_.push_back(Part{.bytes = copies, .buffer = nullptr, .owner = nullptr});
  open_.begin = open_.free;
}

void Write_queue::copy_into_another(std::string_view bytes) {
  const std::size_t room = open_.room();
  Buffer another = make_buffer(std::max(bytes.size() - room, write_buffer_size));
  if (open_.buffer) [[unlikely]] {
    open_.append(bytes.substr(0, room));
    bytes.remove_prefix(room);
    close_open();
  }
  open_.open(std::move(another));
  open_.append(bytes);
}

void Write_queue::take(std::string_view bytes, std::shared_ptr<const void> owner) {
  if (bytes.size() < min_to_take) {
    copy(bytes);
    return;
  }
  num_bytes_ += bytes.size();
  make_part_of_copies();
  parts_.push_back(Part{.bytes = bytes, .buffer = nullptr, .owner = std::move(owner)});
}

void Write_queue::take(std::string bytes) {
  if (bytes.size() < min_to_take) {
    copy(bytes);
    return;
  }
  auto owner = std::make_shared<const std::string>(std::move(bytes));
  take(std::string_view(*owner), owner);
}

void Write_queue::take(Filled_buffer filled) {
  if (filled.bytes.size() < min_to_take) {
    copy(filled.bytes);
    return;
  }
  num_bytes_ += filled.bytes.size();
  close_open();
  parts_.push_back(
      Part{.bytes = filled.bytes, .buffer = std::move(filled.buffer), .owner = nullptr});
}

std::span<const std::string_view> Write_queue::first(std::span<std::string_view> parts) {
  std::size_t count = std::min(parts.size(), parts_.size());
  for (std::size_t i = 0; i < count; ++i) parts[i] = parts_[i].bytes;
  if (const auto copies = open_.copies(); !copies.empty() && count < parts.size()) {
    parts[count++] = copies;
  }
  return parts.first(count);
}

void Write_queue::pop(std::size_t n) noexcept {
  num_bytes_ -= n;
  while (n > 0 && !parts_.is_empty()) {
    Part& part = parts_.front();
    if (n < part.bytes.size()) {
      part.bytes.remove_prefix(n);
      return;
    }
    n -= part.bytes.size();
    parts_.pop_front();
  }
  open_.begin += n;
  if (num_bytes_ == 0) clear();
}

std::size_t Write_queue::clear() noexcept {
  parts_.clear();
  parts_.release();
  open_.close();
  return std::exchange(num_bytes_, 0);
}

}  // namespace async::internal
