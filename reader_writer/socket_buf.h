// reader_writer/socket_buf.h: a connection as a stream of the standard library.
//
// Layer: reader_writer.  Read next: reader.h, writer.h; async/in_thread.h and async/thread_safe.h.

#pragma once

#include <cstddef>
#include <cstdint>
#include <istream>
#include <memory>
#include <optional>
#include <streambuf>
#include <string>

#include "async/time_ns.h"
#include "reader_writer/reader.h"
#include "reader_writer/writer.h"

namespace async {

struct Socket_buf_options {
  /// How long a read may wait for the first byte, before it fails with `Io_error` (timed out).
  std::optional<Span> read_timeout = std::nullopt;
  /// How many bytes are read, or collected to be written, at once.
  std::size_t buffer_size = 16 * 1024;
};

/// A `Socket_buf` lets code that blocks use a connection, on a thread of its own.
///
///     co_await In_thread::run([stream = socket_stream(reader, writer)] {
///       std::string line;
///       while (std::getline(*stream, line)) *stream << line << std::endl;
///     });
///
/// Reading waits for at least one byte.  What is written is collected until the buffer is full,
/// when it waits for the writer to be pushed back, or until it is flushed, when it waits for that.
/// It can be unread (`unget`, `putback`) without limit, and asked where it is (`tellg`, `tellp`),
/// not moved.
///
/// - Errors: the end of the stream is the other side's end, in order.  Any other end, and whatever
///   reading and writing fail with, is thrown, which a stream takes for `badbit`, unless its
///   `exceptions()` say to throw it on.  So are `Scheduler_ended`, and `std::logic_error` on the
///   scheduler's own thread, which it would block.
/// - Lifetime: it holds a handle of the connection, and closes nothing itself.  Destroying it hands
///   what it has collected to the writer, and waits for nothing; if that is closed by then, it is
///   dropped and logged.
/// - Threads: it is made on the scheduler's thread; then one thread at a time uses and destroys it.
///   In a simulation there are no other threads, so it is of no use there.  (Rust's `socket_buf`.)
class Socket_buf final : public std::streambuf {
 public:
  Socket_buf(Reader reader, Writer writer, Socket_buf_options options = {});
  Socket_buf(const Socket_buf&) = delete;
  Socket_buf& operator=(const Socket_buf&) = delete;
  ~Socket_buf() override;

 protected:
  int_type underflow() override;
  int_type pbackfail(int_type c) override;
  std::streamsize showmanyc() override;
  int_type overflow(int_type c) override;
  int sync() override;
  pos_type seekoff(off_type offset, std::ios_base::seekdir from,
                   std::ios_base::openmode which) override;

 private:
  struct Shared_state;

  enum class Until : unsigned char { Pushed_back, Flushed };
  void write_out(Until until);
  std::string collected() const { return {pbase(), pptr()}; }
  void collect_anew();

  const Socket_buf_options options_;
  const std::shared_ptr<Shared_state> state_;  // lives on the scheduler's thread
  std::string unread_;
  std::string written_;
  std::uint64_t num_read_ = 0;     // with what is unread here
  std::uint64_t num_written_ = 0;  // without what is collected here
};

/// `socket_stream(reader, writer, options)` is a stream with a `Socket_buf` of its own.
std::unique_ptr<std::iostream> socket_stream(Reader reader, Writer writer,
                                             Socket_buf_options options = {});

}  // namespace async
