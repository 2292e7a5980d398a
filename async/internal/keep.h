// async/internal/keep.h: calling a function so that it outlives what it started.
//
// Layer: async.  Read next: cell.h (Kept).

#pragma once

#include <exception>
#include <functional>
#include <type_traits>
#include <utility>

#include "async/deferred.h"

namespace async::internal {

/// A callable in memory of its own.
template <class F>
class Kept_callable final : public Kept, public Pooled {
 public:
  explicit Kept_callable(F&& f) : f_(std::move(f)) { type = &type_tag<F>; }

  F& operator*() noexcept { return *f_; }

  void destroy_callable() noexcept override {
    add_ref();
    f_.destroy();
    release();
  }
  void let_go() noexcept override {
    f_.destroy();
    release();
  }

 private:
  ~Kept_callable() = default;
  void add_ref() noexcept { ++refs_; }
  void release() noexcept {
    if (--refs_ == 0) delete this;
  }

  Callable<F> f_;
  int refs_ = 1;
};

/// `call(f)` is what `f` returns, or a failed deferred with what it throws.
template <class F>
auto call(F&& f) -> std::invoke_result_t<F&> {
  using Result = std::invoke_result_t<F&>;
  static_assert(is_deferred<Result>, "the function returns a Deferred");
  try {
    return std::invoke(f);
  } catch (...) {
    return failed<Value_in<Result>>(Error::current());
  }
}

/// `call_and_keep(f, invoke)` is `call` of `invoke(f)`, and `f` lives until that is determined.
template <class F, class Invoke>
auto call_and_keep(F f, Invoke invoke) -> std::invoke_result_t<Invoke&, F&> {
  if constexpr (!has_captures<F>) {
    return call([&] { return invoke(f); });
  } else {
    auto* kept = new Kept_callable<F>(std::move(f));
    auto result = call([&] { return invoke(**kept); });
    if (auto* root = Access::root(result)) {
      root->keep(*kept);
    } else {
      kept->let_go();
    }
    return result;
  }
}
template <class F>
auto call_and_keep(F f) -> std::invoke_result_t<F&> {
  return call_and_keep(std::move(f), [](F& kept) { return std::invoke(kept); });
}

/// `take_outcome(result, d, monitor)` gives the Empty root `result`, whose only writing end the
/// caller is, the outcome of `d`, now or once it has one.
template <class T>
void take_outcome(Cell<T>& result, Deferred<T> deferred,
                  const Ref<Monitor_core>& monitor) noexcept {
  const Ref<Cell<T>> inner = Access::take(std::move(deferred));
  if (!inner) {
    result.set_never();
  } else if (inner.get() == &result) {
    result.remove_writer();
  } else if (inner->state() == Cell_base::State::Empty) {
    inner->link_to(result);
  } else if (inner->state() == Cell_base::State::Full) {
    try {
      fill_with(result, [&] { return take_value(*inner); });
    } catch (...) {
      result.set_failed(Failure::make(std::current_exception(), monitor));
    }
  } else {
    result.set_failed(inner->failure_for(monitor));
  }
}

}  // namespace async::internal
