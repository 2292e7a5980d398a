// reader_writer/internal/read_buffer.h: bytes that have arrived and were not read yet.
//
// Layer: reader_writer.  Read next: reader_writer/connection.h.

#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "reader_writer/internal/buffer.h"

namespace async::internal {

class Read_buffer {
 public:
  /// `size` is that of the memory, while no more than that is needed.
  explicit Read_buffer(std::size_t size) : size_(size) {}

  std::size_t size() const noexcept { return size_; }
  /// `set_size(n)` is for the memory that is asked for from now on.
  void set_size(std::size_t size) noexcept { size_ = size; }

  std::string_view unread() const noexcept { return {data_.get() + begin_, end_ - begin_}; }

  /// `consume(n)` takes the first `n` of the unread bytes away, and counts them.  What `unread()`
  /// gave before stays valid until `space()` is called.
  void consume(std::size_t n) noexcept {
    begin_ += n;
    num_consumed_ += n;
  }

  /// `consume_copied(n)` does so when nobody looks at them any more: if they were the last, the
  /// memory is given back.
  void consume_copied(std::size_t n) noexcept {
    consume(n);
    release_if_empty();
  }

  /// `take()` takes all of the unread bytes away, with the memory that they are in, and counts
  /// them.
  Filled_buffer take() noexcept {
    Filled_buffer taken{.bytes = unread(), .buffer = std::move(data_)};
    num_consumed_ += taken.bytes.size();
    begin_ = end_ = 0;
    return taken;
  }

  /// `take_last(n)` takes the last `n` of the unread bytes away, uncounted.
  std::string take_last(std::size_t n) {
    std::string taken(unread().substr(end_ - begin_ - n));
    end_ -= n;
    return taken;
  }
  /// `append(bytes)` and `prepend(bytes)` put more behind the unread bytes, or in front of them.
  /// What is put in front may be a part of what was here.
  void append(std::string_view bytes);
  void prepend(std::string_view bytes);

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
  [[gnu::noinline]] void make_room();

  std::size_t size_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::size_t num_consumed_ = 0;
  Buffer data_;
};

}  // namespace async::internal
