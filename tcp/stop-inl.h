// tcp/stop-inl.h: the bodies of stop.h.  Include that instead.
//
// Layer: tcp.

#pragma once

#include <exception>
#include <type_traits>
#include <utility>

#include "tcp/stop.h"

namespace async::Tcp {

namespace internal {

/// The result of a wait.  Until what was awaited or the stop has come, it owns a reference of
/// itself.
///
/// `On_stop` is called with why, and gives an `R` or a `std::exception_ptr`.
template <class T, class R, class On_stop>
class Stop_wait final : public async::internal::Cell<R>,
                        public async::internal::Owning_waiter,
                        public Stop_state::Waiting {
  using Awaited = async::internal::Cell<T>;
  using State = async::internal::Cell_base::State;
  using Outcome = Stop_state::Outcome;
  template <class U>
  using Ref = async::internal::Ref<U>;

 public:
  explicit Stop_wait(On_stop on_stop) : on_stop_(std::move(on_stop)) {}

  void start(Ref<Awaited> awaited, Stop_state& stop) noexcept {
    awaited_ = std::move(awaited);
    if (!awaited_ || !awaited_->is_determined()) {
      if (stop.is_over()) [[unlikely]] {
        end_by(*stop.outcome());
        return;
      }
    }
    stop_is_there_ = true;
    stop.add(*this);
    if (awaited_) awaited_->wait(*this);
  }

  void run() noexcept override {
    const Ref<Awaited> awaited = take_awaited();
    if (awaited->state() == State::Full) {
      const auto self = finish();
      fill([&] { return value_of(*awaited); });
    } else if (awaited->state() == State::Failed) {
      const auto self = finish();
      this->root()->set_failed(awaited->failure_for(context->monitor));
    } else {
      will_never_come();
    }
  }
  void stopped(const Outcome& how) noexcept override {
    stop_is_there_ = false;
    if (is_queued() && awaited_->root()->state() != State::Abandoned) return;  // both have come
    end();
    end_by(how);
  }
  void left_alone() noexcept override {
    stop_is_there_ = false;
    if (!this->is_live()) {
      end();
      give_up();
    } else if (!awaited_) {
      give_up();
    }
  }
  void never_runs() noexcept override {
    awaited_ = nullptr;
    if (this->is_live()) {
      will_never_come();
    } else {
      give_up();
    }
  }

 private:
  void dispose() noexcept override {
    this->before_delete();
    delete this;
  }

  Ref<Awaited> take_awaited() noexcept {
    if (source()) release_source();
    if (!awaited_) return nullptr;
    // Only the root itself may be referred to when a value is to be moved out.
    auto root = Ref<Awaited>::share(awaited_->root());
    awaited_ = nullptr;
    return root;
  }
  static R value_of(Awaited& cell) {
    if constexpr (std::is_void_v<T>) {
      return R();
    } else if constexpr (std::is_same_v<R, T>) {
      return async::internal::take_value(cell);
    } else {
      return R(std::in_place, async::internal::take_value(cell));
    }
  }

  // Only the stop can come now.
  void will_never_come() noexcept {
    if (!stop_is_there_) give_up();
  }
  void end_by(const Outcome& how) noexcept {
    if (const Ref<Awaited> awaited = take_awaited()) awaited->give_up();
    const auto self = finish();
    const async::internal::With_context with(*context);
    if (how.failure) {
      this->root()->set_failed(how.failure);
    } else if constexpr (std::is_same_v<std::invoke_result_t<On_stop&, Stopped>,
                                        std::exception_ptr>) {
      fail([&] { return on_stop_(*how.why); });
    } else {
      fill([&] { return on_stop_(*how.why); });
    }
  }
  void give_up() noexcept {
    const auto self = finish();
    this->remove_writer();
  }

  /// `finish()` is the reference of itself.
  Ref<Stop_wait> finish() noexcept {
    if (Waiting::is_linked()) Waiting::unlink();
    return Ref<Stop_wait>::adopt(this);
  }
  template <class G>
  void fill(G g) noexcept {
    try {
      async::internal::fill_with(*this->root(), g);
    } catch (...) {
      fail([] { return std::current_exception(); });
    }
  }
  template <class G>
  void fail(G g) noexcept {
    std::exception_ptr why;
    try {
      why = g();
    } catch (...) {
      why = std::current_exception();
    }
    this->root()->set_failed(async::internal::Failure::make(std::move(why), context->monitor));
  }

  Ref<Awaited> awaited_;        // null once it will never come
  bool stop_is_there_ = false;  // and may still come
  [[no_unique_address]] On_stop on_stop_;
};

template <class R, class T, class On_stop>
Deferred<R> wait_by(Stop_state& stop, Deferred<T> deferred, On_stop on_stop) {
  using Wait = Stop_wait<T, R, On_stop>;
  auto* wait = new Wait(std::move(on_stop));
  Deferred<R> result = async::internal::Access::deferred(
      async::internal::Ref<async::internal::Cell<R>>(async::internal::Ref<Wait>::share(wait)));
  wait->start(async::internal::Access::take(std::move(deferred)), stop);
  return result;
}

}  // namespace internal

template <class T>
auto Stop::wait(Deferred<T> deferred) const -> Deferred<std::expected<T, Stopped>> {
  using R = std::expected<T, Stopped>;
  return internal::wait_by<R>(state_, std::move(deferred),
                              [](Stopped why) { return R(std::unexpect, why); });
}

template <class T, class F>
Deferred<T> Stop::wait_or_fail(Deferred<T> deferred, F f) const {
  return internal::wait_by<T>(state_, std::move(deferred), std::move(f));
}

}  // namespace async::Tcp
