// async/priority.h: the two priorities of jobs.
//
// Layer: async.  Read next: scheduler.h.

#pragma once

namespace async {

/// Jobs of priority `Low` run when no job of priority `Normal` is left in the cycle.
enum class Priority : unsigned char { Normal, Low };

}  // namespace async
