// reader_writer/connection.h: the state that a Reader, a Writer and a Socket share.
//
// Layer: reader_writer.  Read next: reader.h, writer.h; async/io/transport.h below.
//
// Stages of a connection, each with one way in:
//
//     Open --close()--> Flushing --all written--> Lingering --the other side ends--> Closed
//       \                   \  nothing is unread, and all acknowledged ------------->/
//        \                   \  force_close has passed, or the other side left ---->/
//         \--abort(), or an error ------------------------------------------------>/
//
// Open: reads and writes.  Flushing: reads end, writes are refused, what was written is flushed.
// Lingering: the end was sent, and what still arrives is thrown away, for a closed socket would
// answer it with a reset, which can destroy what was flushed.  Closed: the descriptor is closed.

#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "async/clock.h"
#include "async/deferred.h"
#include "async/internal/ends_with_scheduler.h"
#include "async/io/transport.h"
#include "async/ivar.h"
#include "async/monitor.h"
#include "async/read_result.h"
#include "reader_writer/flush_result.h"
#include "reader_writer/internal/buffer_age.h"
#include "reader_writer/internal/flush_waiters.h"
#include "reader_writer/internal/read_buffer.h"
#include "reader_writer/internal/write_queue.h"
#include "reader_writer/limits.h"

namespace async::internal {

/// A read that waits for bytes.
class Pending_read {
 public:
  /// `try_to_finish()` is called when more has arrived, or nothing more will.  Returns false if
  /// that is not enough.
  virtual bool try_to_finish() noexcept = 0;
  /// `is_wanted()` is false if nobody waits for the result any more.
  virtual bool is_wanted() noexcept = 0;
  virtual void forget() noexcept = 0;

 protected:
  ~Pending_read() = default;
};

class Connection final : public Transport::User, public Ends_with_scheduler {
 public:
  enum class Stage : unsigned char { Open, Flushing, Lingering, Closed };
  /// What the other side knows of the end of what is sent to it.
  enum class Sending : unsigned char { Open, Ending, Ended };

  /// Errors of the writer go to a monitor whose parent is the current one.
  Connection(std::unique_ptr<Transport> transport, Address::Any remote, Connection_limits limits);

  /// Numbers are never used twice in a process.
  std::uint64_t number() const noexcept { return number_; }
  Stage stage() const noexcept { return stage_; }
  const Address::Any& remote() const noexcept { return remote_; }
  Transport& transport() noexcept { return *transport_; }

  // Handles: when the last one goes, the connection is closed.
  void add_handle() noexcept { ++num_handles_; }
  void remove_handle() noexcept;

  // Reading.

  /// What has arrived, and how it ended if it did.
  Read_buffer& received() noexcept { return received_; }
  const std::optional<Eof>& eof() const noexcept { return eof_; }
  /// An error that is no way for a connection to end.
  const std::exception_ptr& read_error() const noexcept { return read_error_; }
  bool has_more_to_come() const noexcept { return !eof_ && !read_error_; }

  /// `is_reading()` is true while a read waits that somebody wants.
  bool is_reading() noexcept;
  /// `wait_to_read(read)` makes `read`, which it takes over, wait for more.
  void wait_to_read(Pending_read& read) noexcept;

  // Writing.

  /// `prepare_to_write(n)` says whether `n` bytes are to be queued now; if not, they have been
  /// counted as dropped.  Errors: throws `Writer_closed`.
  bool prepare_to_write(std::size_t n) {
    const bool is_open = stage_ == Stage::Open && sending_ == Sending::Open && !write_outcome_;
    if (is_open && to_write_.num_bytes() <= buffer_limit_) [[likely]] {
      bytes_received_ += n;
      return true;
    }
    return refuse_to_write(n);
  }
  Write_queue& to_write() noexcept { return to_write_; }
  /// `write_through(bytes)` hands the first of `bytes` to the transport at once, after all that is
  /// queued, if there are many: so they need no copy.  Returns the rest, which is to be queued.
  std::string_view write_through(std::string_view bytes) noexcept;
  /// `written()` is called after something was queued or written through.
  void written() noexcept {
    if (is_blocked_ || !Turn_task::is_linked()) [[unlikely]]
      first_written();
  }

  Deferred<Flush_result> flushed();
  Deferred<> consumer_left();
  std::uint64_t bytes_received() const noexcept { return bytes_received_; }
  std::uint64_t bytes_written() const noexcept { return bytes_written_; }
  std::uint64_t bytes_dropped() const noexcept { return bytes_dropped_; }

