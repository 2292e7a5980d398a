// reader_writer/internal/read_buffer.h: bytes that have arrived and were not read yet.
//
// Layer: reader_writer.  Read next: reader_writer/connection.h.

#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <utility>

#include "reader_writer/internal/buffer.h"

namespace async::internal {

class Read_buffer {
 public:
  /// `size` is that of the memory, while no more than that is needed.
  explicit Read_buffer(std::size_t size) : size_(size) {}

  std::string_view unread() const noexcept { return {data_.get() + begin_, end_ - begin_}; }

  /// `consume(n)` takes the first `n` of the unread bytes away, and counts them.  What `unread()`
  /// gave before stays valid until `space()` is called.
  void consume(std::size_t n) noexcept {
    begin_ += n;
    num_consumed_ += n;
  }

  /// `take()` takes all of the unread bytes away, with the memory that they are in, and counts
  /// them.
  Filled_buffer take() noexcept {
    Filled_buffer taken{.bytes = unread(), .buffer = std::move(data_)};
    num_consumed_ += taken.bytes.size();
    begin_ = end_ = 0;
    return taken;
  }

  /// `space()` is room for more bytes, at least one.  Unread bytes may move.
  std::span<char> space();
  /// `added(n)` says that the first `n` bytes of `space()` have been written.
  void added(std::size_t n) noexcept { end_ += n; }

  /// `release_if_empty()` gives the memory back if nothing is unread.
  void release_if_empty() noexcept {
    if (begin_ == end_) clear();
  }
  /// `drop()` takes all of the unread bytes away, but does not count them.
  void drop() noexcept { begin_ = end_; }
  /// `clear()` drops what is unread, and gives the memory back.
  void clear() noexcept {
    data_ = nullptr;
    begin_ = end_ = 0;
  }

  std::size_t num_consumed() const noexcept { return num_consumed_; }

 private:
  const std::size_t size_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::size_t num_consumed_ = 0;
  Buffer data_;
};

}  // namespace async::internal
