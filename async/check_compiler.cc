// A probe: does the compiler destroy each temporary of a co_await expression exactly once?  It
// exits with 0 if so.  GCC 12 does not, for arguments in braces and for lambdas with captures.

#include <coroutine>
#include <exception>
#include <expected>
#include <functional>

namespace {

int alive = 0;

struct Counted {
  Counted() { ++alive; }
  Counted(const Counted&) { ++alive; }
  Counted(Counted&&) noexcept { ++alive; }
  ~Counted() { --alive; }
};

struct Options {
  Counted interrupt = {};
  int timeout = 0;
};

struct Task {
  struct promise_type {
    Task get_return_object() { return {}; }
    std::suspend_never initial_suspend() { return {}; }
    std::suspend_never final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() { std::terminate(); }
  };
};

std::coroutine_handle<> waiting;

struct Wait {
  bool await_ready() { return false; }
  void await_suspend(std::coroutine_handle<> handle) { waiting = handle; }
  void await_resume() {}
};

Wait with_options(Options) { return {}; }

template <class F>
Wait with_callable(F f) {
  f();
  return {};
}

Task program(Counted counted) {
  co_await with_options({.interrupt = counted});
  co_await with_callable([counted] {});
}

}  // namespace

int main() {
  {
    const Counted counted;
    program(counted);
    waiting.resume();
    waiting.resume();
  }
  std::move_only_function<std::expected<int, int>()> f = [] { return std::expected<int, int>(0); };
  return alive == 0 ? f().value() : 1;
}
