#include "reader_writer/internal/buffer.h"

#include <array>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ASYNC_BUFFERS_ARE_NOT_CACHED
#endif
#endif

namespace async::internal {

namespace {

/// Free blocks of one size.
class Cache {
 public:
  explicit Cache(std::size_t size) : size_(size) {}
  ~Cache() {
    while (num_free_ > 0) delete[] free_[--num_free_];
    is_closed_ = true;
  }

  std::size_t size() const noexcept { return size_; }
  char* take() { return num_free_ > 0 ? free_[--num_free_] : new char[size_]; }
  void give(char* data) noexcept {
#if !defined(ASYNC_BUFFERS_ARE_NOT_CACHED)
    if (num_free_ < free_.size() && !is_closed_) {
      free_[num_free_++] = data;
      return;
    }
#endif
    delete[] data;
  }

 private:
  const std::size_t size_;
  std::array<char*, 64> free_;
  std::size_t num_free_ = 0;
  bool is_closed_ = false;  // the thread is ending
};

thread_local Cache read_buffers(read_buffer_size);
thread_local Cache write_buffers(write_buffer_size);

Cache* cache_of(std::size_t size) noexcept {
  if (size == read_buffers.size()) return &read_buffers;
  if (size == write_buffers.size()) return &write_buffers;
  return nullptr;
}

}  // namespace

void Release_buffer::operator()(char* data) const noexcept {
  if (Cache* cache = cache_of(size)) {
    cache->give(data);
  } else {
    delete[] data;
  }
}

Buffer make_buffer(std::size_t size) {
  Cache* cache = cache_of(size);
  return Buffer(cache ? cache->take() : new char[size], Release_buffer{size});
}

}  // namespace async::internal
