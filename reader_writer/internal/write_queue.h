// reader_writer/internal/write_queue.h: bytes that wait to be written.
//
// Layer: reader_writer.  Read next: reader_writer/connection.h.

#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "async/internal/ring.h"
#include "reader_writer/internal/buffer.h"

namespace async::internal {

/// Bytes in order: small writes are copied together into one buffer after another, what is handed
/// over is not copied.  What a queue holds is not much more than its bytes, however small the
/// pieces; an empty one holds no memory for bytes.
class Write_queue {
 public:
  bool is_empty() const noexcept { return num_bytes_ == 0; }
  std::size_t num_bytes() const noexcept { return num_bytes_; }

  /// `copy(bytes)` appends a copy.
  void copy(std::string_view bytes) {
    if (bytes.size() <= open_.room()) [[likely]] {
      open_.append(bytes);
    } else {
      copy_into_another(bytes);
    }
    num_bytes_ += bytes.size();
  }

  /// What is smaller costs less to copy than to keep.
  static constexpr std::size_t min_to_take = 512;

  /// `take(bytes, owner)` appends `bytes`, which `owner` keeps alive and unchanged.  If there are
  /// less than `min_to_take`, it copies them.
  void take(std::string_view bytes, std::shared_ptr<const void> owner);
  void take(std::string bytes);
  /// `take(filled)` appends its bytes, with the memory that they are in.
  void take(Filled_buffer filled);

  /// `first(parts)` puts views of the first bytes into `parts`, and returns those that it used.
  std::span<const std::string_view> first(std::span<std::string_view> parts);

  /// `pop(n)` removes the first `n` bytes.
  void pop(std::size_t n) noexcept;

  /// `clear()` removes everything, and returns how many bytes that were.
  std::size_t clear() noexcept;

 private:
  struct Part {
    std::string_view bytes;
    Buffer buffer;                      // with this part in it, or some before
    std::shared_ptr<const void> owner;  // of what was taken
  };

  /// The buffer into which copies go.  Those that are behind all parts need no part themselves, so
  /// a copy costs little more than its bytes.
  struct Open {
    Buffer buffer;
    char* begin = nullptr;  // of what is behind all parts
    char* free = nullptr;
    char* end = nullptr;

    std::string_view copies() const noexcept { return {begin, free}; }
    std::size_t room() const noexcept { return static_cast<std::size_t>(end - free); }
    void append(std::string_view bytes) noexcept { free += bytes.copy(free, bytes.size()); }
    void open(Buffer another) noexcept {
      buffer = std::move(another);
      begin = free = buffer.get();
      end = begin + buffer.get_deleter().size;
    }
    void close() noexcept {
      buffer = nullptr;
      begin = free = end = nullptr;
    }
  };

  void copy_into_another(std::string_view bytes);
  void make_part_of_copies();
  void close_open();

  Ring<Part> parts_;  // and then, what is in the open buffer
  Open open_;
  std::size_t num_bytes_ = 0;
};

}  // namespace async::internal
