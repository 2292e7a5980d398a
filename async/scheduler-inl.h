// async/scheduler-inl.h: the bodies of scheduler.h.  Include that instead.
//
// Layer: async.

#pragma once

#include <optional>
#include <type_traits>
#include <utility>

#include "async/internal/keep.h"
#include "async/scheduler.h"

namespace async {

namespace internal {

using Main = std::move_only_function<Deferred<>()>;

// Defined by the platform, in async/uv/: this layer does not know it.

/// `run_main(main, status)` is the body of `go_main`, where `main` leaves its result in `status`.
int run_main(Main main, int& status);
/// `run_here(main)` is the body of `go`.
void run_here(Main main);

/// One binding of `with_local`.
template <class T>
class Local_value final : public Local {
 public:
  Local_value(const void* key, Ref<Local> outer, T value)
      : Local(key, std::move(outer)), value(std::move(value)) {}

  const T value;
};

/// `call_in(context, f)` calls `f()` in `context`.
template <class F>
auto call_in(Context& context, F& f) -> std::invoke_result_t<F&> {
  using Result = std::invoke_result_t<F&>;
  static_assert(std::is_void_v<Result> || is_deferred<Result>,
                "the function returns nothing or a Deferred");
  const With_context with(context);
  if constexpr (std::is_void_v<Result>) {
    try {
      f();
    } catch (...) {
      context.monitor->receive(Error::current());
    }
  } else {
    return call_and_keep(std::move(f));
  }
}

/// What `schedule` enqueues.
template <class F>
class Scheduled final : public Job, public Pooled {
 public:
  Scheduled(Ref<Context> own_context, F&& f)
      : Job(own_context.get()), own_context_(std::move(own_context)), f_(std::move(f)) {}

  void run() noexcept override {
    const std::unique_ptr<Scheduled> self(this);
    if constexpr (std::is_void_v<std::invoke_result_t<F&>>) {
      call_in(*own_context_, f_);
    } else {
      dont_wait_for(call_in(*own_context_, f_));
    }
  }
  void drop() noexcept override { delete this; }

 private:
  const Ref<Context> own_context_;
  F f_;
};

}  // namespace internal

template <class F>
int Scheduler::go_main(F main) {
  int status = 0;
  return internal::run_main(
      [&]() -> Deferred<> {
        if constexpr (std::is_same_v<std::invoke_result_t<F&>, Deferred<>>) {
          co_await main();
        } else {
          status = co_await main();
        }
      },
      status);
}

template <class F>
auto Scheduler::go(F main) -> internal::Value_in<std::invoke_result_t<F&>> {
  using T = internal::Value_in<std::invoke_result_t<F&>>;
  std::optional<Value_of<T>> value;
  internal::run_here([&]() -> Deferred<> {
    if constexpr (std::is_void_v<T>) {
      co_await main();
      value.emplace();
    } else {
      value.emplace(co_await main());
    }
  });
  if (!value) throw Scheduler_ended();
  if constexpr (!std::is_void_v<T>) return std::move(*value);
}

template <class F>
auto Scheduler::within(const Context& context, F f) -> std::invoke_result_t<F&> {
  return internal::call_in(*make_context(context), f);
}

template <class F>
void Scheduler::schedule(const Context& context, F f) {
  internal::enqueue(*new internal::Scheduled<F>(make_context(context), std::move(f)));
}

template <class T, class F>
auto Scheduler::with_local(const Local_key<T>& key, T value, F f) -> std::invoke_result_t<F&> {
  using namespace internal;
  const Ref<internal::Context>& outer = kernel().current;
  auto environment = outer->environment->copy();
  environment->locals =
      Ref<Local_value<T>>::adopt(new Local_value<T>(&key, environment->locals, std::move(value)));
  return call_in(*outer->with_environment(std::move(environment)), f);
}

template <class T>
const T* Scheduler::find_local(const Local_key<T>& key) {
  using namespace internal;
  for (const Local* l = kernel().current->environment->locals.get(); l; l = l->outer()) {
    if (l->key == &key) return &static_cast<const Local_value<T>*>(l)->value;
  }
  return nullptr;
}

}  // namespace async
