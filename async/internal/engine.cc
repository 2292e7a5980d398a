#include "async/internal/engine.h"

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "async/internal/frame.h"
#include "async/internal/stack.h"
#include "async/log.h"

namespace async::internal {

namespace {

/// The schedulers at work, by id, of all threads.
class Schedulers {
 public:
  std::uint32_t add() {
    const std::scoped_lock lock(mutex_);
    do {
      ++last_;
    } while (last_ == 0 || !ids_.insert(last_).second);
    return last_;
  }
  void remove(std::uint32_t id) noexcept {
    const std::scoped_lock lock(mutex_);
    ids_.erase(id);
  }
  bool contain(std::uint32_t id) noexcept {
    const std::scoped_lock lock(mutex_);
    return ids_.contains(id);
  }

 private:
  std::mutex mutex_;
  std::uint32_t last_ = 0;
  std::set<std::uint32_t> ids_;
};

Schedulers& schedulers() {
  static auto* const all = new Schedulers;  // threads may outlive static objects
  return *all;
}

/// The monitor above all others of a scheduler.
class Main_monitor final : public Monitor_core {
 public:
  explicit Main_monitor(std::uint32_t home) : Monitor_core(nullptr), home_(home) {}

 private:
  void pass_on(const Error& error, const Monitor_core& from) noexcept override {
    Kernel* k = thread_state.kernel;
    if (k && k->id == home_) {
      static_cast<Engine*>(k)->uncaught_error(error, from);
    } else {
      Log::error(std::string("raised after the scheduler had ended: ") + error.what());
    }
  }

