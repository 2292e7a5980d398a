// async/choose.h: the first of several deferreds.
//
// Layer: async.  Read next: clock.h (with_timeout), all.h.

#pragma once

#include <type_traits>
#include <utility>
#include <vector>

#include "async/deferred.h"

namespace async {

/// One way in which `choose` may end: see `choice`.
template <class T, class F, bool moves>
struct Choice {
  Deferred<T> deferred;
  F f;
};

/// `choice(d, f)` offers to go on with `f(v)` when `d` is determined with `v`.  `f` returns a
/// value, or a deferred, which then is what `choose` waits for.
template <class T, internal::Handler<T, false> F>
Choice<T, F, false> choice(const Deferred<T>& deferred, F f) {
  return {deferred, std::move(f)};
}
template <class T, internal::Handler<T, true> F>
Choice<T, F, true> choice(Deferred<T>&& deferred, F f) {
  return {std::move(deferred), std::move(f)};
}

namespace internal {

template <class C>
struct Choice_traits;
template <class T, class F, bool moves>
struct Choice_traits<Choice<T, F, moves>> {
  using Returned = std::decay_t<Handler_result<F, T, moves>>;
};
template <class R>
struct Flattened {
  using Type = R;
};
template <class R>
struct Flattened<Deferred<R>> {
  using Type = R;
};
/// What `choose` is determined with when `C` wins.
template <class C>
using Chosen = typename Flattened<typename Choice_traits<C>::Returned>::Type;

}  // namespace internal

/// `choose(choices...)` is determined by exactly one of the choices: the first, in the order
/// given, of those that are determined when one is noticed.  Only its function is called.
///
///     co_await choose(choice(reply, [](Reply r) { return r; }),
///                     choice(interrupt, [] { return Reply::none(); }));
///
/// - Errors: a failure that comes first wins like a value, and is rethrown.  A choice that is
///   abandoned leaves the race; when all are, so is the result.  A loser that fails later goes
///   to the log.
/// - Lifetime: losing removes what was registered, so nothing stays behind on a deferred that
///   lives long.  But what a choice was made from goes on: choose among plain deferreds, rather
///   than a `map` of one, and use `Clock::with_timeout` rather than `Clock::after`.  The
///   function of the winner lives until what it returned is determined; those of the losers
///   are dropped when the choice is made.
template <class First, class... Rest>
auto choose(First first, Rest... rest) -> Deferred<internal::Chosen<First>>;

/// `choose(choices)` is the same for choices of one type, and `never()` for none.
template <class T, class F, bool moves>
auto choose(std::vector<Choice<T, F, moves>> choices)
    -> Deferred<internal::Chosen<Choice<T, F, moves>>>;

/// `any(ds)` is determined as the first of `ds` is.
template <class T>
Deferred<T> any(std::vector<Deferred<T>> deferreds);

/// `any_unit(ds)` is determined when the first of `ds` is, whatever its value.
template <class T>
Deferred<> any_unit(std::vector<Deferred<T>> deferreds);
template <class... T>
  requires(sizeof...(T) > 0)
Deferred<> any_unit(Deferred<T>... deferreds) {
  return choose(choice(std::move(deferreds), [](auto&&...) {})...);
}

}  // namespace async

#include "async/choose-inl.h"  // IWYU pragma: export
