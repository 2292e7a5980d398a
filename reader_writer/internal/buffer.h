// reader_writer/internal/buffer.h: blocks of memory for bytes on their way.
//
// Layer: reader_writer.  Read next: read_buffer.h, write_queue.h.

#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

namespace async::internal {

/// Gives a block back to the cache of the thread.
struct Release_buffer {
  std::size_t size = 0;
  void operator()(char* data) const noexcept;
};

/// A block of memory.  Blocks of the usual sizes come from a small cache of the thread, so that
/// an idle connection needs none and a busy one allocates none.
using Buffer = std::unique_ptr<char[], Release_buffer>;

/// Bytes, and the memory that they are in.
struct Filled_buffer {
  std::string_view bytes;
  Buffer buffer;
};

/// `make_buffer(size)` has room for `size` bytes, uninitialised.
Buffer make_buffer(std::size_t size);

inline constexpr std::size_t read_buffer_size = 64 * 1024;
inline constexpr std::size_t write_buffer_size = 16 * 1024;

}  // namespace async::internal
