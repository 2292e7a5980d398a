#include "reader_writer/socket_buf.h"

#include <algorithm>
#include <cerrno>
#include <exception>
#include <expected>
#include <stdexcept>
#include <utility>

#include "async/clock.h"
#include "async/coroutine.h"
#include "async/io/io_error.h"
#include "async/log.h"
#include "async/thread_safe.h"

namespace async {

/// What is used on the scheduler's thread alone.
struct Socket_buf::Shared_state {
  Shared_state(Reader r, Writer w, std::optional<Span> timeout)
      : reader(std::move(r)), writer(std::move(w)), read_timeout(timeout) {}

  const Thread_safe::Scheduler_handle scheduler = Thread_safe::this_scheduler();
  const Reader reader;
  const Writer writer;
  const std::optional<Span> read_timeout;

  /// `make(...)` is destroyed on the scheduler's thread, unless the scheduler has ended: then it
  /// does not matter where.
  static std::shared_ptr<Shared_state> make(Reader reader, Writer writer,
                                            std::optional<Span> timeout) {
    auto* state = new Shared_state(std::move(reader), std::move(writer), timeout);
    return {state, [](Shared_state* last) {
              const Thread_safe::Scheduler_handle scheduler = last->scheduler;
              std::unique_ptr<Shared_state> owner(last);
              try {
                scheduler.post([owner = std::move(owner)] {});
              } catch (const Scheduler_ended&) {
              }
            }};
  }

  static Deferred<std::string> read(std::shared_ptr<Shared_state> self, std::size_t max) {
    Deferred<Read_result<std::string>> reading = self->reader.read(max);
    Read_result<std::string> bytes;
    if (self->read_timeout) {
      auto in_time = co_await Clock::with_timeout(*self->read_timeout, std::move(reading));
      if (!in_time) throw Io_error(io_error_of_errno(ETIMEDOUT), "read from a stream");
      bytes = std::move(*in_time);
    } else {
      bytes = co_await std::move(reading);
    }
    if (bytes) co_return std::move(*bytes);
    if (bytes.error().reason == Eof::Reason::Clean) co_return std::string();
    throw Io_error(io_error_of_errno(error_of(bytes.error().reason)), "read from a stream");
  }

  static Deferred<> write(std::shared_ptr<Shared_state> self, std::string bytes, Until until) {
    self->writer.write(bytes);
    if (until == Until::Pushed_back) {
      co_await self->writer.pushed_back();
      co_return;
    }
    const Flush_result result = co_await self->writer.flushed();
    if (result == Flush_result::Flushed) co_return;
    throw std::runtime_error("a stream was not flushed: " + std::string(to_string(result)));
  }

  static int error_of(Eof::Reason reason) {
    switch (reason) {
      case Eof::Reason::Reset:
        return ECONNRESET;
      case Eof::Reason::Timed_out:
        return ETIMEDOUT;
      case Eof::Reason::Clean:
      case Eof::Reason::Closed:
        break;
    }
    return ECANCELED;
  }
};

Socket_buf::Socket_buf(Reader reader, Writer writer, Socket_buf_options options)
    : options_(options),
      state_(Shared_state::make(std::move(reader), std::move(writer), options.read_timeout)) {
  if (options.buffer_size == 0) throw std::invalid_argument("a stream's buffer has no size");
  written_.resize(options.buffer_size);
  collect_anew();
}

Socket_buf::~Socket_buf() {
  if (pptr() == pbase()) return;
  try {
    state_->scheduler.post([state = state_, bytes = collected()] {
      if (!state->writer.is_closed()) {
        state->writer.write(bytes);
      } else {
        Log::error(std::to_string(bytes.size()) +
                   " bytes of a stream were not written: its connection was closed before");
      }
    });
  } catch (const Scheduler_ended&) {
  }
}

void Socket_buf::collect_anew() { setp(written_.data(), written_.data() + written_.size()); }

Socket_buf::int_type Socket_buf::underflow() {
  if (gptr() < egptr()) return traits_type::to_int_type(*gptr());
  unread_ = Thread_safe::block_on_async(
      state_->scheduler,
      [state = state_, max = options_.buffer_size] { return Shared_state::read(state, max); });
  num_read_ += unread_.size();
  setg(unread_.data(), unread_.data(), unread_.data() + unread_.size());
  return unread_.empty() ? traits_type::eof() : traits_type::to_int_type(*gptr());
}

// Called for what is not right before the place that is read next.
Socket_buf::int_type Socket_buf::pbackfail(int_type c) {
  if (traits_type::eq_int_type(c, traits_type::eof())) return c;  // it is not known any more
  std::string unread(1, traits_type::to_char_type(c));
  unread.append(gptr(), egptr());
  unread_ = std::move(unread);
  setg(unread_.data(), unread_.data(), unread_.data() + unread_.size());
  return traits_type::not_eof(c);
}

std::streamsize Socket_buf::showmanyc() { return 0; }  // what has arrived is on the other thread

Socket_buf::int_type Socket_buf::overflow(int_type c) {
  write_out(Until::Pushed_back);
  if (traits_type::eq_int_type(c, traits_type::eof())) return traits_type::not_eof(c);
  return sputc(traits_type::to_char_type(c));
}

int Socket_buf::sync() {
  write_out(Until::Flushed);
  return 0;
}

void Socket_buf::write_out(Until until) {
  std::string bytes = collected();
  collect_anew();  // what cannot be written is not tried again
  num_written_ += bytes.size();
  Thread_safe::block_on_async(state_->scheduler, [state = state_, bytes = std::move(bytes), until] {
    return Shared_state::write(state, bytes, until);
  });
}

Socket_buf::pos_type Socket_buf::seekoff(off_type offset, std::ios_base::seekdir from,
                                         std::ios_base::openmode which) {
  if (offset != 0 || from != std::ios_base::cur) return {off_type(-1)};
  if (which == std::ios_base::out) {
    return {static_cast<off_type>(num_written_) + (pptr() - pbase())};
  }
  // More may have been put back than was read.
  return {std::max<off_type>(static_cast<off_type>(num_read_) - (egptr() - gptr()), 0)};
}

namespace {

class Socket_stream final : public std::iostream {
 public:
  Socket_stream(Reader reader, Writer writer, Socket_buf_options options)
      : std::iostream(nullptr), buf_(std::move(reader), std::move(writer), options) {
    rdbuf(&buf_);
  }

 private:
  Socket_buf buf_;
};

}  // namespace

std::unique_ptr<std::iostream> socket_stream(Reader reader, Writer writer,
                                             Socket_buf_options options) {
  return std::make_unique<Socket_stream>(std::move(reader), std::move(writer), options);
}

}  // namespace async
