// async/internal/engine.h: a scheduler at work.
//
// Layer: async.  Read next: kernel.h, async/backend.h; async/scheduler.h for the public face.
//
// One turn of the loop:
//
//     backend.wait            takes what is ready outside, one thing at a time; each is a cycle:
//       (read)                  what arrived determines deferreds
//       run_cycle(its writer)   jobs of priority Normal, until none is left or 500 have run;
//                               then this connection's writer is flushed
//     end of the turn         one more cycle: work from other threads, alarms, jobs of both
//                             priorities, the writers of other connections; and after it what
//                             asked to come last, which is accepting

#pragma once

#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <unordered_map>

#include "async/backend.h"
#include "async/deferred.h"
#include "async/internal/ends_with_scheduler.h"
#include "async/internal/kernel.h"
#include "async/internal/mailbox.h"
#include "async/internal/shutdown_state.h"
#include "async/internal/time_state.h"
#include "async/internal/turn_task.h"
#include "async/internal/turnstile.h"
#include "async/ivar.h"

namespace async::internal {

/// A function that runs in every cycle while it is in a list of hooks.
class Cycle_hook final : public Shared, public List_link {
 public:
  explicit Cycle_hook(std::move_only_function<void()> f)
      : context_(kernel().current), f_(std::move(f)) {}

  void call() noexcept;

  /// `let_go()` destroys the function, which may hold its own hook.
  void let_go() noexcept { f_ = nullptr; }

 private:
  const Ref<Context> context_;
  std::move_only_function<void()> f_;
};

class Engine final : public Kernel {
 public:
  using Main = std::move_only_function<Deferred<>()>;

  /// What becomes of an error that comes to the top, besides ending the scheduler.
  enum class On_uncaught : unsigned char { Print, Keep };

  /// Makes this thread's scheduler.  Errors: throws `std::logic_error` if it has one.
  Engine(std::unique_ptr<Backend> backend, On_uncaught on_uncaught);
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;
  ~Engine();

  /// `run(main)` runs `main`, and returns when the scheduler has ended: after `main` was
  /// determined, or an error came to the top, or `Shutdown::shutdown` was called.
  void run(Main main);

  /// `uncaught()` is the first error that came to the top, if one did.
  const std::exception_ptr& uncaught() const noexcept { return uncaught_; }

  /// `ended_at()` is the time at which it ended.
  Time_ns ended_at() const noexcept { return ended_at_; }

  /// `status(own)` is what the program ends with when `own` is what it would like to.
  int status(int own) const noexcept;
  void uncaught_error(const Error& error, const Monitor_core& from) noexcept;

  /// `run_cycle(own)` runs one cycle, and flushes `own` in it if that is in `dirty`.  What `own`
  /// points to must outlive the call.
  void run_cycle(Turn_task* own) noexcept;

  /// `run_cycle_and_flush_all()` flushes whatever is in `dirty`.
  void run_cycle_and_flush_all() noexcept;

  /// `yielded()` is determined at the start of the next cycle.
  Deferred<> yielded();

  /// `force_current_cycle_to_end()` leaves the jobs that wait to the next cycle.
  void force_current_cycle_to_end() noexcept { budget = normal_left_ = low_left_ = 0; }

  bool has_work() const noexcept {
    return !normal.is_empty() || !low.is_empty() || !dirty.is_empty() || !at_turn_end.is_empty() ||
           next_cycle_ || !mailbox->is_empty();
  }

  /// `come_back(work, done)` is to be called on another thread: it calls `work()` there, and has
  /// `done()` run here.  `done` stays here meanwhile, so that nothing of this thread ends on
  /// another.
  std::move_only_function<void()> come_back(std::move_only_function<void()> work,
                                            std::move_only_function<void()> done);

  Time_state& time() const noexcept { return *time_; }
  Shutdown_state& shutdown() noexcept { return *shutdown_; }

  // What other modules hang in.
  List<Turn_task> dirty;        // writers to flush
  List<Turn_task> at_turn_end;  // each once, after everything else of this turn
  Turnstile turnstile{at_turn_end};
  List<Ends_with_scheduler> open;  // told, newest first, when the scheduler ends
  List<Cycle_hook> start_hooks;
  List<Cycle_hook> end_hooks;
  const std::unique_ptr<Backend> backend;
  const std::shared_ptr<Mailbox> mailbox;

  int max_num_jobs_per_priority_per_cycle = 500;
  std::uint64_t num_cycles = 0;
  std::uint64_t num_jobs_run = 0;

 private:
  Deferred<> live();
  Deferred<> shut_down();
  Deferred<> finish_all();
  void turn();
  void end_turn() noexcept;
  void begin_cycle() noexcept;
  void end_cycle() noexcept;
  void fill_next_cycle() noexcept;
  void run_jobs(Job_queue& queue, int& left) noexcept;
  void run_job(Job& job) noexcept;
  void take_mail() noexcept;
  void flush_dirty() noexcept;
  void call_hooks(List<Cycle_hook>& hooks) noexcept;

  void end() noexcept;
  void stop_running_jobs() noexcept;
  void drop_jobs() noexcept;
  void destroy_frames() noexcept;
  void end_what_is_open() noexcept;
  void let_go_of_functions() noexcept;

  const On_uncaught on_uncaught_;
  std::unordered_map<std::uint64_t, std::move_only_function<void()>> away_;  // by number
  std::uint64_t num_away_ = 0;
  Ref<Time_state> time_;
  Main main_;
  std::optional<Ivar<>> next_cycle_;
  std::optional<Shutdown_state> shutdown_;
  int normal_left_ = 0;  // how many jobs may still run in this cycle
  int low_left_ = 0;
  std::exception_ptr uncaught_;
  std::optional<int> requested_status_;
  bool shutdown_failed_ = false;
  Time_ns ended_at_;
  bool has_finished_ = false;
};

/// `engine()` is this thread's scheduler.  Errors: throws `No_scheduler`.
inline Engine& engine() { return static_cast<Engine&>(kernel()); }

}  // namespace async::internal
