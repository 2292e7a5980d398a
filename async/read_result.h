// async/read_result.h: what reading gives: something, or the end.
//
// Layer: async.  Read next: pipe.h, reader_writer/reader.h.

#pragma once

#include <expected>
#include <string_view>

namespace async {

/// The end of what there is to read, and how it came about.
struct Eof {
  enum class Reason : unsigned char {
    Clean,      // the other side closed in order
    Reset,      // the connection was reset: something may be missing
    Timed_out,  // the other side stopped answering: something may be missing
    Closed,     // this side closed
  };
  Reason reason = Reason::Clean;

  friend bool operator==(const Eof&, const Eof&) = default;
};

/// `to_string(reason)` is "clean", "reset", "timed out" or "closed".
std::string_view to_string(Eof::Reason reason);

/// A `T`, or the end.  It is true when there is a `T`.
template <class T>
using Read_result = std::expected<T, Eof>;

}  // namespace async
