// async/pipe.h: a queue of values between two parts of a program, with pushback.
//
// Layer: async.  Read next: read_result.h.

#pragma once

#include <cstddef>
#include <functional>
#include <type_traits>
#include <utility>

#include "async/deferred.h"
#include "async/read_result.h"

namespace async {

/// Values are written at one end and read, first come first served, at the other:
///
///     auto [reader, writer] = Pipe::create<Order>({.size_budget = 100});
///     dont_wait_for(produce(writer));
///     co_await reader.iter([](Order order) { return handle(order); });
///
/// Writing never blocks and never refuses for want of space: what it returns says when there is
/// space again, and a writer that waits for that cannot run away from its reader.
///
/// - Lifetime: when the scheduler ends, the pipe is closed as by `close_read()`.
/// - Threads: both ends belong to the thread of their scheduler.
namespace Pipe {

namespace internal {
template <class T>
class State;
}

/// A value was written to a pipe that is closed.
class Write_to_closed_pipe : public std::logic_error {
 public:
  Write_to_closed_pipe();
};

/// The writing end: a handle.  When the last copy goes away the pipe is closed.
template <class T>
class Writer {
 public:
  /// `write(v)` adds `v`, and is determined when the pipe is within its budget again, or closed.
  /// Errors: fails with `Write_to_closed_pipe`.
  Deferred<> write(T value) const;

  /// `write_without_pushback(v)` adds `v`.  Errors: throws `Write_to_closed_pipe`.
  void write_without_pushback(T value) const;

  /// `write_without_pushback_if_open(v)` adds `v` unless the pipe is closed, and says whether it
  /// did.
  bool write_without_pushback_if_open(T value) const;

  /// `pushback()` is determined while the pipe holds no more than its budget, and when it is
  /// closed.
  Deferred<> pushback() const;

  /// `close()` ends the writing: what is in the pipe can still be read.  Closing twice does
  /// nothing.
  void close() const;

  /// `closed()` is determined once either end has closed the pipe.
  Deferred<> closed() const;
  bool is_closed() const noexcept;

  std::size_t length() const noexcept;
  std::size_t size_budget() const noexcept;

  Writer(const Writer& other) noexcept;
  Writer(Writer&& other) noexcept = default;
  Writer& operator=(Writer other) noexcept;
  ~Writer();

 private:
  template <class U>
  friend auto make_ends(std::size_t size_budget);
  explicit Writer(async::internal::Ref<internal::State<T>> state) noexcept;

  async::internal::Ref<internal::State<T>> state_;
};

/// The reading end: a handle.  When the last copy goes away, so does the pipe's content, as with
/// `close_read`.
template <class T>
class Reader {
 public:
  /// `read()` is determined with the next value, or with `Eof` once the pipe is closed and empty.
  /// Several may wait; they are served in order.  One whose deferred has been dropped takes no
  /// value.
  Deferred<Read_result<T>> read() const;

  /// `iter(f)` calls `f(v)` with each value, and is determined at the end of the pipe.  If `f`
  /// returns a `Deferred<>`, the next value waits for that.  The first call is made at once if
  /// there is a value.
  ///
  /// - Errors: an error of `f` fails the result, and leaves the rest in the pipe.
  /// - Lifetime: it is determined only after each call of `f` has ended, so `f` may capture by
  ///   reference.
  template <class F>
  Deferred<> iter(F f) const;

  /// `close_read()` closes the pipe and drops what is in it.  Closing twice does nothing.
  void close_read() const;

  Deferred<> closed() const;
  bool is_closed() const noexcept;

  std::size_t length() const noexcept;
  bool is_empty() const noexcept { return length() == 0; }

  Reader(const Reader& other) noexcept;
  Reader(Reader&& other) noexcept = default;
  Reader& operator=(Reader other) noexcept;
  ~Reader();

 private:
  template <class U>
  friend auto make_ends(std::size_t size_budget);
  explicit Reader(async::internal::Ref<internal::State<T>> state) noexcept;

  async::internal::Ref<internal::State<T>> state_;
};

template <class T>
struct Ends {
  Reader<T> reader;
  Writer<T> writer;
};

struct Options {
  /// How many values may wait in the pipe before writers are asked to wait.
  std::size_t size_budget = 0;
};

/// `create<T>()` is a new pipe.  With a budget of 0, each writer waits for its value to be read.
template <class T>
Ends<T> create(Options options = {});

}  // namespace Pipe
}  // namespace async

#include "async/pipe-inl.h"  // IWYU pragma: export
