#include "reader_writer/reader.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <functional>
#include <optional>
#include <stdexcept>
#include <utility>

#include "async/choose.h"
#include "async/coroutine.h"
#include "async/io/io_error.h"
#include "reader_writer/internal/read_op.h"

namespace async {

namespace internal {

namespace {

/// `check_end(connection)` throws if what has ended has not ended in order.
void check_end(const Connection& connection) {
  if (connection.read_error()) std::rethrow_exception(connection.read_error());
  int error = 0;
  switch (connection.eof()->reason) {
    case Eof::Reason::Clean:
      return;
    case Eof::Reason::Reset:
      error = ECONNRESET;
      break;
    case Eof::Reason::Timed_out:
      error = ETIMEDOUT;
      break;
    case Eof::Reason::Closed:
      error = ECANCELED;
      break;
  }
  throw Io_error(io_error_of_errno(error), "read from " + to_string(connection.remote()))
      .on_connection(connection.number());
}

[[noreturn]] void too_long(const Connection& connection, const char* what, std::size_t max) {
  throw Limit_exceeded(Limit_exceeded::Limit::Read,
                       std::string(what) + " from " + to_string(connection.remote()) +
                           " is longer than " + std::to_string(max) + " bytes",
                       connection.number());
}

/// Finds the end of a line or the like, without looking at any byte twice.
template <class Find>
class Until {
 public:
  Until(Find find, Read_until_options options, bool strip_cr)
      : find_(std::move(find)), options_(options), strips_cr_(strip_cr) {}

  std::optional<Read_result<std::string>> operator()(Connection& connection) {
    const std::string_view unread = connection.received().unread();
    const std::size_t found = find_(unread, seen_);
    if (std::min(found, unread.size()) > options_.max + (strips_cr_ ? 1 : 0)) {
      too_long(connection, "a line", options_.max);
    }
    if (found != std::string_view::npos) {
      std::string_view line = unread.substr(0, found + (options_.keep_delimiter ? 1 : 0));
      if (strips_cr_ && line.ends_with('\r')) line.remove_suffix(1);
      if (line.size() > options_.max + (options_.keep_delimiter ? 1 : 0)) {
        too_long(connection, "a line", options_.max);
      }
      std::string result(line);
      connection.received().consume(found + 1);
      return result;
    }
    seen_ = unread.size();
    const bool is_last = connection.eof() && connection.eof()->reason == Eof::Reason::Clean;
    if (is_last && !unread.empty()) {
      if (unread.size() > options_.max) too_long(connection, "a line", options_.max);
      std::string result(unread);
      connection.received().consume(unread.size());
      return result;
    }
    return at_end<std::string>(connection);
  }

