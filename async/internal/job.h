// async/internal/job.h: one thing for the scheduler to run.
//
// Layer: async.  Read next: kernel.h, cell.h.

#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "async/internal/context.h"

namespace async::internal {

class Waiter;

/// A `Job` is in a queue, or waits on a cell if it is a `Waiter`, or is nowhere.  Exactly one of
/// `run` and `drop` is called, at most once, when it has left the place where it was.
class Job {
 public:
  Job(const Job&) = delete;
  Job& operator=(const Job&) = delete;

  virtual void run() noexcept = 0;

  /// `drop()` means that it will never run: what it waited for will never come, or the
  /// scheduler has ended.  It may run no code of the user but destructors.
  virtual void drop() noexcept = 0;

  /// `carries_error()` is true for a job that runs even when the scheduler ends before it.
  virtual bool carries_error() const noexcept { return false; }

  Context* context = nullptr;  // kept alive by whoever owns the job

  bool is_queued() const noexcept { return place_ == Place::Queue; }

  /// `leave_queue()` takes it out of the queue that it is in.
  void leave_queue() noexcept;

 protected:
  enum class Place : std::uint8_t { Nowhere, Queue, Cell };

  Job() = default;
  explicit Job(Context* context) : context(context) {}
  ~Job() = default;  // whoever destroys one that may be somewhere takes it out first

  Place place_ = Place::Nowhere;
  union {
    std::uint64_t position_;  // in the queue
    Waiter* next_;            // on the cell
  };

  friend class Job_queue;
};

/// Jobs in the order in which they came.  Taking one out leaves a gap, except at the end.
class Job_queue {
 public:
  Job_queue() = default;
  Job_queue(const Job_queue&) = delete;
  Job_queue& operator=(const Job_queue&) = delete;

  bool is_empty() const noexcept { return head_ == tail_; }

  void push(Job& job) noexcept {
    if (tail_ - head_ > mask_) [[unlikely]]
      grow();
    job.place_ = Job::Place::Queue;
    job.position_ = tail_;
    slots_[tail_++ & mask_] = &job;
  }

  /// `pop()` is the first job of a queue that is not empty.
  Job& pop() noexcept {
    Job* job = nullptr;
    do {
      job = slots_[head_++ & mask_];
    } while (!job);
    job->place_ = Job::Place::Nowhere;
    return *job;
  }

  /// `pop_if(wanted)` is the first job for which `wanted(job)` is true, or null.
  template <class Wanted>
  Job* pop_if(Wanted wanted) noexcept {
    for (std::uint64_t at = head_; at != tail_; ++at) {
      Job* job = slots_[at & mask_];
      if (!job || !wanted(*job)) continue;
      remove(*job);
      return job;
    }
    return nullptr;
  }

  void remove(Job& job) noexcept {
    slots_[job.position_ & mask_] = nullptr;
    job.place_ = Job::Place::Nowhere;
    while (tail_ != head_ && !slots_[(tail_ - 1) & mask_]) --tail_;
  }

 private:
  static constexpr std::size_t first_size = 256;

  void grow() noexcept;

  std::unique_ptr<Job*[]> slots_ = std::make_unique<Job*[]>(first_size);
  std::uint64_t mask_ = first_size - 1;  // the size, a power of two, less one
  std::uint64_t head_ = 0;
  std::uint64_t tail_ = 0;
};

}  // namespace async::internal
