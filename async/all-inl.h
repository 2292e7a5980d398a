// async/all-inl.h: the bodies of all.h.  Include that instead.
//
// Layer: async.

#pragma once

#include <cstddef>
#include <memory>
#include <utility>

#include "async/all.h"

namespace async {

namespace internal {

/// One of the deferreds that a `Gather` waits for.
class Part final : public Waiter {
 public:
  class Whole {
   public:
    virtual void is_there(Part& part) noexcept = 0;
    virtual void is_out(Part& part) noexcept = 0;

   protected:
    ~Whole() = default;
  };

  void wait(Whole& whole, Context& c, Cell_base& root) noexcept {
    whole_ = &whole;
    context = &c;
    root.wait(*this);
  }
  using Waiter::end;

  void run() noexcept override { whole_->is_there(*this); }
  void never_runs() noexcept override { whole_->is_out(*this); }

 private:
  Whole* whole_ = nullptr;
};

template <class T>
bool is_full(const Deferred<T>& deferred) noexcept {
  const auto* root = Access::root(deferred);
  return root && root->state() == Cell_base::State::Full;
}

/// `take_value_of(d)` is the value of a determined deferred: moved out if `d` was its only handle.
template <class T>
Value_of<T> take_value_of(Deferred<T>& deferred) {
  const Ref<Cell<T>> root = Access::take(std::move(deferred));
  if constexpr (std::is_void_v<T>) {
    return Unit();
  } else {
    return take_value(*root);
  }
}

/// The result of `both`, `all` and `all_unit`.  `Sources` holds the deferreds: it has
/// `each(g)`, which calls `g` with each, `size()`, and `collect(result)`.
template <class R, class Sources>
class Gather final : public Cell<R>, private Part::Whole {
 public:
  explicit Gather(Sources sources) : context_(kernel().current), sources_(std::move(sources)) {}

  /// `start()` begins to wait.  While it waits it owns a reference of itself.
  void start() noexcept {
    waiting_ = 1;  // so that it does not end while it begins
    parts_ = std::make_unique<Part[]>(sources_.size());
    std::size_t i = 0;
    sources_.each([&](auto& deferred) {
      Part& part = parts_[i++];
      if (is_full(deferred)) return;
      if (auto* root = Access::root(deferred)) {
        ++waiting_;
        part.wait(*this, *context_, *root);
      } else {
        has_never_ = true;
      }
    });
    one_less();
  }

 private:
  void dispose() noexcept override {
    this->before_delete();
    delete this;
  }

  void is_there(Part& part) noexcept override {
    Cell_base& source = *part.source();
    if (source.state() == Cell_base::State::Full) {
      part.end();
      one_less();
      return;
    }
    const auto self = Ref<Gather>::adopt(this);
    Ref<Failure> failure = source.failure_for(context_->monitor);
    give_up_all_but(source);
    this->root()->set_failed(std::move(failure));
  }

  void is_out(Part& part) noexcept override {
    has_never_ = true;
    part.end();
    one_less();
  }

  void give_up_all_but(Cell_base& failed) noexcept {
    sources_.each([&](auto& deferred) {
      const auto root = Access::take(std::move(deferred));
      if (root && root.get() != &failed) root->give_up();
    });
    for (std::size_t i = 0; i < sources_.size(); ++i) parts_[i].end();
  }

  void one_less() noexcept {
    if (--waiting_ > 0) return;
    const auto self = Ref<Gather>::adopt(this);
    if (has_never_) {
      this->root()->set_never();
    } else {
      try {
        sources_.collect(*this->root());
      } catch (...) {
        this->root()->set_failed(Failure::make(std::current_exception(), context_->monitor));
      }
    }
    // One that is a source of another, and so on, would else go with it, and recursively.
    sources_.each([](auto& deferred) { Access::take(std::move(deferred)); });
  }

  const Ref<Context> context_;
  Sources sources_;
  std::unique_ptr<Part[]> parts_;
  std::size_t waiting_ = 0;
  bool has_never_ = false;
};

template <class R, class Sources>
Deferred<R> gather(Sources sources) {
  auto* node = new Gather<R, Sources>(std::move(sources));
  Deferred<R> result = Access::deferred(Ref<Cell<R>>(Ref<Gather<R, Sources>>::share(node)));
  node->start();
  return result;
}

template <class A, class B>
struct Two_sources {
  Deferred<A> a;
  Deferred<B> b;

  static constexpr std::size_t size() { return 2; }
  template <class G>
  void each(G g) {
    g(a);
    g(b);
  }
  void collect(Cell<std::pair<Value_of<A>, Value_of<B>>>& result) {
    Value_of<A> first = take_value_of(a);
    result.fill(std::move(first), take_value_of(b));
  }
};

template <class T>
struct Many_sources {
  std::vector<Deferred<T>> deferreds;

  std::size_t size() const { return deferreds.size(); }
  template <class G>
  void each(G g) {
    for (Deferred<T>& deferred : deferreds) g(deferred);
  }
  template <class R>
  void collect(Cell<R>& result) {
    if constexpr (std::is_void_v<R>) {
      result.fill();
    } else {
      R values;
      values.reserve(deferreds.size());
      for (Deferred<T>& deferred : deferreds) values.push_back(take_value_of(deferred));
      result.fill(std::move(values));
    }
  }
};

}  // namespace internal

template <class A, class B>
auto both(Deferred<A> a, Deferred<B> b) -> Deferred<std::pair<Value_of<A>, Value_of<B>>> {
  using R = std::pair<Value_of<A>, Value_of<B>>;
  return internal::gather<R>(internal::Two_sources<A, B>{std::move(a), std::move(b)});
}

template <class T>
  requires(!std::is_void_v<T>)
Deferred<std::vector<T>> all(std::vector<Deferred<T>> deferreds) {
  return internal::gather<std::vector<T>>(internal::Many_sources<T>{std::move(deferreds)});
}

inline Deferred<> all_unit(std::vector<Deferred<>> deferreds) {
  return internal::gather<void>(internal::Many_sources<void>{std::move(deferreds)});
}

}  // namespace async
