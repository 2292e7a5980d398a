// The smallest program: a deferred, a timer, and a coroutine that waits for both.
#include <cstdio>
#include <string>

#include "async/async.h"

using namespace async;
using namespace std::chrono_literals;

static Deferred<std::string> greeting(std::string name) {
  co_await Clock::after(100ms);
  co_return "hello, " + name;
}

static Deferred<> run() {
  Deferred<std::string> first = greeting("world");  // both run at the same time
  Deferred<std::string> second = greeting("async");
  std::printf("%s\n%s\n", (co_await first).c_str(), (co_await second).c_str());
}

int main() { return Scheduler::go_main(run); }
