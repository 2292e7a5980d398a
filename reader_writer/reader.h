// reader_writer/reader.h: reading from a connection.
//
// Layer: reader_writer.  Read next: writer.h; connection.h for what both share; async/read_result.h
// for what reading gives.

#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "async/deferred.h"
#include "async/pipe.h"
#include "async/read_result.h"
#include "reader_writer/chunks.h"
#include "reader_writer/errors.h"
#include "reader_writer/flush_result.h"
#include "reader_writer/internal/connection_handle.h"

namespace async {

struct Read_until_options {
  /// Whether the delimiter is part of the result.  It is taken away in any case.
  bool keep_delimiter = false;
  /// The most bytes before the delimiter.
  std::size_t max = 1024 * 1024;
};

/// A `Reader` reads what the other side of a connection sends.
///
///     while (auto line = co_await reader.read_line()) use(*line);
///
/// It is a handle: copies share the connection, with its `Writer` and `Socket`.  When the last
/// handle of a connection goes away, it is closed as by `close()`; a read under way counts as one.
///
/// Reading functions give `Eof` where nothing more will come, with the reason: the other side ended
/// in order, the connection was reset, or timed out, or was closed on this side.  What arrived
/// before is given first.
///
/// - Scheduling: nothing is read from the system unless somebody waits for it, so a program that
///   does not read slows the other side down.  In each turn a connection is read from once, and up
///   to seven times more as long as that fills the buffer.
/// - Errors: one read at a time: another one fails with `Reader_in_use`.  Reads that could grow
///   without bound have a maximum, and fail with `Limit_exceeded` beyond it, which takes nothing
///   away.  Errors of the operating system other than the end of the connection fail with
///   `Io_error`.  After an error a reader can be used as before.
/// - Lifetime: a read whose deferred has been dropped, by `Clock::with_timeout` say, takes nothing
///   away: the next one gets it.  One that is determined has taken its bytes, even if a `choose`
///   then prefers another choice.  A read that was the last handle of its connection, and is then
///   dropped itself, is noticed when the other side sends something or ends.
/// - Threads: it belongs to the thread of its scheduler.
class Reader {
 public:
  /// 16 MiB: the most that a read collects, where nothing else is said.
  static constexpr std::size_t default_max = 16 * 1024 * 1024;
  /// 1 MiB: the longest line, where nothing else is said.
  static constexpr std::size_t default_max_line = 1024 * 1024;

  explicit Reader(internal::Connection_handle connection) : connection_(std::move(connection)) {}

  /// `read_chunk()` gives all that has arrived, at least one byte, without a copy.  The view is
  /// valid until the next call of a function of this reader.
  Deferred<Read_result<std::string_view>> read_chunk() const;

  /// `read(max)` gives at most `max` bytes, and at least one, as soon as there are some.  No bytes
  /// are there at once.
  Deferred<Read_result<std::string>> read(std::size_t max = default_max) const;

  /// `read(into)` puts at most `into.size()` bytes there, and gives their number, which is not
  /// zero unless the size of `into` is.  `into` must live until this is determined or dropped.
  Deferred<Read_result<std::size_t>> read(std::span<char> into) const;

  /// `read_char()` gives one byte.
  Deferred<Read_result<char>> read_char() const;

  /// `read_line()` gives a line without its end, which is "\n" or "\r\n".  What follows the last
  /// line end is a line as well if the other side ended in order, and is left alone if not.
  Deferred<Read_result<std::string>> read_line(std::size_t max = default_max_line) const;

  /// `read_until(c)` and `read_until(f)` give what comes before the first byte that is `c`, or for
  /// which `f` returns true.  What follows the last one is treated as by `read_line`.
  Deferred<Read_result<std::string>> read_until(char delimiter,
                                                Read_until_options options = {}) const;
  Deferred<Read_result<std::string>> read_until(std::function<bool(char)> is_delimiter,
                                                Read_until_options options = {}) const;

  /// `really_read(n)` gives exactly `n` bytes.  If the other side ends in order before that, it
  /// gives `Eof`, and what has arrived can still be read; if not in order, it fails with
  /// `Io_error`.
  Deferred<Read_result<std::string>> really_read(std::size_t n,
                                                 std::size_t max = default_max) const;

