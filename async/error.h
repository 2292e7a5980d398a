// async/error.h: any exception as a value.
//
// Layer: async.  Read next: or_error.h, errors.h, monitor.h.

#pragma once

#include <concepts>
#include <exception>
#include <memory>
#include <optional>
#include <source_location>
#include <string>
#include <type_traits>

namespace async {

/// An `Error` holds an exception, and says what was being done when it was raised.  It is what
/// monitors receive, and the error of an `Or_error`.  (Async's `Error` and `Exn` in one.)
///
/// - Lifetime: copies share the exception.  An `Error` is never empty; a moved-from one may
///   only be assigned to or destroyed.
/// - Threads: an `Error` may be copied to another thread.
class Error {
 public:
  /// `Error(message)` holds a `std::runtime_error`, and remembers where it was made.
  explicit Error(std::string message, std::source_location where = std::source_location::current());

  /// `Error(exception)` holds what `exception` points to, which is not null.
  explicit Error(std::exception_ptr exception);

  /// `Error(e)` holds a copy of an exception object.
  template <class E>
    requires std::derived_from<std::remove_cvref_t<E>, std::exception>
  explicit Error(E&& e) : Error(std::make_exception_ptr(std::forward<E>(e))) {}

  /// `current()` is the exception that is being handled.  Call it in a `catch` block.
  static Error current() { return Error(std::current_exception()); }

  /// `what()` is the message of the exception, behind the contexts that were added to it.  It is
  /// valid for as long as this or a copy of it lives.
  const char* what() const noexcept;

  /// `as<E>()` points to the exception if it is an `E`, or derives from it; else it is null.
  template <class E>
  const E* as() const noexcept {
    try {
      std::rethrow_exception(exception());
    } catch (const E& e) {
      return &e;
    } catch (...) {
      return nullptr;
    }
  }

  /// `rethrow()` throws the exception as it was first raised, without the contexts.
  [[noreturn]] void rethrow() const { std::rethrow_exception(exception()); }

  const std::exception_ptr& exception() const noexcept;

  /// `with_context(text)` is this error with `text` and a colon before its message.
  Error with_context(const std::string& text) const;

  /// `raised_at()` is where the error was made, if that is known.
  std::optional<std::source_location> raised_at() const noexcept;

 private:
  struct State;
  explicit Error(std::shared_ptr<const State> state) : state_(std::move(state)) {}

  std::shared_ptr<const State> state_;
};

}  // namespace async
