// reader_writer/writer.h: writing to a connection.
//
// Layer: reader_writer.  Read next: flush_result.h, limits.h; reader.h; connection.h for what both
// share.

#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "async/deferred.h"
#include "async/monitor.h"
#include "reader_writer/errors.h"
#include "reader_writer/filter.h"
#include "reader_writer/flush_result.h"
#include "reader_writer/internal/connection_handle.h"
#include "reader_writer/limits.h"
#include "reader_writer/observer.h"
#include "reader_writer/send_token.h"

namespace async {

class Reader;

enum class Line_ending : unsigned char { Unix, Dos };

/// Bytes, and what keeps them alive and unchanged.
struct Iovec {
  std::string_view bytes;
  std::shared_ptr<const void> owner;
};

/// A `Writer` sends to the other side of a connection.  Writing never waits: bytes are queued, and
/// all that a cycle writes to one connection leaves in one system call at its end.  What is so
/// large that a copy would cost more than a system call leaves at once, with all that is queued.
///
///     writer.write_line("hello");
///     co_await writer.flushed();
///
/// It is a handle: copies share the connection, with its `Reader` and `Socket`.
///
/// - Errors: they go to `monitor()`.  What is written after the other side has left is discarded
///   and counted.  Only what is written after the program itself has closed the connection throws
///   `Writer_closed`.
/// - Limits: something that waits for longer than `buffer_age_limit`, or a write while more than
///   `buffer_limit` waits, ends the connection with `Limit_exceeded`.  To wait for `flushed()`
///   now and then is what keeps a program below both.
/// - Threads: it belongs to the thread of its scheduler.
class Writer {
 public:
  explicit Writer(internal::Connection_handle connection) : connection_(std::move(connection)) {}

  /// `write(bytes)` queues a copy.  16 KiB or more are handed to the system at once, up to 1 MiB in
  /// a cycle, and only what it does not take is copied.
  void write(std::string_view bytes) const;

  /// `write_line(line)` queues `line` and a line end.
  void write_line(std::string_view line, Line_ending ending = Line_ending::Unix) const;
  void write_char(char c) const;
  void newline(Line_ending ending = Line_ending::Unix) const;

  /// `schedule(bytes)` queues `bytes` without a copy, unless there are less than 512, which a copy
  /// costs less than to keep.
  void schedule(std::string bytes) const;
  /// `schedule(bytes, owner)` queues what `owner` keeps alive and unchanged for as long as it is
  /// held here.
  void schedule(std::string_view bytes, std::shared_ptr<const void> owner) const;

  /// `writev(parts)` queues copies of all `parts`, as one write.  None, and empty ones, are no
  /// parts.
  void writev(std::span<const std::string_view> parts) const;

  /// `schedule_iovecs(iovecs)` queues all of them without a copy, as `schedule` does each, as one
  /// write.  The system takes 1,024 at once.
  void schedule_iovecs(std::span<const Iovec> iovecs) const;

  /// `try_write(bytes)` is `write`, unless it refuses: the other side does not keep up, or there is
  /// none any more.  What is refused has no effect, and is not counted.  The token says which write
  /// it was; see `outcome`.  `try_writev(parts)` is `writev` in that manner.
  ///
  /// - Errors: `Not_connected` after `close`, `shutdown_send`, an error, or once the other side has
  ///   left.  `Not_writeable` while the writer is throttled, and when more than `buffer_limit`
  ///   would wait; a write alone is never too large.  (lori's `send`.)
  std::expected<Send_token, Send_error> try_write(std::string_view bytes) const;
  std::expected<Send_token, Send_error> try_writev(std::span<const std::string_view> parts) const;

  /// `outcome(token)` is determined with what became of all that was written before `token`: once,
  /// exactly to the byte.  Of the tokens of a writer the first ones are `Flushed`, up to the byte
  /// at which it ended; all others have the outcome of that.  It never fails.
  Deferred<Flush_result> outcome(Send_token token) const;

  /// `write_nodelay(bytes)` writes, and hands all that is queued to the system at once rather than
  /// at the end of the cycle.  It is determined as `flushed()` is.  (Mirage's.)
  Deferred<Flush_result> write_nodelay(std::string_view bytes) const;

  /// `is_throttled()` is true from when more than the high water mark waits, since the system does
  /// not take more, until no more than the low one does, or the writer ends.  To find out, it hands
  /// what is over the mark to the system, rather than at the end of the cycle.
  bool is_throttled() const noexcept;

  /// `pushed_back()` is determined when the writer is not throttled: at once if it is not now.  It
  /// never fails, and always ends, for closing releases it.  A loop that writes waits by it:
  ///
  ///     for (;;) { writer.write(next()); co_await writer.pushed_back(); }
  Deferred<> pushed_back() const;