  /// `peek(n)` gives the next `n` bytes without taking them away.  The view is valid until the next
  /// call of a function of this reader.
  Deferred<Read_result<std::string_view>> peek(std::size_t n, std::size_t max = default_max) const;

  /// `peek_chunk(min)` gives all that has arrived, once that is at least `min` bytes, without
  /// taking it away; `consume(n)` takes the first `n` of what has arrived away.  The view is valid
  /// until the next call of another function of this reader.  Errors: `consume` throws
  /// `std::out_of_range` if there is less than `n`, and `Reader_in_use`.
  Deferred<Read_result<std::string_view>> peek_chunk(std::size_t min = 1,
                                                     std::size_t max = default_max) const;
  void consume(std::size_t n) const;

  /// `unread(bytes)` puts bytes in front of all that has arrived: the next read gives them first.
  /// Errors: throws `Reader_in_use`.
  void unread(std::string_view bytes) const;

  /// `expect(n)` makes each frame that `read_frame()` gives exactly `n` bytes from now on, what has
  /// arrived already included; 0, as at the beginning, makes it whatever has arrived.  Errors:
  /// throws `Limit_exceeded` if `n` is more than `max`, and leaves it as it was.  (lori's and
  /// net's.)
  void expect(std::size_t n, std::size_t max = default_max) const;
  std::size_t expected() const noexcept;

  /// `read_frame()` gives the next frame; see `expect`.  The view is valid until the next call of a
  /// function of this reader.  If the other side ends within a frame, it gives `Eof` if that is in
  /// order, and what has arrived can still be read; if not, it fails with `Io_error`.
  Deferred<Read_result<std::string_view>> read_frame() const;

  /// `read_one_chunk_at_a_time(f)` calls `f` with all that has arrived, again and again; what it
  /// returns, a `Handle_chunk_result` or a deferred one, says how much of that it has used, and
  /// what it needs next.  See chunks.h.
  template <class F>
  Deferred<Chunks_result> read_one_chunk_at_a_time(F f) const;

  /// `pause()` makes reads wait from now on, one that is under way too, whatever has arrived;
  /// `resume()` ends that.  A read that waits is then finished in a job, never in the call.  While
  /// paused nothing is read from the system, so that the other side has ended is not seen; closing,
  /// flushing, and the idle timeout go on as always, and closing ends it.  Both have no effect a
  /// second time.  (lori's and net's `mute` and `unmute`.)
  void pause() const noexcept;
  void resume() const noexcept;
  bool is_paused() const noexcept;

  /// `is_eof()` is true once nothing more will come and all has been read.
  bool is_eof() const noexcept;

  /// `set_buffer_size(n)` is how many bytes are read from the system at once from the next time on
  /// that memory is needed for them, at least one.  What has to be larger, for `really_read` say,
  /// grows while that is so.  A reader of which all has been read holds none, unless it was given
  /// as a view, and nothing has been asked for since.  Errors: throws `std::invalid_argument` for
  /// zero.
  std::size_t buffer_size() const noexcept;
  void set_buffer_size(std::size_t n) const;

  /// `read_available()` takes at most `max` of the bytes that have been read from the system
  /// already.
  std::string read_available(std::size_t max = default_max) const;

  /// `bytes_available()` is the number of those.
  std::size_t bytes_available() const noexcept;

  /// `contents()` gives everything up to the end.  It fails with `Io_error` if that is not in
  /// order.
  Deferred<std::string> contents(std::size_t max = default_max) const;

  /// `drain()` throws everything away up to the end, and gives the reason of that.
  Deferred<Eof> drain() const;

  /// `lines()` is a pipe of the lines.  If the end is not in order, or a line is too long, that
  /// goes to the monitor that is current now.  Closing the pipe ends the reading.
  Pipe::Reader<std::string> lines(std::size_t max = default_max_line) const;

  /// `close()` closes the connection; see `Writer::close`, which is the same.
  Deferred<Close_result> close(Close_options options = {}) const;
  Deferred<Close_result> close_finished() const;
  bool is_closed() const noexcept;

  /// `bytes_read()` is the number of bytes that reads have taken away.
  std::uint64_t bytes_read() const noexcept;

 private:
  friend class Writer;  // which splices

  internal::Connection_handle connection_;
};

}  // namespace async

#include "reader_writer/reader-inl.h"  // IWYU pragma: export
