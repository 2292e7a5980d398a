// async/deferred.h: a value that will become determined later, or fail.
//
// Layer: async.  Read next: ivar.h, coroutine.h, choose.h, all.h, monitor.h, scheduler.h.
// The bodies are in deferred-inl.h, so that this file reads as documentation.

#pragma once

#include <optional>
#include <type_traits>

#include "async/compiler.h"
#include "async/internal/cell.h"
#include "async/internal/traits.h"
#include "async/or_error.h"
#include "async/unit.h"

namespace async {

namespace internal {
template <class T>
class Coroutine_promise;
struct Access;
}  // namespace internal

/// A `Deferred<T>` is undetermined until somebody determines it, once and for all, with a value
/// or with a failure.  It is a handle: copies share one cell, and any number of handlers may
/// wait.  A function that returns a `Deferred` may be a coroutine: see coroutine.h.
///
///     Deferred<std::string> greeting = lookup("greeting").map([](std::string text) {
///       return text + "!";
///     });
///     std::string text = co_await greeting;
///
/// `T` is `void` or a movable object type.  A `Deferred` of a type that cannot be copied can
/// only be moved, and has one consumer.  A default-constructed `Deferred` is `never()`.
///
/// - Scheduling: a handler never runs inside the call that registers it, nor inside the call
///   that determines the deferred.  It runs as a job, first come, first served, in the
///   execution context in which it was registered.
/// - Values: with an lvalue deferred, handlers see a `const T&`.  With an rvalue the value is
///   moved out if this was the only handle, else copied.
/// - Errors: a failure is passed on by `bind` and `map` without calling their function, and
///   rethrown by `co_await`.  One that nobody takes reaches the monitor that was current where
///   it began, when the last deferred that carries it goes away.
/// - Lifetime: dropping a `Deferred` cancels nothing: what would determine it goes on, and so
///   does every handler.  A handle may outlive its scheduler, and may then be asked or dropped.
/// - Threads: it belongs to the thread of the scheduler that made it.
template <class T = void>
class [[nodiscard]] Deferred {
  static_assert(!std::is_reference_v<T>, "a Deferred holds values: use a pointer");
  static_assert(!std::is_const_v<T>, "a Deferred hands its value out as const anyway");
  static_assert(!internal::is_deferred<T>, "use bind, which flattens, to get a Deferred<T>");
  static_assert(std::is_void_v<T> || std::is_object_v<T>, "a Deferred holds an object or void");

 public:
  using Value = T;
  using promise_type = internal::Coroutine_promise<T>;

  /// `Deferred()` is `never()`.
  Deferred() noexcept = default;
  Deferred(const Deferred& other) noexcept
    requires(Is_copyable<T>::value);
  Deferred(Deferred&& other) noexcept;
  Deferred& operator=(const Deferred& other) noexcept
    requires(Is_copyable<T>::value);
  Deferred& operator=(Deferred&& other) noexcept;
  ~Deferred();

  /// `upon(f)` runs `f(v)` as a job once this is determined with value `v`.  It makes no new
  /// deferred, so an exception raised by `f`, and a failure of this that nobody else has
  /// taken, go to the monitor that is current now.
  template <internal::Handler<T, false> F>
  void upon(F f) const&;
  template <internal::Handler<T, true> F>
  void upon(F f) &&;

  /// `map(f)` is determined with `f(v)`, or fails with what `f` throws, or as this fails.
  template <internal::Handler<T, false> F>
  auto map(F f) const& -> Deferred<std::decay_t<internal::Handler_result<F, T, false>>>;
  template <internal::Handler<T, true> F>
  auto map(F f) && -> Deferred<std::decay_t<internal::Handler_result<F, T, true>>>;

  /// `bind(f)` has the outcome of the deferred that `f(v)` returns, or fails with what `f`
  /// throws, or as this fails.
  ///
  /// A function that binds to itself for ever runs in constant memory.  `f` lives until the
  /// deferred that it returned is determined, so it may be a coroutine lambda with captures;
  /// but of a chain that calls one type of function again and again, only the newest is kept.
  /// A capture that holds the `Ivar` of what `f` returns keeps it from being abandoned until
  /// the scheduler ends.
  template <internal::Handler<T, false> F>
  auto bind(F f) const& -> internal::Handler_result<F, T, false>;
  template <internal::Handler<T, true> F>
  auto bind(F f) && -> internal::Handler_result<F, T, true>;

  /// `is_determined()` is true once there is a value or a failure.  It takes nothing.
  bool is_determined() const noexcept;

  /// `peek()` is the value if there is one.  It takes no failure.
  std::optional<Value_of<T>> peek() const
    requires(Is_copyable<T>::value);

  /// `invariant()` throws `std::logic_error` if the representation is broken.  For tests.
  void invariant() const;

 private:
  friend struct internal::Access;
  explicit Deferred(internal::Ref<internal::Cell<T>> cell) noexcept : cell_(cell.leak()) {}

  internal::Cell<T>* cell_ = nullptr;  // null: never
};

/// `determined(v)` is already determined with `v`.  (OCaml's `return`, a keyword here.)
template <class T>
Deferred<std::decay_t<T>> determined(T&& value);
Deferred<> determined();

/// `failed<T>(error)` has already failed.  Its monitor is the one that is current now.
template <class T = void>
Deferred<T> failed(const Error& error);

/// `never<T>()` is never determined, and nothing that waits for it is ever told.  Handlers
/// given to it are dropped at once.
template <class T = void>
Deferred<T> never() noexcept {
  return Deferred<T>();
}

/// `dont_wait_for(d)` says on purpose that nobody waits.  A failure goes to its monitor at once,
/// whoever else holds `d`.  It takes no value, so that none is dropped by accident.
void dont_wait_for(const Deferred<>& deferred) noexcept;

/// `or_error(d)` is determined with the value of `d`, or with its failure as an `Error`.
template <class T>
auto or_error(Deferred<T> deferred) -> Deferred<Or_error<T>>;

}  // namespace async

#include "async/deferred-inl.h"  // IWYU pragma: export

#include "async/coroutine.h"  // IWYU pragma: export
