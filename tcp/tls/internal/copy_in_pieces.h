// tcp/tls/internal/copy_in_pieces.h: copying a record.
//
// Layer: tcp/tls.  Read next: engine.cc and tls_transport.cc, which copy.

#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace async::Tls::internal {

/// `copy_in_pieces(into, bytes)` copies `bytes`, which is what `memcpy` is for.  That however uses
/// `rep movsb` for 2 KiB and more, which on some processors takes over ten times as long when the
/// two addresses have an unlucky distance modulo the size of a page; and buffers of records are
/// where `malloc` puts them.
inline void copy_in_pieces(char* into, std::string_view bytes) noexcept;

/// `append_in_pieces(text, bytes)` does so behind `text`.
void append_in_pieces(std::string& text, std::string_view bytes);

// Bodies.

inline constexpr std::size_t size_of_piece = 1024;

void copy_several_pieces(char* into, std::string_view bytes) noexcept;

inline void copy_in_pieces(char* into, std::string_view bytes) noexcept {
  if (bytes.size() <= size_of_piece) {
    bytes.copy(into, bytes.size());
  } else {
    copy_several_pieces(into, bytes);
  }
}

}  // namespace async::Tls::internal
