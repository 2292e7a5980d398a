// reader_writer/writer.h: writing to a connection.
//
// Layer: reader_writer.  Read next: flush_result.h, limits.h; reader.h; connection.h for what both
// share.

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "async/deferred.h"
#include "async/monitor.h"
#include "reader_writer/errors.h"
#include "reader_writer/flush_result.h"
#include "reader_writer/internal/connection_handle.h"
#include "reader_writer/limits.h"

namespace async {

class Reader;

enum class Line_ending : unsigned char { Unix, Dos };

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

  /// `close_finished()` is determined when `close` is, but closes nothing.
  Deferred<Close_result> close_finished() const;
  /// `is_closed()` is true once `close` was called, or the connection has ended by an error.
  bool is_closed() const noexcept;

 private:
  internal::Connection_handle connection_;
};

}  // namespace async
