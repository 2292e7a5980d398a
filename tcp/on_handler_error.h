// tcp/on_handler_error.h: what a server does with an error of its handler.
//
// Layer: tcp.  Read next: server.h.

#pragma once

#include <concepts>
#include <functional>
#include <optional>
#include <utility>

#include "async/error.h"

namespace async::Tcp {

/// The three things that a server can do with an error of its handler.
namespace On_handler_error {

struct Raise {};
struct Ignore {};
template <class F>
struct Call {
  F f;
};

/// `raise()`: no client is accepted any more, and the error goes to the monitor that was current
/// when the server was created.
inline Raise raise() { return {}; }

/// `ignore()`: it is counted, and that is all.
inline Ignore ignore() { return {}; }

/// `call(f)`: `f(address, error)` is called.  If it raises, that is as with `raise()`.
template <class F>
Call<F> call(F f) {
  return {std::move(f)};
}

}  // namespace On_handler_error

/// One of those, for clients whose addresses are of type `A`.
template <class A>
class Handler_error_policy {
 public:
  using Function = std::function<void(const A&, const Error&)>;

  Handler_error_policy(On_handler_error::Raise = {}) {}
  Handler_error_policy(On_handler_error::Ignore) : function_([](const A&, const Error&) {}) {}
  template <std::invocable<A, const Error&> F>
  Handler_error_policy(On_handler_error::Call<F> call) : function_(std::move(call.f)) {}

  /// `handle(from, error)` throws if the server is to stop.
  void handle(const A& from, const Error& error) const {
    if (!function_) error.rethrow();
    function_(from, error);
  }

 private:
  Function function_;  // empty to raise
};

}  // namespace async::Tcp
