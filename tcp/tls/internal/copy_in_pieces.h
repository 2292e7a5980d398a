// tcp/tls/internal/copy_in_pieces.h: copying a record.
//
// Layer: tcp/tls.  Read next: engine.cc and tls_transport.cc, which copy.

#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

namespace async::Tls::internal {

/// `copy_in_pieces(into, bytes)` copies `bytes`, which is what `memcpy` is for.  That however uses
/// `rep movsb` for 2 KiB and more, which on some processors takes over ten times as long when the
/// two addresses have an unlucky distance modulo the size of a page; and buffers of records are
/// where `malloc` puts them.
inline void copy_in_pieces(char* into, std::string_view bytes) noexcept {
  constexpr std::size_t piece = 1024;
  for (std::size_t done = 0; done < bytes.size(); done += piece) {
    bytes.copy(into + done, std::min(piece, bytes.size() - done), done);
  }
}

/// `append_in_pieces(text, bytes)` does so behind `text`.
inline void append_in_pieces(std::string& text, std::string_view bytes) {
  const std::size_t before = text.size();
  const std::size_t after = before + bytes.size();
  text.resize_and_overwrite(after, [&](char* start, std::size_t) noexcept {
    copy_in_pieces(start + before, bytes);
    return after;  // libstdc++ 12 says here how much there is room for
  });
}

}  // namespace async::Tls::internal
