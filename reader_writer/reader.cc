#include "reader_writer/reader.h"

#include <algorithm>
#include <cerrno>
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

/// `at_end`, for reads that must not end within something.
template <class Give>
bool at_end_of_whole(const Connection& connection, const Give& give) {
  if (connection.eof() && connection.eof()->reason != Eof::Reason::Closed) check_end(connection);
  return at_end(connection, give);
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

  // Inlined, as is `start`: for the lines that have arrived already this is most of what they cost.
  template <class Give>
  [[gnu::always_inline]] bool operator()(Connection& connection, const Give& give) {
    const std::string_view unread = connection.received().unread();
    const std::size_t found = find_(unread, seen_);
    const std::size_t length = length_of(unread.substr(0, found));
    if (length > options_.max) too_long(connection, "a line", options_.max);
    if (found == std::string_view::npos) {
      seen_ = unread.size();
      return without_delimiter(connection, give, options_.max);
    }
    give(unread.substr(0, options_.keep_delimiter ? found + 1 : length));
    connection.received().consume_copied(found + 1);
    return true;
  }

 private:
  /// Without the first byte of a line end of two, the rest of which may still come.
  std::size_t length_of(std::string_view line) const noexcept {
    return line.size() - (strips_cr_ && line.ends_with('\r') ? 1 : 0);
  }

  /// What follows the last delimiter is taken only at the end, if that is in order.
  template <class Give>
  static bool without_delimiter(Connection& connection, const Give& give, std::size_t max) {
    const std::string_view unread = connection.received().unread();
    const bool is_last = connection.eof() && connection.eof()->reason == Eof::Reason::Clean;
    if (!is_last || unread.empty()) return at_end(connection, give);
    if (unread.size() > max) too_long(connection, "a line", max);
    give(unread);
    connection.received().consume_copied(unread.size());
    return true;
  }

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
  return start<Read_result<std::string_view>>(connection_, [](Connection& c, const auto& give) {
    const std::string_view unread = c.received().unread();
    if (unread.empty()) return internal::at_end(c, give);
    give(unread);
    c.received().consume(unread.size());
    return true;
  });
}

Deferred<Read_result<std::string>> Reader::read(std::size_t max) const {
  return start<Read_result<std::string>>(connection_, [max](Connection& c, const auto& give) {
    const std::string_view bytes = c.received().unread().substr(0, max);
    if (bytes.empty() && max > 0) return internal::at_end(c, give);
    give(bytes);
    c.received().consume_copied(bytes.size());
    return true;
  });
}

Deferred<Read_result<std::size_t>> Reader::read(std::span<char> into) const {
  return start<Read_result<std::size_t>>(connection_, [into](Connection& c, const auto& give) {
    const std::string_view bytes = c.received().unread().substr(0, into.size());
    if (bytes.empty() && !into.empty()) return internal::at_end(c, give);
    bytes.copy(into.data(), bytes.size());
    give(bytes.size());
    c.received().consume_copied(bytes.size());
    return true;
  });
}

Deferred<Read_result<char>> Reader::read_char() const {
  return start<Read_result<char>>(connection_, [](Connection& c, const auto& give) {
    const std::string_view unread = c.received().unread();
    if (unread.empty()) return internal::at_end(c, give);
    give(unread[0]);
    c.received().consume_copied(1);
    return true;
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
  return start<Read_result<std::string>>(connection_, [n, max](Connection& c, const auto& give) {
    if (n > max) internal::too_long(c, "what is to be read", max);
    const std::string_view unread = c.received().unread();
    if (unread.size() >= n) {
      give(unread.substr(0, n));
      c.received().consume_copied(n);
      return true;
    }
    return internal::at_end_of_whole(c, give);
  });
}

Deferred<Read_result<std::string_view>> Reader::peek(std::size_t n, std::size_t max) const {
  using R = Read_result<std::string_view>;
  return start<R>(connection_, [n, max](Connection& c, const auto& give) {
    if (n > max) internal::too_long(c, "what is to be read", max);
    const std::string_view unread = c.received().unread();
    if (unread.size() < n) return internal::at_end(c, give);
    give(unread.substr(0, n));
    return true;
  });
}

Deferred<Read_result<std::string_view>> Reader::peek_chunk(std::size_t min, std::size_t max) const {
  using R = Read_result<std::string_view>;
  return start<R>(connection_, [min, max](Connection& c, const auto& give) {
    if (min > max) internal::too_long(c, "what is to be read", max);
    const std::string_view unread = c.received().unread();
    if (unread.size() < min || unread.empty()) return internal::at_end(c, give);
    give(unread);
    return true;
  });
}

void Reader::consume(std::size_t n) const {
  if (connection_->is_reading()) throw Reader_in_use();
  if (n > bytes_available()) throw std::out_of_range("there is less to consume than that");
  connection_->received().consume(n);
}

void Reader::unread(std::string_view bytes) const {
  if (connection_->is_reading()) throw Reader_in_use();
  connection_->received().prepend(bytes);
}

void Reader::expect(std::size_t n, std::size_t max) const {
  if (n > max) internal::too_long(*connection_, "a frame", max);
  connection_->expect(n);
}

std::size_t Reader::expected() const noexcept { return connection_->expected(); }

Deferred<Read_result<std::string_view>> Reader::read_frame() const {
  return start<Read_result<std::string_view>>(connection_, [](Connection& c, const auto& give) {
    const std::string_view unread = c.received().unread();
    const std::size_t size = c.expected() > 0 ? c.expected() : unread.size();
    if (unread.size() >= size && size > 0) {
      give(unread.substr(0, size));
      c.received().consume(size);
      return true;
    }
    return internal::at_end_of_whole(c, give);
  });
}

void Reader::pause() const noexcept { connection_->pause_reading(); }
void Reader::resume() const noexcept { connection_->resume_reading(); }
bool Reader::is_paused() const noexcept { return connection_->is_paused(); }

bool Reader::is_eof() const noexcept {
  return connection_->eof() && connection_->received().unread().empty();
}

std::size_t Reader::buffer_size() const noexcept { return connection_->received().size(); }

void Reader::set_buffer_size(std::size_t n) const {
  if (n == 0) throw std::invalid_argument("a reader's buffer has no size");
  connection_->received().set_size(n);
}

std::string Reader::read_available(std::size_t max) const {
  if (connection_->is_reading()) throw Reader_in_use();
  if (connection_->is_paused()) return {};
  std::string result(connection_->received().unread().substr(0, max));
  connection_->received().consume_copied(result.size());
  return result;
}

std::size_t Reader::bytes_available() const noexcept {
  return connection_->received().unread().size();
}

Deferred<std::string> Reader::contents(std::size_t max) const {
  return start<std::string>(connection_, [max](Connection& c, const auto& give) {
    const std::string_view unread = c.received().unread();
    if (unread.size() > max) internal::too_long(c, "what is to be read", max);
    if (c.has_more_to_come()) return false;
    internal::check_end(c);
    give(unread);
    c.received().consume_copied(unread.size());
    return true;
  });
}

Deferred<Eof> Reader::drain() const {
  return start<Eof>(connection_, [](Connection& c, const auto& give) {
    c.received().consume_copied(c.received().unread().size());
    if (c.read_error()) std::rethrow_exception(c.read_error());
    if (c.eof()) give(*c.eof());
    return c.eof().has_value();
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
