#include "reader_writer/internal/read_buffer.h"

#include <algorithm>
#include <cstring>

namespace async::internal {

std::span<char> Read_buffer::space() {
  if (begin_ == end_) [[likely]] {
    begin_ = end_ = 0;
    if (!data_) data_ = make_buffer(size_);
  } else {
    make_room();
  }
  return {data_.get() + end_, data_.get_deleter().size - end_};
}

void Read_buffer::make_room() {
  const std::size_t capacity = data_.get_deleter().size;
  const std::size_t held = end_ - begin_;
  if (held > capacity / 2 && end_ == capacity) {
    // Whoever reads needs more than fits: they check how much that may be.
    Buffer larger = make_buffer(2 * capacity);
    std::memcpy(larger.get(), data_.get() + begin_, held);
    data_ = std::move(larger);
  } else if (begin_ > 0 && capacity - end_ < capacity / 2) {
    std::memmove(data_.get(), data_.get() + begin_, held);
  } else {
    return;
  }
  begin_ = 0;
  end_ = held;
}

void Read_buffer::append(std::string_view bytes) {
  while (!bytes.empty()) {
    const std::span<char> room = space();
    const std::size_t size = bytes.copy(room.data(), room.size());
    added(size);
    bytes.remove_prefix(size);
  }
}

void Read_buffer::prepend(std::string_view bytes) {
  num_consumed_ -= std::min(num_consumed_, bytes.size());
  if (bytes.size() <= begin_) {  // nearly always it is what was there
    begin_ -= bytes.size();
    if (!bytes.empty()) std::memmove(data_.get() + begin_, bytes.data(), bytes.size());
    return;
  }
  std::string all(bytes);
  all += unread();
  begin_ = end_ = 0;
  append(all);
}

}  // namespace async::internal
