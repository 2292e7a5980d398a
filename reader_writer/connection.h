// reader_writer/connection.h: the state that a Reader, a Writer and a Socket share.
//
// Layer: reader_writer.  Read next: reader.h, writer.h; async/io/transport.h below.
//
// Stages of a connection, each with one way in:
//
//     Open --close()--> Flushing --all written--> Lingering --the other side ends--> Closed
//       \                   \  nothing is unread, and all acknowledged ------------->/
//        \                   \  force_close has passed, or the other side left ---->/
//         \--close({.wait_for_peer})--> Half_closed --the other side ends--------->/
//          \--abort(), or an error ----------------------------------------------->/
//
// Open: reads and writes.  Flushing: reads end, writes are refused, what was written is flushed.
// Lingering: the end was sent, and what still arrives is thrown away, for a closed socket would
// answer it with a reset, which can destroy what was flushed.  Half_closed: writes are refused,
// what was written is flushed, then the end is sent; reads go on.  Closed: the descriptor is
// closed.

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
#include "reader_writer/internal/extras.h"
#include "reader_writer/internal/flush_waiters.h"
#include "reader_writer/internal/read_buffer.h"
#include "reader_writer/internal/write_queue.h"
#include "reader_writer/limits.h"
#include "reader_writer/send_token.h"

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
  enum class Stage : unsigned char { Open, Half_closed, Flushing, Lingering, Closed };
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

  /// While it is paused, reads wait, whatever has arrived.
  bool is_paused() const noexcept { return is_paused_; }
  void pause_reading() noexcept { is_paused_ = stage_ <= Stage::Half_closed; }
  void resume_reading() noexcept;

  /// `expected()` is the size of the frames that are read; 0 for any.
  std::size_t expected() const noexcept { return extras_ ? extras_->expected : 0; }
  void expect(std::size_t n) { extras().expected = n; }

  /// `wait_to_read(read)` makes `read`, which it takes over, wait for more.
  void wait_to_read(Pending_read& read) noexcept;

  // Writing.

  bool can_write() const noexcept {
    return stage_ == Stage::Open && sending_ == Sending::Open && !write_outcome_;
  }
  /// `prepare_to_write(n)` says whether `n` bytes are to be queued now; if not, they have been
  /// counted as dropped.  Errors: throws `Writer_closed`.
  bool prepare_to_write(std::size_t n) {
    if (can_write() && to_write_.num_bytes() <= buffer_limit_) [[likely]] {
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

  /// `flush_now()` hands over what is queued, as far as the transport takes it.
  void flush_now() noexcept;

  Deferred<Flush_result> flushed() { return outcome(bytes_received_); }
  /// `outcome(position)` is what became of all that was written before that.
  Deferred<Flush_result> outcome(std::uint64_t position);
  Deferred<> consumer_left();

  /// `refusal(n)` says why `n` bytes should not be written now, if so.  (`write` takes them in any
  /// case.)
  std::optional<Send_error> refusal(std::size_t n) noexcept;
  bool is_throttled() noexcept;
  Deferred<> pushed_back();
  Water_marks water_marks() const noexcept {
    return extras_ ? extras_->water_marks : Water_marks();
  }
  void set_water_marks(Water_marks marks);

  std::uint64_t bytes_received() const noexcept { return bytes_received_; }
  std::uint64_t bytes_written() const noexcept { return bytes_written_; }
  std::uint64_t bytes_dropped() const noexcept { return bytes_dropped_; }

  Monitor monitor();
  void set_raise_when_consumer_leaves(bool raise) noexcept { raise_when_consumer_leaves_ = raise; }
  bool raise_when_consumer_leaves() const noexcept { return raise_when_consumer_leaves_; }
  void set_buffer_age_limit(Buffer_age_limit limit) noexcept;

  // Watching and shaping.

  void add_filter(std::shared_ptr<Filter> filter);
  bool is_filtered() const noexcept { return extras_ && !extras_->filters.is_empty(); }
  /// `write_filtered(parts)` queues what the filters make of `parts`.
  void write_filtered(std::span<const std::string_view> parts);

  void observe(std::shared_ptr<Connection_observer> observer);
  /// `info()` is this connection as observers see it.
  Connection_info info() const;

  void set_idle_timeout(std::optional<Span> timeout);
  void set_max_lifetime(Span lifetime);
  /// `idle(span)` is determined when nothing was sent or received for that long, or it is closed.
  static Deferred<> idle(Ref<Connection> self, Span span);

  // Exchanging what is below, for an encrypted transport say.

  enum class Quiet : unsigned char { Yes, Closed, Reading, Unread, Unwritten, Exchanging };
  /// `is_quiet()` says whether the transport can be taken: nothing is under way either way.
  Quiet is_quiet() noexcept;

  struct Taken {
    std::unique_ptr<Transport> transport;
    Deferred<> closed;  // determined if the connection is closed meanwhile
  };
  /// `take_transport()` takes it from a connection that is quiet.  Until another one is given,
  /// reads and writes wait.
  Taken take_transport();
  /// `give_transport(t)` goes on with `t`; `lose_transport(error)` ends the connection, since there
  /// will be none.
  void give_transport(std::unique_ptr<Transport> transport) noexcept;
  void lose_transport(const Error& error) noexcept;

  // Ending.

  /// `shutdown_send()` sends the end after all that was written.
  void shutdown_send() noexcept;
  /// `close(options)` and `abort()` are the program's own doing: later writes throw.
  Deferred<Close_result> close(Close_options options);
  Deferred<Close_result> abort();
  /// `begin_to_close(options)` and `give_up()` are that without it: later writes are discarded.
  Deferred<Close_result> begin_to_close(Close_options options,
                                        Close_reason reason = Close_reason::Closed);
  Deferred<Close_result> give_up(Close_reason reason = Close_reason::Aborted);
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
  void arrived(std::size_t n) noexcept;

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
  void watch_age() noexcept {
    if (!to_write_.is_empty() || rare_) [[unlikely]]
      watch_age_of_queue();
  }
  void watch_age_of_queue() noexcept;
  void check_age() noexcept;
  void raise(const Error& error) noexcept;
  void sent(std::size_t n) noexcept;
  void offer_if_over_mark() noexcept;
  void look_at_marks() noexcept;
  void unthrottle() noexcept;

  // Watching and shaping.
  Extras& extras();
  Time_ns now() const noexcept;
  void stamp_activity();
  void set_idle_timer(Span after);
  void look_whether_idle() noexcept;
  void stop_watching() noexcept;
  template <class F, class... Args>
  void tell(F f, Args... args) const;
  void tell_closed(const Close_result& result) const;

  // Ending.
  void send_end() noexcept;
  void everything_is_flushed() noexcept;
  void linger() noexcept;
  void stop_lingering() noexcept;
  void force_close() noexcept;
  void close_for(Close_reason reason) noexcept {
    if (!close_reason_) close_reason_ = reason;
  }
  void half_close(Span force_close);
  bool awaits_peer_end() const noexcept;
  void look_whether_both_have_ended() noexcept;
  void begin_to_end_sending() noexcept;
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

  // What each read and write looks at stands together.
  const std::uint64_t number_;
  const Ref<Context> context_;
  std::unique_ptr<Transport> transport_;
  const std::size_t buffer_limit_;
  std::unique_ptr<Rare> rare_;
  std::unique_ptr<Extras> extras_;

  int num_handles_ = 0;
  Stage stage_ = Stage::Open;
  Sending sending_ = Sending::Open;
  bool program_has_closed_ = false;
  bool raise_when_consumer_leaves_ = true;
  bool is_exchanging_ = false;
  bool is_paused_ = false;
  bool is_throttled_ = false;
  bool is_blocked_ = false;                    // the transport will say when it can take more
  std::optional<Close_reason> close_reason_;   // the first there was
  std::optional<Flush_result> write_outcome_;  // why nothing is written any more
  std::optional<Eof> eof_;
  Eof::Reason what_eof_means_ = Eof::Reason::Clean;  // unless a write has shown another reason

  std::exception_ptr read_error_;
  Pending_read* pending_read_ = nullptr;
  Read_buffer received_;

  Write_queue to_write_;
  std::size_t bytes_written_through_ = 0;  // in this cycle
  std::uint64_t bytes_received_ = 0;
  std::uint64_t bytes_written_ = 0;
  std::uint64_t bytes_dropped_ = 0;
  Flush_waiters flush_waiters_;

  Buffer_age age_;
  const Address::Any remote_;
  Ref<Cell<void>> consumer_left_;   // once somebody has asked
  Ref<Cell<Close_result>> closed_;  // likewise, or it is
};

}  // namespace async::internal
