// async/try_with.h: errors as values, and cleaning up whatever happens.
//
// Layer: async.  Read next: monitor.h, or_error.h.

#pragma once

#include <functional>
#include <memory>
#include <utility>

#include "async/deferred.h"
#include "async/internal/keep.h"
#include "async/ivar.h"
#include "async/monitor.h"

namespace async {

/// What becomes of errors under a `try_with` that come after its result.
class Rest {
 public:
  /// `raise()` sends them to the monitor of the caller.
  static Rest raise() { return Rest(Kind::Raise); }
  /// `log()` writes them to the log.
  static Rest log() { return Rest(Kind::Log); }
  /// `call(f)` calls `f` with each, in the execution context of the caller.
  static Rest call(std::function<void(const Error&)> f) {
    Rest rest(Kind::Call);
    rest.f_ = std::make_shared<const std::function<void(const Error&)>>(std::move(f));
    return rest;
  }

  /// `handle(error, caller)` does so.
  void handle(const Error& error, const internal::Context& caller) const noexcept;

 private:
  enum class Kind : unsigned char { Raise, Log, Call };
  explicit Rest(Kind kind) : kind_(kind) {}

  Kind kind_;
  std::shared_ptr<const std::function<void(const Error&)>> f_;
};

struct Try_with_options {
  /// What becomes of later errors.
  Rest rest = Rest::raise();
};

/// `try_with(f)` calls `f` at once, under a monitor of its own, and is determined with the first
/// error of `f` or of anything that was started under it, else with the value of the deferred
/// that `f` returned.  It never fails.
///
///     Or_error<Answer> answer = co_await try_with([&] { return ask(question); });
///
/// - Errors: later ones go to `rest`.  The monitor has no parent, so a `try_with` inside another
///   makes no chain.
/// - Lifetime: `f` lives until what it returned is determined.  The result may come before that,
///   when something in the background fails, so `f` captures by value what it uses after its
///   first suspension.
template <class F>
auto try_with(Try_with_options options, F f)
    -> Deferred<Or_error<internal::Value_in<std::invoke_result_t<F&>>>>;
template <class F>
auto try_with(F f) -> Deferred<Or_error<internal::Value_in<std::invoke_result_t<F&>>>> {
  return try_with(Try_with_options(), std::move(f));
}

/// The function given to `protect` and the one for its end have both failed.
class Finally_failed : public std::runtime_error {
 public:
  Finally_failed(Error error, Error finally_error);

  const Error& error() const noexcept { return error_; }
  const Error& finally_error() const noexcept { return finally_error_; }

 private:
  Error error_;
  Error finally_error_;
};

/// `protect(f, finally)` calls `f`; once what it returned is determined, calls `finally`; and then
/// has the outcome of `f`.
///
/// - Errors: if something in the background of `f` fails first, that is the outcome.  If
///   `finally` fails, so does this; if `f` failed too, with `Finally_failed`.
/// - Lifetime: this is determined only after `f` and `finally` are, so both may capture by
///   reference.
template <class F, class Finally>
auto protect(F f, Finally finally) -> std::invoke_result_t<F&>;

namespace internal {

/// The monitor of one `try_with`, which waits for what `f` returned.
template <class T>
class Try_with_monitor final : public Monitor_core, public Waiter {
 public:
  using Result = Or_error<T>;

  explicit Try_with_monitor(Rest rest)
      : Monitor_core(nullptr),
        Waiter(kernel().current.get()),
        caller_(kernel().current),
        rest_(std::move(rest)) {}

  /// `watch(source)` is called once, with the root of what `f` returned, or null if it is
  /// `never()`; it gives the result of the `try_with`.
  Deferred<Result> watch(Ref<Cell<T>> source) {
    if (source && source->is_determined() && !is_over_) {
      is_over_ = true;
      return determined(outcome_of(*source));
    }
    Deferred<Result> result = Access::deferred(this->result());
    if (source) {
      this->add_ref();
      Cell_base::wait_for(std::move(source), *this);
    }
    return result;
  }

  void run() noexcept override {
    const auto self = Ref<Try_with_monitor>::adopt(this);
    const Ref<Cell<T>> source = take_source<T>(*this);
    if (!is_over_) {
      finish(outcome_of(*source));
    } else if (source->state() != Cell_base::State::Full && !source->is_taken()) {
      rest_.handle(source->take_error(), *caller_);
    }
  }
  void never_runs() noexcept override { release(); }

 private:
  ~Try_with_monitor() override {
    // `f` returned `never()`, and nothing is left that could fail.
    if (result_ && !is_over_) result_->root()->set_never();
  }

  void pass_on(const Error& error, const Monitor_core&) noexcept override {
    if (!is_over_) {
      finish(std::unexpected(error));
    } else {
      rest_.handle(error, *caller_);
    }
  }

  static Result outcome_of(Cell<T>& source) noexcept {
    try {
      if (source.state() != Cell_base::State::Full) return std::unexpected(source.take_error());
      if constexpr (std::is_void_v<T>) {
        return Result();
      } else {
        return Result(take_value(source));
      }
    } catch (...) {
      return std::unexpected(Error::current());
    }
  }
  /// The cell of the result, which only one that has to wait for it needs.
  const Ref<Cell<Result>>& result() {
    if (!result_) result_ = Ref<Cell<Result>>::adopt(new Plain_cell<Result>);
    return result_;
  }
  void finish(Result outcome) noexcept {
    is_over_ = true;
    result()->root()->fill(std::move(outcome));
  }

  const Ref<Context> caller_;
  Ref<Cell<Result>> result_;
  const Rest rest_;
  bool is_over_ = false;
};

}  // namespace internal

template <class F>
auto try_with(Try_with_options options, F f)
    -> Deferred<Or_error<internal::Value_in<std::invoke_result_t<F&>>>> {
  using namespace internal;
  using T = Value_in<std::invoke_result_t<F&>>;
  const auto monitor =
      Ref<Try_with_monitor<T>>::adopt(new Try_with_monitor<T>(std::move(options.rest)));
  Ref<Cell<T>> source;
  {
    const auto context = kernel().current->with_monitor(monitor);
    const With_context with(*context);
    source = Access::take(call_and_keep(std::move(f)));
  }
  return monitor->watch(std::move(source));
}

template <class F, class Finally>
auto protect(F f, Finally finally) -> std::invoke_result_t<F&> {
  using T = internal::Value_in<std::invoke_result_t<F&>>;
  Ivar<> f_is_determined;
  Or_error<T> outcome = co_await try_with([&f, f_is_determined]() -> Deferred<T> {
    auto result = co_await or_error(internal::call(f));
    f_is_determined.fill();
    if (!result) result.error().rethrow();
    if constexpr (!std::is_void_v<T>) co_return std::move(*result);
  });
  co_await f_is_determined.read();
  Or_error<void> end = co_await try_with([&finally]() -> Deferred<> {
    if constexpr (std::is_void_v<std::invoke_result_t<Finally&>>) {
      finally();
      co_return;
    } else {
      co_await finally();
    }
  });
  if (!outcome && !end) throw Finally_failed(outcome.error(), end.error());
  if (!outcome) outcome.error().rethrow();
  if (!end) end.error().rethrow();
  if constexpr (!std::is_void_v<T>) co_return std::move(*outcome);
}

}  // namespace async