 private:
  Find find_;
  const Read_until_options options_;
  const bool strips_cr_;
  std::size_t seen_ = 0;
};

auto find_char(char delimiter) {
  return
      [delimiter](std::string_view bytes, std::size_t from) { return bytes.find(delimiter, from); };
}

}  // namespace
}  // namespace internal

using internal::Connection;
using internal::start;

Deferred<Read_result<std::string_view>> Reader::read_chunk() const {
  using R = Read_result<std::string_view>;
  return start<R>(connection_, [](Connection& c) -> std::optional<R> {
    const std::string_view unread = c.received().unread();
    if (unread.empty()) return internal::at_end<std::string_view>(c);
    c.received().consume(unread.size());
    return unread;
  });
}

Deferred<Read_result<std::string>> Reader::read(std::size_t max) const {
  using R = Read_result<std::string>;
  return start<R>(connection_, [max](Connection& c) -> std::optional<R> {
    if (max == 0) return std::string();
    std::string result(c.received().unread().substr(0, max));
    if (result.empty()) return internal::at_end<std::string>(c);
    c.received().consume(result.size());
    return result;
  });
}

Deferred<Read_result<std::size_t>> Reader::read(std::span<char> into) const {
  using R = Read_result<std::size_t>;
  return start<R>(connection_, [into](Connection& c) -> std::optional<R> {
    const std::string_view bytes = c.received().unread().substr(0, into.size());
    if (into.empty()) return 0;
    if (bytes.empty()) return internal::at_end<std::size_t>(c);
    std::memcpy(into.data(), bytes.data(), bytes.size());
    c.received().consume(bytes.size());
    return bytes.size();
  });
}

Deferred<Read_result<char>> Reader::read_char() const {
  using R = Read_result<char>;
  return start<R>(connection_, [](Connection& c) -> std::optional<R> {
    const std::string_view unread = c.received().unread();
    if (unread.empty()) return internal::at_end<char>(c);
    const char first = unread[0];
    c.received().consume(1);
    return first;
  });
}

Deferred<Read_result<std::string>> Reader::read_line(std::size_t max) const {
  return start<Read_result<std::string>>(
      connection_, internal::Until(internal::find_char('\n'), {.max = max}, /*strip_cr=*/true));
}

Deferred<Read_result<std::string>> Reader::read_until(char delimiter,
                                                      Read_until_options options) const {
  return start<Read_result<std::string>>(
      connection_, internal::Until(internal::find_char(delimiter), options, /*strip_cr=*/false));
}

Deferred<Read_result<std::string>> Reader::read_until(std::function<bool(char)> is_delimiter,
                                                      Read_until_options options) const {
  auto find = [f = std::move(is_delimiter)](std::string_view bytes, std::size_t from) {
    const auto at = std::find_if(bytes.begin() + static_cast<std::ptrdiff_t>(from), bytes.end(),
                                 std::cref(f));  // it may have a state
    return at == bytes.end() ? std::string_view::npos
                             : static_cast<std::size_t>(at - bytes.begin());
  };
  return start<Read_result<std::string>>(
      connection_, internal::Until(std::move(find), options, /*strip_cr=*/false));
}

Deferred<Read_result<std::string>> Reader::really_read(std::size_t n, std::size_t max) const {
  using R = Read_result<std::string>;
  return start<R>(connection_, [n, max](Connection& c) -> std::optional<R> {
    if (n > max) internal::too_long(c, "what is to be read", max);
    const std::string_view unread = c.received().unread();
    if (unread.size() >= n) {
      std::string result(unread.substr(0, n));
      c.received().consume(n);
      return result;
    }
    if (c.eof() && c.eof()->reason != Eof::Reason::Closed) internal::check_end(c);
    return internal::at_end<std::string>(c);
  });
}

Deferred<Read_result<std::string_view>> Reader::peek(std::size_t n, std::size_t max) const {
  using R = Read_result<std::string_view>;
  return start<R>(connection_, [n, max](Connection& c) -> std::optional<R> {
    if (n > max) internal::too_long(c, "what is to be read", max);
    const std::string_view unread = c.received().unread();
    if (unread.size() >= n) return unread.substr(0, n);
    return internal::at_end<std::string_view>(c);
  });
}

std::string Reader::read_available(std::size_t max) const {
  if (connection_->is_reading()) throw Reader_in_use();
  std::string result(connection_->received().unread().substr(0, max));
  connection_->received().consume(result.size());
  return result;
}

std::size_t Reader::bytes_available() const noexcept {
  return connection_->received().unread().size();
}

Deferred<std::string> Reader::contents(std::size_t max) const {
  return start<std::string>(connection_, [max](Connection& c) -> std::optional<std::string> {
    const std::string_view unread = c.received().unread();
    if (unread.size() > max) internal::too_long(c, "what is to be read", max);
    if (c.has_more_to_come()) return std::nullopt;
    internal::check_end(c);
    std::string result(unread);
    c.received().consume(unread.size());
    return result;
  });
}

Deferred<Eof> Reader::drain() const {
  return start<Eof>(connection_, [](Connection& c) -> std::optional<Eof> {
    c.received().consume(c.received().unread().size());
    if (c.read_error()) std::rethrow_exception(c.read_error());
    return c.eof();
  });
}

namespace {

Deferred<> write_lines(Reader reader, Pipe::Writer<std::string> lines, std::size_t max,
                       internal::Connection_handle connection) {
  using Line = Read_result<std::string>;
  const Deferred<> closed = lines.closed();
  while (!lines.is_closed()) {
    std::optional<Line> line =
        co_await choose(choice(closed, [] { return std::optional<Line>(); }),
                        choice(reader.read_line(max), [](Line l) { return std::optional(l); }));
    if (!line) co_return;
    if (!*line) {
      if (line->error().reason != Eof::Reason::Closed) internal::check_end(*connection);
      co_return;
    }
    if (!lines.write_without_pushback_if_open(std::move(**line))) co_return;
    co_await lines.pushback();
  }
}

}  // namespace

Pipe::Reader<std::string> Reader::lines(std::size_t max) const {
  auto [reader, writer] = Pipe::create<std::string>();
  dont_wait_for(write_lines(*this, std::move(writer), max, connection_));
  return reader;
}

Deferred<Close_result> Reader::close(Close_options options) const {
  return connection_->close(options);
}

Deferred<Close_result> Reader::close_finished() const { return connection_->close_finished(); }

bool Reader::is_closed() const noexcept { return connection_->is_closed(); }

std::uint64_t Reader::bytes_read() const noexcept { return connection_->received().num_consumed(); }

}  // namespace async
