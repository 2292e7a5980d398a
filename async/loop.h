// async/loop.h: doing something again and again, in constant memory.
//
// Layer: async.  Read next: coroutine.h: in a coroutine, a loop does.

#pragma once

#include <type_traits>
#include <utility>
#include <variant>

#include "async/deferred.h"
#include "async/internal/keep.h"

namespace async {

/// The answer of a step that wants another one, from `state`.
template <class S = void>
struct Repeat {
  S state;
};
template <>
struct Repeat<void> {};
template <class S>
Repeat(S) -> Repeat<S>;
Repeat() -> Repeat<>;

/// The answer of the last step.
template <class R = void>
struct Finished {
  R value;
};
template <>
struct Finished<void> {};
template <class R>
Finished(R) -> Finished<R>;
Finished() -> Finished<>;

template <class S>
struct Is_copyable<Repeat<S>> : Is_copyable<S> {};
template <class R>
struct Is_copyable<Finished<R>> : Is_copyable<R> {};

/// What a step answers.
template <class S, class R>
using Repeat_or_finished = std::variant<Repeat<S>, Finished<R>>;

namespace internal {
template <class F>
struct Step : Step<Value_in<F>> {};
template <class S, class R>
struct Step<std::variant<Repeat<S>, Finished<R>>> {
  using State = S;
  using Result = R;
};
}  // namespace internal

/// `repeat_until_finished(s, f)` calls `f(s)`; each time that answers `Repeat{s}`, calls
/// `f(s)` again; and is determined with `r` once it answers `Finished{r}`.
///
///     co_await repeat_until_finished(3, [](int n) -> Deferred<Repeat_or_finished<int, Done>> {
///       if (n == 0) co_return Finished{Done()};
///       co_return Repeat{n - 1};
///     });
///
/// - Scheduling: the first call is made at once, and so are those after it while the answers are
///   determined already, as in a loop of a coroutine.
/// - Errors: an error of `f` ends it, and fails the result.
/// - Lifetime: `f` lives until the result is determined.  Memory does not grow.
template <class S, class F>
auto repeat_until_finished(S state, F f)
    -> Deferred<typename internal::Step<std::invoke_result_t<F&, S>>::Result>;
/// Without a state, `f` answers `Repeat<>` or `Finished{r}`.
template <class F>
auto repeat_until_finished(F f)
    -> Deferred<typename internal::Step<std::invoke_result_t<F&>>::Result>;

/// `forever(s, f)` calls `f(s)`, and then `f` with the value of each deferred that it returned.
/// An error of `f` ends it, and goes to the monitor that is current now.
template <class S, class F>
void forever(S state, F f);
/// Without a state, `f` returns a `Deferred<>`.
template <class F>
void forever(F f);

// Bodies.

template <class S, class F>
auto repeat_until_finished(S state, F f)
    -> Deferred<typename internal::Step<std::invoke_result_t<F&, S>>::Result> {
  using R = typename internal::Step<std::invoke_result_t<F&, S>>::Result;
  for (;;) {
    auto answer = co_await f(std::move(state));
    if (auto* finished = std::get_if<Finished<R>>(&answer)) {
      if constexpr (std::is_void_v<R>) {
        co_return;
      } else {
        co_return std::move(finished->value);
      }
    }
    state = std::move(std::get<Repeat<S>>(answer).state);
  }
}

template <class F>
auto repeat_until_finished(F f)
    -> Deferred<typename internal::Step<std::invoke_result_t<F&>>::Result> {
  using R = typename internal::Step<std::invoke_result_t<F&>>::Result;
  for (;;) {
    auto answer = co_await f();
    if (auto* finished = std::get_if<Finished<R>>(&answer)) {
      if constexpr (std::is_void_v<R>) {
        co_return;
      } else {
        co_return std::move(finished->value);
      }
    }
  }
}

template <class S, class F>
void forever(S state, F f) {
  dont_wait_for([](S s, F g) -> Deferred<> {
    for (;;) s = co_await g(std::move(s));
  }(std::move(state), std::move(f)));
}

template <class F>
void forever(F f) {
  dont_wait_for([](F g) -> Deferred<> {
    for (;;) co_await g();
  }(std::move(f)));
}

}  // namespace async
