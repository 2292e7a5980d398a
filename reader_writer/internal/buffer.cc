#include "reader_writer/internal/buffer.h"

#include <array>

namespace async::internal {

namespace {

#if defined(__SANITIZE_ADDRESS__)
constexpr bool buffers_are_cached = false;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
constexpr bool buffers_are_cached = false;
#else
constexpr bool buffers_are_cached = true;
#endif
#else
constexpr bool buffers_are_cached = true;
#endif

/// Free blocks of one size.  Trivially destroyed, so that to use it costs no more than its address;
/// `Closes_caches` ends it with the thread.
class Cache {
 public:
  bool is_empty() const noexcept { return num_free_ == 0; }
  char* take() noexcept { return free_[--num_free_]; }
  void give(char* data) noexcept {
    if (num_free_ < most_free_) [[likely]] {
      free_[num_free_++] = data;
    } else {
      give_slowly(data);
    }
  }
  void close() noexcept {
    stage_ = Stage::Closed;
    most_free_ = 0;
    while (num_free_ > 0) delete[] free_[--num_free_];
  }

 private:
  enum class Stage : unsigned char { Unused, Open, Closed };

  [[gnu::noinline]] void give_slowly(char* data) noexcept;

  std::size_t num_free_ = 0;
  std::size_t most_free_ = 0;  // until it is open
  Stage stage_ = buffers_are_cached ? Stage::Unused : Stage::Closed;
  std::array<char*, 64> free_ = {};
};

constinit thread_local Cache read_buffers;
constinit thread_local Cache write_buffers;

struct Closes_caches {
  bool armed = false;
  ~Closes_caches() {
    if (!armed) return;
    read_buffers.close();
    write_buffers.close();
  }
};
thread_local Closes_caches closes_caches;

void Cache::give_slowly(char* data) noexcept {
  if (stage_ == Stage::Unused) {
    stage_ = Stage::Open;
    most_free_ = free_.size();
    closes_caches.armed = true;
    give(data);
    return;
  }
  delete[] data;
}

Cache* cache_of(std::size_t size) noexcept {
  if (size == read_buffer_size) return &read_buffers;
  if (size == write_buffer_size) return &write_buffers;
  return nullptr;
}

[[gnu::noinline]] Buffer make_new_buffer(std::size_t size) {
  return Buffer(new char[size], Release_buffer{size});
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
  if (!cache || cache->is_empty()) [[unlikely]]
    return make_new_buffer(size);
  return Buffer(cache->take(), Release_buffer{size});
}

}  // namespace async::internal