  /// `set_water_marks(marks)` is for what waits already as well.  Errors: throws
  /// `std::invalid_argument` if the low mark is above the high one.
  Water_marks water_marks() const noexcept;
  void set_water_marks(Water_marks marks) const;

  /// `add_filter(f)` has `f` see all that is written from now on, before other filters, and all
  /// that arrives from now on, after them.  What has arrived already is not shown to it.  Errors:
  /// throws `std::invalid_argument` for null.
  void add_filter(std::shared_ptr<Filter> filter) const;

  /// `splice(from)` writes all that `from` reads, without a copy, until its end; and waits for each
  /// part to be flushed, so that the slower side slows the faster one down.  It is determined when
  /// all is flushed, or when that can no longer happen.
  ///
  /// - Errors: it fails as a read of `from` does, with `Reader_in_use` too.  How `from` has ended a
  ///   read of it tells.  Nothing is closed; see `shutdown_send()`.
  /// - Lifetime: it holds both connections.  What it has read and cannot write any more is counted
  ///   by `bytes_dropped()`.
  Deferred<Flush_result> splice(Reader from) const;

  /// `flushed()` is determined when the operating system has taken over all that has been written
  /// before the call, or when that can no longer happen.  It never fails.  That the other side
  /// got it, it does not say.
  Deferred<Flush_result> flushed() const;

  /// `bytes_to_write()` is what waits; `bytes_received()` is all that was ever written here, of
  /// which `bytes_written()` has been taken over by the system, and `bytes_dropped()` never will
  /// be.
  std::size_t bytes_to_write() const noexcept;
  std::uint64_t bytes_received() const noexcept;
  std::uint64_t bytes_written() const noexcept;
  std::uint64_t bytes_dropped() const noexcept;

  /// `consumer_left()` is determined when a write has shown that the other side has closed or
  /// reset the connection; never, if the connection is closed before.
  Deferred<> consumer_left() const;

  /// If `raise_when_consumer_leaves()` is set, that is an error as well.  It is set for clients,
  /// and not in the handlers of a server.
  bool raise_when_consumer_leaves() const noexcept;
  void set_raise_when_consumer_leaves(bool raise) const noexcept;

  /// `set_buffer_age_limit(limit)` replaces the limit, for what waits already as well.
  void set_buffer_age_limit(Buffer_age_limit limit) const;

  /// `monitor()` receives the errors of this writer.  Its parent is the monitor that was current
  /// when the connection was made.
  Monitor monitor() const;

  /// `shutdown_send()` tells the other side, after what has been written, that nothing more will
  /// come.  Reading goes on.  Later writes throw `Writer_closed`.  Calling it twice does nothing.
  void shutdown_send() const;

  /// `close()` flushes what has been written, and closes the connection: both ways, whoever else
  /// holds a handle.  It is determined when the descriptor is closed, and says what happened.
  /// Calling it again has no effect, and returns the same.
  ///
  /// Reads under way end with `Eof`, as do later ones.  What still arrives is thrown away for up
  /// to a second, or 256 KiB, so that the system does not answer it with a reset that destroys
  /// what was flushed.  Flushing is given up after `force_close`; and what was not flushed then
  /// is dropped, and counted in the result.
  Deferred<Close_result> close(Close_options options = {}) const;

  /// `abort()` closes at once: what waits to be written is dropped, and the other side sees a
  /// reset. It is determined as `close` is.
  Deferred<Close_result> abort() const;

  /// `close_finished()` is determined when `close` is, but closes nothing.
  Deferred<Close_result> close_finished() const;
  /// `is_closed()` is true once `close` was called, or the connection has ended by an error.
  bool is_closed() const noexcept;

  /// `set_idle_timeout(span)` closes the connection when nothing has been sent or received for so
  /// long, from now on; none takes that back.  Bytes alone count, not that somebody reads or that
  /// the reader is paused.  If something waits to be written by then, it is aborted, for nothing of
  /// it was taken. The result of `close` has the reason `Idle`.
  void set_idle_timeout(std::optional<Span> span) const;

  /// `set_max_lifetime(span)` closes it, as `close` does, when that much time has passed from now
  /// on. The result of `close` has the reason `Max_lifetime`.
  void set_max_lifetime(Span span) const;

  /// `idle(span)` is determined when nothing has been sent or received for so long, counted from
  /// the last time or from the first such call, or when the connection is closed.  It closes
  /// nothing.
  Deferred<> idle(Span span) const;

  /// `observe(o)` has `o` told of all that happens on the connection from now on, in place of
  /// whoever was told before.
  void observe(std::shared_ptr<Connection_observer> observer) const;

  /// `connection()` is for what decorates a connection, such as TLS.
  internal::Connection& connection() const noexcept { return *connection_; }

 private:
  internal::Connection_handle connection_;
};

}  // namespace async
