#include "async/in_thread.h"

#include "async/internal/engine.h"

namespace async {

void internal::run_in_thread(std::move_only_function<void()> work,
                             std::move_only_function<void()> done) {
  Engine& e = engine();
  if (e.id == 0) throw Scheduler_ended();
  e.backend->run_in_thread(e.come_back(std::move(work), std::move(done)));
}

}  // namespace async
