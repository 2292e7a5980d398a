// async/clock-inl.h: the bodies of clock.h.  Include that instead.
//
// Layer: async.

#pragma once

#include <stdexcept>
#include <utility>

#include "async/clock.h"
#include "async/internal/time_state.h"
#include "async/monitor.h"

namespace async {

namespace internal {

/// What it means to a `With_timeout_cell` that what it waits for is abandoned.
enum class On_abandoned : unsigned char { Fail, Wait_for_the_time };

/// The result of `with_timeout`, and its timer.  Until one of the two has come it owns a reference
/// of itself.
template <class T, On_abandoned on_abandoned = On_abandoned::Fail>
class With_timeout_cell final : public Cell<std::expected<T, Timed_out>>,
                                public Owning_waiter,
                                public Alarm {
 public:
  explicit With_timeout_cell(Span span) : span_(span) {}

  void start(Ref<Cell<T>> awaited) noexcept {
    awaited_ = std::move(awaited);
    if (on_abandoned == On_abandoned::Wait_for_the_time && awaited_ &&
        awaited_->state() == Cell_base::State::Abandoned) {
      awaited_ = nullptr;
    }
    if (!awaited_ || !awaited_->is_determined()) current_time().add_after(*this, span_);
    if (awaited_) awaited_->wait(*this);
  }

  void fire() noexcept override {
    Waiter::leave();
    enqueue(*this);
  }

  void run() noexcept override {
    const Ref<Cell<T>> awaited = take_awaited();
    if (on_abandoned == On_abandoned::Wait_for_the_time && this->is_linked() && awaited &&
        awaited->state() == Cell_base::State::Abandoned) {
      return;
    }
    const auto self = Ref<With_timeout_cell>::adopt(this);
    if (this->is_linked()) this->unlink();
    auto& result = *this->root();
    if (!awaited || !awaited->is_determined()) {
      if (awaited) awaited->give_up();
      result.fill(std::unexpected(Timed_out{span_}));
    } else if (awaited->state() != Cell_base::State::Full) {
      result.set_failed(awaited->failure_for(context->monitor));
    } else {
      try {
        if constexpr (std::is_void_v<T>) {
          result.fill();
        } else {
          result.fill(take_value(*awaited));
        }
      } catch (...) {
        result.set_failed(Failure::make(std::current_exception(), context->monitor));
      }
    }
  }

  // What was awaited will never come: only the time can.
  void never_runs() noexcept override {
    if (this->is_live()) {
      awaited_ = nullptr;
    } else {
      discard();
    }
  }
  void discard() noexcept override {
    const auto self = Ref<With_timeout_cell>::adopt(this);
    Waiter::leave();
    if (this->is_linked()) this->unlink();
    this->remove_writer();
  }

 private:
  void dispose() noexcept override {
    this->before_delete();
    delete this;
  }

  Ref<Cell<T>> take_awaited() noexcept {
    if (this->source()) this->release_source();
    if (!awaited_) return nullptr;
    auto root = Ref<Cell<T>>::share(awaited_->root());
    awaited_ = nullptr;
    return root;
  }

  const Span span_;
  Ref<Cell<T>> awaited_;
};

template <On_abandoned on_abandoned, class T>
auto wait_with_timeout(Span span, Deferred<T> deferred) -> Deferred<std::expected<T, Timed_out>> {
  using R = std::expected<T, Timed_out>;
  using Node = With_timeout_cell<T, on_abandoned>;
  Ref<Cell<T>> awaited = Access::take(std::move(deferred));
  if (awaited && awaited->state() == Cell_base::State::Full) {
    try {
      if constexpr (std::is_void_v<T>) {
        return determined(R());
      } else {
        return determined(R(take_value(*awaited)));
      }
    } catch (...) {
      return failed<R>(Error::current());
    }
  }
  auto* node = new Node(span);
  Deferred<R> result = Access::deferred(Ref<Cell<R>>(Ref<Node>::share(node)));
  node->start(std::move(awaited));
  return result;
}

Deferred<> call_every(Span span, Clock::Every_options options,
                      std::move_only_function<Deferred<>()> f);

}  // namespace internal

namespace Clock {

template <class T>
auto with_timeout(Span span, Deferred<T> deferred) -> Deferred<std::expected<T, Timed_out>> {
  return internal::wait_with_timeout<internal::On_abandoned::Fail>(span, std::move(deferred));
}

template <class F>
void every(Span span, Every_options options, F f) {
  if (span <= Span()) throw std::invalid_argument("Clock::every needs a positive span");
  auto call = [f = std::move(f)]() mutable -> Deferred<> {
    if constexpr (std::is_void_v<std::invoke_result_t<F&>>) {
      f();
      return determined();
    } else {
      return f();
    }
  };
  dont_wait_for(internal::call_every(span, std::move(options), std::move(call)));
}

}  // namespace Clock
}  // namespace async
