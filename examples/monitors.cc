// Where errors go: to whoever waits, else to the monitor under which they happened.
#include <cstdio>
#include <stdexcept>
#include <string>

#include "async/async.h"

using namespace async;
using namespace std::chrono_literals;

static Deferred<int> fails(std::string what) {
  co_await Clock::after(1ms);
  throw std::runtime_error(what);
}

static Deferred<> run() {
  // Who waits gets the error ...
  try {
    co_await fails("first");
  } catch (const std::exception& error) {
    std::printf("caught: %s\n", error.what());
  }

  // ... or has it as a value, and so does whoever waits for what began it in the background.
  const Or_error<int> result = co_await try_with([]() -> Deferred<int> {
    dont_wait_for(fails("second").map([](int) {}));
    co_return co_await never<int>();
  });
  std::printf("as a value: %s\n", result.error().what());

  // A monitor sees all the errors of what runs under it.
  const auto monitor = Monitor::create("the background");
  Ivar<> seen_both;
  monitor.detach_and_iter_errors([seen_both, count = 0](const Error& error) mutable {
    std::printf("seen by the monitor: %s\n", error.what());
    if (++count == 2) seen_both.fill();
  });
  Scheduler::within({.monitor = monitor}, [] {
    dont_wait_for(fails("third").map([](int) {}));
    dont_wait_for(fails("fourth").map([](int) {}));
  });
  co_await seen_both.read();

  // Whatever happens, there is a place to clean up.
  const Or_error<int> protected_result =
      co_await or_error(protect([] { return fails("fifth"); }, [] { std::puts("cleaned up"); }));
  std::printf("after that: %s\n", protected_result.error().what());
}

int main() { return Scheduler::go_main(run); }
