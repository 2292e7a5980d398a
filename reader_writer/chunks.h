// reader_writer/chunks.h: reading whatever has arrived, and saying how much of it was of use.
//
// Layer: reader_writer.  Read next: reader.h (`read_one_chunk_at_a_time`).

#pragma once

#include <cstddef>
#include <limits>

namespace async {

/// What a handler of chunks did with one, and what it wants next.
///
///     co_await reader.read_one_chunk_at_a_time([&](std::string_view chunk) {
///       const std::size_t length = length_of_message(chunk);  // of the first one; 0 if that is
///       not there yet if (length == 0 || length > chunk.size()) return
///       Handle_chunk_result::consumed(0, length); handle(chunk.substr(0, length)); return
///       Handle_chunk_result::consumed(length);
///     });
class Handle_chunk_result {
 public:
  /// All of it was used, and the next chunk is wanted.
  static Handle_chunk_result go_on() { return {Next::Go_on, all, 0}; }

  /// The first `n` bytes were used.  The next chunk begins with the rest, and comes when there is
  /// more than that; if `need` is given, when it is `need` bytes long at least.  The rest of one
  /// that was of use in part is shown at once.  Errors: more than there is, or needing no more than
  /// there is without using any, is a `std::out_of_range`.
  static Handle_chunk_result consumed(std::size_t n, std::size_t need = 0) {
    return {Next::Go_on, n, need};
  }

  /// The same, but other connections have their turn first.
  static Handle_chunk_result yield(std::size_t n = all, std::size_t need = 0) {
    return {Next::Yield, n, need};
  }

  /// Nothing more is wanted; the first `n` bytes were used, and the rest can be read.
  static Handle_chunk_result stop(std::size_t n = all) { return {Next::Stop, n, 0}; }

  enum class Next : unsigned char { Go_on, Yield, Stop };
  Next next() const noexcept { return next_; }
  /// How much was used of a chunk of `size`, and what the next one needs.
  std::size_t num_consumed(std::size_t size) const noexcept {
    return num_consumed_ == all ? size : num_consumed_;
  }
  std::size_t need() const noexcept { return need_; }

 private:
  static constexpr std::size_t all = std::numeric_limits<std::size_t>::max();

  Handle_chunk_result(Next next, std::size_t num_consumed, std::size_t need)
      : next_(next), num_consumed_(num_consumed), need_(need) {}

  Next next_;
  std::size_t num_consumed_;
  std::size_t need_;
};

/// How reading chunks came to its end.
enum class Chunks_result : unsigned char {
  Stopped,                   // the handler said so
  Eof,                       // the other side ended, and all was used
  Eof_with_unconsumed_data,  // it ended, and the handler wanted more; what is left can be read
};

}  // namespace async
