// async/choose-inl.h: the bodies of choose.h.  Include that instead.
//
// Layer: async.

#pragma once

#include <deque>
#include <tuple>
#include <utility>

#include "async/choose.h"
#include "async/internal/keep.h"

namespace async {

namespace internal {

/// The part of a branch that does not depend on its types.
class Branch_base : public Waiter {
 public:
  /// What the branches belong to.
  class Race {
   public:
    virtual void decide(Branch_base& first) noexcept = 0;
    virtual void is_out(Branch_base& branch) noexcept = 0;

   protected:
    ~Race() = default;
  };

  void run() noexcept override { race_.decide(*this); }
  void never_runs() noexcept override { race_.is_out(*this); }

 protected:
  Branch_base(Race& race, Context& context) : Waiter(&context), race_(race) {}
  ~Branch_base() = default;

 private:
  Race& race_;
};

/// One choice of a race.
template <class C>
class Branch;
template <class T, class F, bool moves>
class Branch<Choice<T, F, moves>> final : public Branch_base {
  using Returned = typename Choice_traits<Choice<T, F, moves>>::Returned;

 public:
  struct Start {
    Race& race;
    Context& context;
    Choice<T, F, moves>& choice;
  };
  explicit Branch(Start&& start)
      : Branch_base(start.race, start.context),
        cell_(Access::take(std::move(start.choice.deferred))),
        f_(std::move(start.choice.f)) {}

  bool is_never() const noexcept { return !cell_; }
  bool is_ready() const noexcept {
    if (!cell_) return false;
    const auto state = cell_->root()->state();
    return state == Cell_base::State::Full || state == Cell_base::State::Failed;
  }
  void wait() noexcept { cell_->root()->wait(*this); }

  /// `leave()` removes all that this registered.
  void leave() noexcept {
    end();
    cell_ = nullptr;
    f_.destroy();
  }
  void lose() noexcept {
    if (cell_) cell_->give_up();
    leave();
  }

  template <class R>
  void win(Cell<R>& result, const Ref<Monitor_core>& monitor) noexcept {
    auto root = Ref<Cell<T>>::share(cell_->root());
    // Only the root itself may be referred to when a value is to be moved out.
    cell_ = nullptr;
    if (source()) release_source();
    if (root->state() != Cell_base::State::Full) {
      result.set_failed(root->failure_for(monitor));
    } else if constexpr (is_deferred<Returned>) {
      take_outcome(result,
                   call_and_keep(std::move(*f_),
                                 [&](F& f) { return call_with_value<Returned, moves>(f, *root); }),
                   monitor);
    } else {
      try {
        fill_with(result, [&] { return call_with_value<Returned, moves>(*f_, *root); });
      } catch (...) {
        result.set_failed(Failure::make(std::current_exception(), monitor));
      }
    }
    f_.destroy();
  }

 private:
  Ref<Cell<T>> cell_;
  Callable<F> f_;
};

/// The result of `choose`.  While it races it owns a reference of itself.
template <class R, class Branches>
class Choose_cell final : public Cell<R>, private Branch_base::Race {
 public:
  template <class... C>
  explicit Choose_cell(C&... choices)
      : context_(kernel().current),
        branches_(typename Branch<C>::Start{*this, *context_, choices}...) {}
  template <class C>
  explicit Choose_cell(std::vector<C>& choices) : context_(kernel().current) {
    for (C& choice : choices) {
      branches_.emplace_back(typename Branch<C>::Start{*this, *context_, choice});
    }
  }

  void start() noexcept {
    // With a winner there already, nobody needs to wait for the others.
    bool has_winner = false;
    each([&](auto& branch) {
      if (!has_winner && branch.is_ready()) {
        has_winner = true;
        branch.wait();
      }
    });
    if (has_winner) return;
    racing_ = 1;  // so that it does not end while it begins
    each([&](auto& branch) {
      if (branch.is_never()) {
        branch.leave();
        has_never_ = true;
      } else {
        ++racing_;
        branch.wait();
      }
    });
    one_less();
  }

 private:
  void dispose() noexcept override {
    this->before_delete();
    delete this;
  }

  template <class G>
  void each(G g) {
    if constexpr (requires { branches_.begin(); }) {
      for (auto& branch : branches_) g(branch);
    } else {
      std::apply([&](auto&... branch) { (g(branch), ...); }, branches_);
    }
  }

  void decide(Branch_base& first) noexcept override {
    const Branch_base* winner = nullptr;
    each([&](auto& branch) {
      if (!winner && branch.is_ready()) winner = &branch;
    });
    if (!winner) {  // `first` was abandoned
      drop_out(first);
      return;
    }
    const auto self = Ref<Choose_cell>::adopt(this);
    each([&](auto& branch) {
      if (&branch != winner) branch.lose();
    });
    each([&](auto& branch) {
      if (&branch == winner) branch.win(*this->root(), context_->monitor);
    });
  }

  void is_out(Branch_base& branch) noexcept override {
    has_never_ = true;
    drop_out(branch);
  }

  void drop_out(const Branch_base& out) noexcept {
    each([&](auto& branch) {
      if (&branch == &out) branch.leave();
    });
    one_less();
  }

  void one_less() noexcept {
    if (--racing_ > 0) return;
    const auto self = Ref<Choose_cell>::adopt(this);
    each([](auto& branch) { branch.leave(); });
    if (has_never_) {
      this->root()->set_never();
    } else {
      this->root()->set_abandoned();
    }
  }

  const Ref<Context> context_;
  Branches branches_;
  int racing_ = 0;
  bool has_never_ = false;
};

template <class R, class Branches, class... Choices>
Deferred<R> race(Choices&... choices) {
  auto* node = new Choose_cell<R, Branches>(choices...);
  Deferred<R> result = Access::deferred(Ref<Cell<R>>(Ref<Choose_cell<R, Branches>>::share(node)));
  node->start();
  return result;
}

}  // namespace internal

template <class First, class... Rest>
auto choose(First first, Rest... rest) -> Deferred<internal::Chosen<First>> {
  using Branches = std::tuple<internal::Branch<First>, internal::Branch<Rest>...>;
  return internal::race<internal::Chosen<First>, Branches>(first, rest...);
}

template <class T, class F, bool moves>
auto choose(std::vector<Choice<T, F, moves>> choices)
    -> Deferred<internal::Chosen<Choice<T, F, moves>>> {
  using One = Choice<T, F, moves>;
  using R = internal::Chosen<One>;
  if (choices.empty()) return Deferred<R>();
  return internal::race<R, std::deque<internal::Branch<One>>>(choices);
}

template <class T>
Deferred<T> any(std::vector<Deferred<T>> deferreds) {
  auto same = [](auto&&... value) -> T { return T(std::forward<decltype(value)>(value)...); };
  std::vector<Choice<T, decltype(same), true>> choices;
  for (Deferred<T>& deferred : deferreds) choices.push_back(choice(std::move(deferred), same));
  return choose(std::move(choices));
}

template <class T>
Deferred<> any_unit(std::vector<Deferred<T>> deferreds) {
  auto nothing = [](auto&&...) {};
  std::vector<Choice<T, decltype(nothing), true>> choices;
  for (Deferred<T>& deferred : deferreds) choices.push_back(choice(std::move(deferred), nothing));
  return choose(std::move(choices));
}

}  // namespace async
