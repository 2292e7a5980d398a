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

/// Bytes in order: small writes are copied together, what is handed over is not copied.  An empty
/// queue holds no memory for bytes.
class Write_queue {
 public:
  bool is_empty() const noexcept { return num_bytes_ == 0; }
  std::size_t num_bytes() const noexcept { return num_bytes_; }

  /// `copy(bytes)` appends a copy.
  void copy(std::string_view bytes);

  /// `take(bytes, owner)` appends `bytes`, which `owner` keeps alive and unchanged.
  void take(std::string_view bytes, std::shared_ptr<const void> owner);
  void take(std::string bytes);

  /// `first(parts)` puts views of the first bytes into `parts`, and returns those that it used.
  std::span<const std::string_view> first(std::span<std::string_view> parts);

  /// `pop(n)` removes the first `n` bytes.
  void pop(std::size_t n) noexcept;

  /// `clear()` removes everything, and returns how many bytes that were.
  std::size_t clear() noexcept;

 private:
  struct Part {
    std::string_view bytes;
    Buffer buffer;                      // of copies; there may be room behind `bytes`
    std::shared_ptr<const void> owner;  // of what was taken
  };

  std::size_t room_at_the_end() noexcept;

  Ring<Part> parts_;
  std::size_t num_bytes_ = 0;
};

}  // namespace async::internal
