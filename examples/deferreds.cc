// The core without any I/O: ivars, bind and map, choice, monitors, time, pipes.
#include <cstdio>
#include <stdexcept>
#include <string>
#include <vector>

#include "async/async.h"

using namespace async;
using namespace std::chrono_literals;

static Deferred<int> slow_square(int x) {
  co_await Clock::after(1ms * x);
  co_return x* x;
}

static Deferred<int> run() {
  Ivar<int> ivar;
  Deferred<int> twice = ivar.read().map([](int x) { return 2 * x; });
  Deferred<int> chained = twice.bind([](int x) { return slow_square(x); });
  chained.upon([](int x) { std::printf("upon: %d\n", x); });
  ivar.fill(3);
  if (ivar.fill_if_empty(4)) std::puts("unreachable: already filled");
  std::printf("awaited: %d\n",
              co_await chained);  // 36, after the line above: first come, first served

  auto [a, b] = co_await both(slow_square(2), slow_square(3));
  std::vector<int> squares =
      co_await all(std::vector{slow_square(1), slow_square(2), slow_square(3)});
  std::printf("%d %d %zu\n", a, b, squares.size());

  std::string winner =
      co_await choose(choice(slow_square(1), [](int) { return std::string("square"); }),
                      choice(Clock::after(5s), [] { return std::string("clock"); }));
  std::printf("%s\n", winner.c_str());

  if (!(co_await Clock::with_timeout(10ms, never<int>()))) std::puts("timed out");

  // An exception nobody awaits is never lost: it goes to the monitor it was started under.
  Or_error<int> result = co_await try_with([]() -> Deferred<int> {
    dont_wait_for([]() -> Deferred<> {
      co_await Clock::after(1ms);
      throw std::runtime_error("in the background");
    }());
    co_return co_await never<int>();
  });
  std::printf("%s\n", result.error().what());  // in the background

  auto [pipe_reader, pipe_writer] = Pipe::create<int>({.size_budget = 2});
  dont_wait_for([](Pipe::Writer<int> out) -> Deferred<> {
    for (int i = 0; i < 5; i++) co_await out.write(i);  // waits while more than two are unread
    out.close();
  }(pipe_writer));
  int sum = 0;
  while (auto value = co_await pipe_reader.read()) sum += *value;
  std::printf("%d\n", sum);
  co_return 0;
}

int main() { return Scheduler::go_main(run); }
