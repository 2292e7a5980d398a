// async/scheduler.h: running a program, and choosing where its jobs run.
//
// Layer: async.  Read next: monitor.h, shutdown.h, thread_safe.h; internal/engine.h for how it
// works.

#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include "async/deferred.h"
#include "async/internal/kernel.h"
#include "async/monitor.h"
#include "async/priority.h"
#include "async/time_source.h"

namespace async {

/// Every thread that uses deferreds has one scheduler, which is ambient: nothing needs to be passed
/// around.  It runs jobs in cycles.  A cycle begins when something has happened outside, such as
/// data arriving on a connection, and runs jobs until none is left, or until 500 of a priority have
/// run.  Jobs of priority `Low`, alarms and new connections come once in a turn of the loop,
/// after everything that was ready has had its cycle.
///
/// - Threads: another thread enters only through thread_safe.h; blocking work leaves through
///   in_thread.h.
class Scheduler {
 public:
  Scheduler() = delete;

  /// `go_main(main)` runs the program `main` on this thread, and returns the status to exit with.
  /// `main()` returns a `Deferred<int>`, or a `Deferred<>` for status 0.
  ///
  ///     int main() { return Scheduler::go_main(run); }
  ///
  /// It returns when `main()` is determined, when an error has reached the top monitor (which is
  /// logged, and makes the status 1), or when `Shutdown::shutdown` was called (which chooses the
  /// status); but first what `Shutdown` describes has been done.  Whatever is then still
  /// suspended is destroyed, newest first, and whatever is still open is closed.
  ///
  /// It ignores SIGPIPE from then on, and raises the soft limit on open files to the hard one.
  template <class F>
  static int go_main(F main);

  /// `go(main)` runs `main` in the same way on any thread, and returns the value of what `main()`
  /// returned.
  ///
  /// - Errors: rethrows the failure of that, or the first error that reached the top monitor.
  ///   Throws `Scheduler_ended` if `Shutdown::shutdown` ended it first.
  template <class F>
  static auto go(F main) -> internal::Value_in<std::invoke_result_t<F&>>;

  /// `is_running()` is true on a thread that has a scheduler.
  static bool is_running() noexcept { return internal::thread_state.kernel != nullptr; }

  /// `yield()` is determined at the start of the next cycle.
  static Deferred<> yield();

  /// `yield_until_no_jobs_remain()` is determined when no other job is left to run.
  static Deferred<> yield_until_no_jobs_remain();

  /// `force_current_cycle_to_end()` leaves the jobs that now wait to the next cycle.
  static void force_current_cycle_to_end();

  /// What `within` and `schedule` change in the execution context.
  struct Context {
    std::optional<Monitor> monitor = std::nullopt;
    std::optional<Priority> priority = std::nullopt;
    std::optional<Time_source> time_source = std::nullopt;
  };

  /// `within(context, f)` calls `f()` now, in the current execution context with those changes.
  /// What `f` starts inherits it.
  ///
  /// - Errors: an exception of `f` fails the deferred that it would have returned; if it returns
  ///   nothing, it goes to the monitor in `context`.
  template <class F>
  static auto within(const Context& context, F f) -> std::invoke_result_t<F&>;

  /// `schedule(context, f)` does so in a job of its own.
  template <class F>
  static void schedule(const Context& context, F f);
  template <class F>
  static void schedule(F f) {
    schedule(Context(), std::move(f));
  }

  /// A variable that lives in the execution context: what `with_local` binds, all that is started
  /// under it finds.  Keys differ by address, so they are usually static.
  template <class T>
  class Local_key {
   public:
    Local_key() = default;
    Local_key(const Local_key&) = delete;
    Local_key& operator=(const Local_key&) = delete;
  };

  /// `with_local(key, value, f)` calls `f()` now with `key` bound to `value`.
  template <class T, class F>
  static auto with_local(const Local_key<T>& key, T value, F f) -> std::invoke_result_t<F&>;

  /// `find_local(key)` is the value that is bound in the current execution context, or null.
  template <class T>
  static const T* find_local(const Local_key<T>& key);

  /// A function that runs in every cycle, for as long as its hook exists.
  class [[nodiscard]] Hook {
   public:
    Hook(Hook&&) noexcept;
    Hook& operator=(Hook&&) noexcept;
    ~Hook();

   private:
    friend class Scheduler;
    struct State;
    explicit Hook(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
  };

  /// `add_every_cycle_start_hook(f)` and `add_every_cycle_end_hook(f)` call `f()` at the start and
  /// the end of each cycle, in the current execution context.  What it raises goes to the
  /// monitor that is current now, and it goes on being called.
  static Hook add_every_cycle_start_hook(std::move_only_function<void()> f);
  static Hook add_every_cycle_end_hook(std::move_only_function<void()> f);

  /// `cycle_count()` is the number of cycles begun, `num_jobs_run()` that of jobs run.
  static std::uint64_t cycle_count();
  static std::uint64_t num_jobs_run();

  /// `set_max_num_jobs_per_priority_per_cycle(n)` changes the budget of 500.  Errors: throws
  /// `std::invalid_argument` if `n` is not positive.
  static void set_max_num_jobs_per_priority_per_cycle(int n);

 private:
  static internal::Ref<internal::Context> make_context(const Context& context);
};

}  // namespace async

#include "async/scheduler-inl.h"  // IWYU pragma: export