  const std::uint32_t home_;
};

std::string report(const Error& error, const Monitor_core& from) {
  std::string text = std::string("unhandled error: ") + error.what();
  if (const auto where = error.raised_at()) {
    text +=
        std::string("\n  raised at ") + where->file_name() + ":" + std::to_string(where->line());
  }
  return text + from.chain();
}

}  // namespace

void check_that_no_thread_runs(std::uint32_t id) noexcept {
  if (!schedulers().contain(id)) return;
  Log::error("a deferred was used on a thread that is not that of its scheduler");
  std::abort();
}

void add_open(Ends_with_scheduler& one) { engine().open.push_back(one); }

void Cycle_hook::call() noexcept {
  const With_context with(*context_);
  try {
    f_();
  } catch (...) {
    context_->monitor->receive(Error::current());
  }
}

Engine::Engine(std::unique_ptr<Backend> given, On_uncaught on_uncaught)
    : backend(std::move(given)),
      mailbox(std::make_shared<Mailbox>(*backend)),
      on_uncaught_(on_uncaught) {
  if (thread_state.kernel) throw std::logic_error("this thread has a scheduler already");
  id = schedulers().add();
  stack_limit = stack_limit_from_here();
  Ref<Environment> environment = backend->environment();
  time_ = Ref<Time_state>::share(static_cast<Time_state*>(environment->time_source.get()));
  auto monitor = Ref<Monitor_core>::adopt(new Main_monitor(id));
  thread_state.kernel = this;
  main = Ref<Context>::adopt(
      new Context(Priority::Normal, std::move(monitor), std::move(environment)));
  current = main;
  determined = new Plain_cell<void>(std::in_place);
  main->monitor->set_name("main");
  shutdown_.emplace();
  open.push_back(*time_);
}

Engine::~Engine() {
  if (id != 0) end();
  determined->release();
  thread_state.kernel = nullptr;
}

void Engine::run(Main given) {
  main_ = std::move(given);
  // The first cycle starts `main_` in a job, as all code of the user runs.
  next_cycle_.emplace();
  next_cycle_->read().upon([this] { dont_wait_for(live()); });
  end_turn();
  while (!has_finished_) turn();
  end();
}

Deferred<> Engine::live() {
  Deferred<> over = shutdown_->begun.read();
  // Whatever `main_` left to do when something else ended it is destroyed with all the others.
  or_error(main_()).upon([this](const Or_error<void>& result) {
    if (!result) current->monitor->receive(result.error());
    shutdown_->begun.fill_if_empty();
  });
  co_await over;
  co_await shut_down();
  has_finished_ = true;
}

void Engine::uncaught_error(const Error& error, const Monitor_core& from) noexcept {
  const bool is_first = !uncaught_;
  if (is_first) uncaught_ = error.exception();
  if (!is_first || on_uncaught_ == On_uncaught::Print) Log::error(report(error, from));
  shutdown_->begun.fill_if_empty();
}

void Engine::turn() {
  if (has_work()) {
    backend->poll();
  } else {
    backend->wait(time_->next_alarm());
  }
  end_turn();
}

int Engine::status(int own) const noexcept {
  if (uncaught_) return 1;
  const int status = requested_status_.value_or(own);
  return status == 0 && shutdown_failed_ ? 1 : status;
}

inline void Engine::begin_cycle() noexcept {
  ++num_cycles;
  normal_left_ = low_left_ = max_num_jobs_per_priority_per_cycle;
  if (next_cycle_) [[unlikely]]
    fill_next_cycle();
  if (!start_hooks.is_empty()) [[unlikely]]
    call_hooks(start_hooks);
}

inline void Engine::end_cycle() noexcept {
  if (!end_hooks.is_empty()) [[unlikely]]
    call_hooks(end_hooks);
  switch_to(main.get());
  budget = 0;
}

[[gnu::noinline]] void Engine::fill_next_cycle() noexcept {
  const Ivar<> begun = *std::exchange(next_cycle_, std::nullopt);
  begun.fill();
}

[[gnu::noinline]] void Engine::call_hooks(List<Cycle_hook>& hooks) noexcept {
  // A hook may remove itself, or others.
  List<Cycle_hook> to_call;
  to_call.splice_back(hooks);
  while (!to_call.is_empty()) {
    const auto hook = Ref<Cycle_hook>::share(&to_call.pop_front());
    hooks.push_back(*hook);
    hook->call();
  }
}

inline void Engine::run_job(Job& job) noexcept {
  ++num_jobs_run;
  switch_to(job.context);
  job.run();
}

inline void Engine::run_jobs(Job_queue& queue, int& left) noexcept {
  budget = left;
  while (budget > 0 && !queue.is_empty()) {
    --budget;
    run_job(queue.pop());
  }
  left = std::max(budget, 0);
}

void Engine::run_cycle(Turn_task* own) noexcept {
  begin_cycle();
  do {
    run_jobs(normal, normal_left_);
    if (!own || !own->is_linked()) break;
    own->unlink();
    own->run_in_turn();
  } while (normal_left_ > 0 && !normal.is_empty());
  end_cycle();
}

void Engine::run_cycle_and_flush_all() noexcept {
  begin_cycle();
  do {
    run_jobs(normal, normal_left_);
    flush_dirty();
  } while (normal_left_ > 0 && !normal.is_empty());
  end_cycle();
}

void Engine::end_turn() noexcept {
  begin_cycle();
  if (!mailbox->is_empty()) take_mail();
  if (time_->next_alarm()) time_->advance_to(time_->read());
  do {
    run_jobs(normal, normal_left_);
    run_jobs(low, low_left_);
    // A job of priority Low may have made others of priority Normal.
    if (normal_left_ > 0 && !normal.is_empty()) continue;
    flush_dirty();
  } while ((normal_left_ > 0 && !normal.is_empty()) || (low_left_ > 0 && !low.is_empty()));
  end_cycle();

  List<Turn_task> last;
  last.splice_back(at_turn_end);
  while (!last.is_empty()) last.pop_front().run_in_turn();
}

void Engine::take_mail() noexcept {
  switch_to(main.get());
  for (Mailbox::Work& work : mailbox->take()) {
    try {
      std::exchange(work, nullptr)();
    } catch (...) {
      main->monitor->receive(Error::current());
    }
  }
}

void Engine::flush_dirty() noexcept {
  List<Turn_task> writers;
  writers.splice_back(dirty);
  while (!writers.is_empty()) writers.pop_front().run_in_turn();
}

Deferred<> Engine::yielded() {
  if (!next_cycle_) next_cycle_.emplace();
  return next_cycle_->read();
}

std::move_only_function<void()> Engine::come_back(std::move_only_function<void()> work,
                                                  std::move_only_function<void()> done) {
  const std::uint64_t number = ++num_away_;
  away_.emplace(number, std::move(done));
  return [this, number, work = std::move(work), mailbox = mailbox]() mutable {
    work();
    mailbox->post([this, number] { away_.extract(number).mapped()(); });
  };
}

void Engine::end() noexcept {
  stop_running_jobs();
  requested_status_ = shutdown_->requested_status;
  shutdown_failed_ = shutdown_->has_failed;
  // What is destroyed may leave behind more of any kind.
  do {
    drop_jobs();
    destroy_frames();
    end_what_is_open();
    let_go_of_functions();
  } while (!normal.is_empty() || !low.is_empty() || !frames.is_empty() || !open.is_empty() ||
           !kept.is_empty());
  ended_at_ = time_->read();
  shutdown_.reset();
  next_cycle_.reset();
  turnstile.let_go();
  drop_jobs();
  time_ = nullptr;
  current = nullptr;
  main = nullptr;
}

void Engine::stop_running_jobs() noexcept {
  const auto carries_error = [](const Job& job) { return job.carries_error(); };
  for (Job_queue* queue : {&normal, &low}) {
    while (Job* job = queue->pop_if(carries_error)) run_job(*job);
  }
  switch_to(main.get());
  schedulers().remove(id);
  id = 0;
  // NOLINTNEXTLINE(performance-no-int-to-ptr): an address beyond all others.
  stack_limit = reinterpret_cast<const char*>(std::numeric_limits<std::uintptr_t>::max());
  mailbox->close();
}

void Engine::drop_jobs() noexcept {
  for (Job_queue* queue : {&normal, &low}) {
    while (!queue->is_empty()) queue->pop().drop();
  }
}

void Engine::destroy_frames() noexcept {
  struct Suspended {
    std::uint64_t born;
    std::size_t order;
    Frame* frame;
  };
  std::vector<Suspended> newest_first;
  for (Frame& frame : frames) newest_first.push_back({frame.born(), newest_first.size(), &frame});
  std::sort(newest_first.begin(), newest_first.end(), [](const Suspended& a, const Suspended& b) {
    return a.born != b.born ? a.born > b.born : a.order < b.order;
  });
  for (const Suspended& one : newest_first) one.frame->handle().destroy();
}

void Engine::end_what_is_open() noexcept {
  while (!open.is_empty()) {
    Ends_with_scheduler& newest = open.back();
    newest.unlink();
    newest.scheduler_ends();
  }
}

void Engine::let_go_of_functions() noexcept {
  away_.clear();
  main_ = nullptr;
  shutdown_.emplace().begun.fill();
  for (List<Cycle_hook>* hooks : {&start_hooks, &end_hooks}) {
    while (!hooks->is_empty()) Ref<Cycle_hook>::share(&hooks->pop_front())->let_go();
  }
  while (!kept.is_empty()) kept.pop_front().destroy_callable();
}

}  // namespace async::internal
