#include "tcp/tls/internal/copy_in_pieces.h"

#include <cstddef>

namespace async::Tls::internal {

void copy_several_pieces(char* into, std::string_view bytes) noexcept {
  for (; bytes.size() > size_of_piece; bytes.remove_prefix(size_of_piece), into += size_of_piece) {
    bytes.copy(into, size_of_piece);
  }
  bytes.copy(into, bytes.size());
}

void append_in_pieces(std::string& text, std::string_view bytes) {
  const std::size_t before = text.size();
  const std::size_t after = before + bytes.size();
  text.resize_and_overwrite(after, [&](char* start, std::size_t) noexcept {
    copy_in_pieces(start + before, bytes);
    return after;  // libstdc++ 12 says here how much there is room for
  });
}

}  // namespace async::Tls::internal
