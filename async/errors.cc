#include "async/errors.h"

namespace async {

Abandoned::Abandoned()
    : std::runtime_error("abandoned: the last writing end of the deferred went away unfilled") {}

Scheduler_ended::Scheduler_ended() : std::runtime_error("the scheduler has ended") {}

No_scheduler::No_scheduler()
    : std::logic_error("no scheduler on this thread: run under Scheduler::go_main or go") {}

Already_filled::Already_filled() : std::logic_error("the ivar is already filled") {}

}  // namespace async
