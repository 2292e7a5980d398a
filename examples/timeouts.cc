// Four ways to wait for no longer than one wants.
#include <cstdio>
#include <string>

#include "async/async.h"

using namespace async;
using namespace std::chrono_literals;

static Deferred<std::string> answer_after(Span span) {
  co_await Clock::after(span);
  co_return "the answer";
}

static Deferred<> run() {
  // 1. With a timeout. Nothing is cancelled: the question is only not waited for any more.
  for (const auto patience : {10ms, 100ms}) {
    auto answer = co_await Clock::with_timeout(patience, answer_after(50ms));
    std::printf("after at most %s: %s\n", to_string(Span(patience)).c_str(),
                answer ? answer->c_str() : "timed out");
  }

  // 2. As a race between several things.
  Ivar<> interrupt;
  Clock::Event::run_after(20ms, [interrupt] { interrupt.fill(); });
  std::printf("%s\n",
              (co_await choose(choice(answer_after(50ms), [](std::string text) { return text; }),
                               choice(interrupt.read(), [] { return std::string("interrupted"); })))
                  .c_str());

  // 3. Again and again, until something stops it.
  int ticks = 0;
  Clock::every(10ms, {.stop = Clock::after(55ms)}, [&ticks] { ++ticks; });
  co_await Clock::after(100ms);
  std::printf("%s\n", ticks >= 3 && ticks <= 6 ? "ticked a few times" : "ticked strangely");

  // 4. As an alarm that can be moved, and taken back.
  auto alarm = Clock::Event::run_after(1h, [] { std::puts("unreachable: it was taken back"); });
  alarm.reschedule_after(2h);
  alarm.abort();
  std::printf("%s\n",
              co_await alarm.fired() == Clock::Event::Status::Aborted ? "aborted" : "fired");
}

int main() { return Scheduler::go_main(run); }
