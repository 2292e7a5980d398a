#include "async/clock.h"

#include <optional>

#include "async/choose.h"
#include "async/internal/keep.h"
#include "async/internal/time_state.h"
#include "async/ivar.h"
#include "async/or_error.h"

namespace async {

namespace internal {

namespace {

/// The result of `after` and `at`.  The source of time owns a reference of it.
class After_cell final : public Cell<void>, public Alarm {
 public:
  void fire() noexcept override {
    const auto self = Ref<After_cell>::adopt(this);
    root()->fill();
  }
  void discard() noexcept override {
    remove_writer();
    release();
  }

 private:
  void dispose() noexcept override {
    before_delete();
    delete this;
  }
};

template <class Add>
Deferred<> alarm(Add add) {
  auto cell = Ref<After_cell>::adopt(new After_cell);
  add(*Ref<After_cell>(cell).leak());
  return Access::deferred(Ref<Cell<void>>(std::move(cell)));
}

}  // namespace

Deferred<> call_every(Span span, Clock::Every_options options,
                      std::move_only_function<Deferred<>()> f) {
  co_await any_unit(options.start, options.stop);  // in a later job, even if it is determined
  while (!options.stop.peek()) {
    const Or_error<void> result = co_await or_error(call(f));
    if (!result) {
      kernel().current->monitor->receive(result.error());
      if (!options.continue_on_error) co_return;
    }
    co_await wait_with_timeout<On_abandoned::Wait_for_the_time>(span, options.stop);
  }
}

}  // namespace internal

namespace Clock {

using internal::current_time;
using internal::Ref;

Time_ns now() { return current_time().read(); }

Deferred<> after(Span span) {
  if (span <= Span()) return determined();
  return internal::alarm([span](internal::Alarm& a) { current_time().add_after(a, span); });
}

Deferred<> at(Time_ns time) {
  if (time <= now()) return determined();
  return internal::alarm([time](internal::Alarm& a) { current_time().add_at(a, time); });
}

/// While the alarm is out, and while its job waits or runs, it owns a reference of itself.
class Event::State final : public internal::Shared, public internal::Alarm, public internal::Job {
 public:
  explicit State(std::move_only_function<void()> f)
      : Job(internal::kernel().current.get()),
        f_(std::move(f)),
        time_(Ref<internal::Time_state>::share(&current_time())) {
    context->add_ref();
  }

  void start_after(Span span) noexcept {
    add_ref();
    time_->add_after(*this, span);
  }
  void start_at(Time_ns time) noexcept {
    add_ref();
    time_->add_at(*this, time);
  }

  /// Takes it out of wherever it waits.  Returns false if there is nothing to take back.
  bool take_back() noexcept {
    if (status_ != Status::Scheduled) return false;
    if (is_linked()) {
      unlink();
      release();
    } else if (is_queued()) {
      leave_queue();
      release();
    }
    return true;
  }
  void abort() noexcept {
    finish(Status::Aborted);
    if (!is_running_) f_ = nullptr;
  }
  Outcome outcome() const noexcept {
    return status_ == Status::Aborted ? Outcome::Previously_aborted : Outcome::Previously_happened;
  }

  void fire() noexcept override { internal::enqueue(*this); }
  void discard() noexcept override { drop(); }
  void drop() noexcept override {
    const auto self = Ref<State>::adopt(this);
    f_ = nullptr;
    fired_.reset();
  }
  void run() noexcept override {
    const auto self = Ref<State>::adopt(this);
    if (f_) {
      is_running_ = true;
      try {
        f_();
      } catch (...) {
        context->monitor->receive(Error::current());
      }
      is_running_ = false;
    }
    // `f_` may have aborted this, or scheduled it again.
    if (status_ == Status::Scheduled && !is_linked() && !is_queued()) finish(Status::Happened);
    if (status_ != Status::Scheduled) f_ = nullptr;
  }

  Status status() const noexcept { return status_; }
  Time_ns scheduled_at() noexcept { return time_->deadline_of(*this); }
  Deferred<Status> fired() {
    if (!fired_) {
      fired_.emplace();
      if (status_ != Status::Scheduled) fired_->fill(status_);
    }
    return fired_->read();
  }

 private:
  ~State() override { context->release(); }

  void finish(Status status) noexcept {
    status_ = status;
    if (fired_) fired_->fill(status);
  }

  Status status_ = Status::Scheduled;
  bool is_running_ = false;
  std::move_only_function<void()> f_;
  const Ref<internal::Time_state> time_;
  std::optional<Ivar<Status>> fired_;
};

Event::Event(Ref<State> state) noexcept : state_(std::move(state)) {}
Event::Event(const Event&) noexcept = default;
Event::Event(Event&&) noexcept = default;
Event& Event::operator=(Event other) noexcept {
  std::swap(state_, other.state_);
  return *this;
}
Event::~Event() = default;

Event Event::run_after(Span span, std::move_only_function<void()> f) {
  Event event(Ref<State>::adopt(new State(std::move(f))));
  event.state_->start_after(span);
  return event;
}

Event Event::run_at(Time_ns time, std::move_only_function<void()> f) {
  Event event(Ref<State>::adopt(new State(std::move(f))));
  event.state_->start_at(time);
  return event;
}

Event::Outcome Event::abort() const {
  const Ref<State> state = state_;
  if (!state->take_back()) return state->outcome();
  state->abort();
  return Outcome::Ok;
}

Event::Outcome Event::reschedule_after(Span span) const {
  const Ref<State> state = state_;
  if (!state->take_back()) return state->outcome();
  state->start_after(span);
  return Outcome::Ok;
}

Event::Outcome Event::reschedule_at(Time_ns time) const {
  const Ref<State> state = state_;
  if (!state->take_back()) return state->outcome();
  state->start_at(time);
  return Outcome::Ok;
}

Event::Status Event::status() const noexcept { return state_->status(); }

Time_ns Event::scheduled_at() const { return state_->scheduled_at(); }

Deferred<Event::Status> Event::fired() const { return state_->fired(); }

}  // namespace Clock
}  // namespace async
