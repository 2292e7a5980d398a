// The one seam that is closed at link time: async/scheduler.h declares how a program runs, and
// here it runs on libuv.

#include <sys/resource.h>

#include <csignal>
#include <exception>
#include <utility>

#include "async/internal/engine.h"
#include "async/scheduler.h"
#include "async/uv/uv_backend.h"

namespace async::internal {

namespace {

// A peer that has gone shows as an error of the write; the signal would end the process.
void ignore_sigpipe() { std::signal(SIGPIPE, SIG_IGN); }

void raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

int run_main(Main main, int& status) {
  ignore_sigpipe();
  raise_descriptor_limit();
  Engine engine(std::make_unique<Uv_backend>(), Engine::On_uncaught::Print);
  engine.run(std::move(main));
  return engine.status(status);
}

void run_here(Main main) {
  ignore_sigpipe();
  Engine engine(std::make_unique<Uv_backend>(), Engine::On_uncaught::Keep);
  engine.run(std::move(main));
  if (engine.uncaught()) std::rethrow_exception(engine.uncaught());
}

}  // namespace async::internal