  Monitor monitor();
  void set_raise_when_consumer_leaves(bool raise) noexcept { raise_when_consumer_leaves_ = raise; }
  bool raise_when_consumer_leaves() const noexcept { return raise_when_consumer_leaves_; }
  void set_buffer_age_limit(Buffer_age_limit limit) noexcept;

  // Ending.

  /// `shutdown_send()` sends the end after all that was written.
  void shutdown_send() noexcept;
  /// `close(options)` and `abort()` are the program's own doing: later writes throw.
  Deferred<Close_result> close(Close_options options);
  Deferred<Close_result> abort();
  /// `begin_to_close(options)` and `give_up()` are that without it: later writes are discarded.
  Deferred<Close_result> begin_to_close(Close_options options);
  Deferred<Close_result> give_up();
  Deferred<Close_result> close_finished();
  bool is_closed() const noexcept { return stage_ != Stage::Open; }

  void readable() noexcept override;
  void writable() noexcept override;
  void run_in_turn() noexcept override;
  Deferred<> finish() override;
  void scheduler_ends() noexcept override;

 private:
  ~Connection() override;

  // Reading.
  void read_once() noexcept;
  void reading_failed(std::error_code error) noexcept;
  void end_reading(Eof::Reason reason) noexcept;
  void finish_pending_read() noexcept;
  void forget_pending_read() noexcept;
  void drop_what_is_unread() noexcept;

  // Writing.
  void flush() noexcept;
  bool refuse_to_write(std::size_t n);
  void first_written() noexcept;
  void flush_later() noexcept;
  std::size_t hand_over(std::string_view more) noexcept;
  void writing_failed(std::error_code error) noexcept;
  void consumer_has_left(std::error_code error) noexcept;
  void pause() noexcept;
  void fail(const Error& error) noexcept;
  void drop_what_is_queued(Flush_result why) noexcept;
  void watch_age() noexcept;
  void check_age() noexcept;
  void raise(const Error& error) noexcept;

  // Ending.
  void send_end() noexcept;
  void everything_is_flushed() noexcept;
  void linger() noexcept;
  void stop_lingering() noexcept;
  void force_close() noexcept;
  void finish_closing(Flush_result outcome, Transport::How how) noexcept;
  void make_closed();
  void set_timer(Span after, void (Connection::*f)() noexcept) noexcept;

  static constexpr std::chrono::milliseconds shortest_pause{5};

  // To copy less costs less than a system call.
  static constexpr std::size_t min_to_write_through = 16 * 1024;
  // In a cycle.  One that is always taken at once leaves the others their turn.
  static constexpr std::size_t most_to_write_through = 1024 * 1024;

  /// What a connection needs while it is in trouble, or closes: idle ones do without.
  struct Rare : Pooled {
    std::size_t bytes_thrown_away = 0;      // while lingering
    std::optional<Clock::Event> timer;      // of the stage
    std::optional<Clock::Event> age_timer;  // of what waits longest
    std::optional<Clock::Event> pause;      // while the system has no buffers
    Span next_pause = shortest_pause;
    std::optional<Monitor> monitor;
  };
  Rare& rare();

  const std::uint64_t number_;
  const Ref<Context> context_;
  std::unique_ptr<Transport> transport_;
  const Address::Any remote_;
  const std::size_t buffer_limit_;

  int num_handles_ = 0;
  Stage stage_ = Stage::Open;
  Sending sending_ = Sending::Open;
  bool program_has_closed_ = false;
  bool raise_when_consumer_leaves_ = true;
  bool is_blocked_ = false;                    // the transport will say when it can take more
  std::optional<Flush_result> write_outcome_;  // why nothing is written any more
  std::optional<Eof> eof_;
  Eof::Reason what_eof_means_ = Eof::Reason::Clean;  // unless a write has shown another reason

  Read_buffer received_;
  std::exception_ptr read_error_;
  Pending_read* pending_read_ = nullptr;

  Write_queue to_write_;
  std::size_t bytes_written_through_ = 0;  // in this cycle
  std::uint64_t bytes_received_ = 0;
  std::uint64_t bytes_written_ = 0;
  std::uint64_t bytes_dropped_ = 0;
  Flush_waiters flush_waiters_;
  Buffer_age age_;

  std::unique_ptr<Rare> rare_;
  Ref<Cell<void>> consumer_left_;   // once somebody has asked
  Ref<Cell<Close_result>> closed_;  // likewise, or it is
};

}  // namespace async::internal
