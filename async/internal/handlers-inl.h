// async/internal/handlers-inl.h: what upon, map, bind and or_error register.
//
// Layer: async.  Included by async/deferred-inl.h, after Deferred is there.  Read next: cell.h.

#pragma once

#include <exception>
#include <functional>
#include <memory>
#include <type_traits>
#include <utility>

#include "async/deferred.h"

namespace async::internal {

/// How the library gets at the cell of a deferred.
struct Access {
  template <class T>
  static Deferred<T> deferred(Ref<Cell<T>> cell) noexcept {
    return Deferred<T>(std::move(cell));
  }
  /// The root, or null for `never()` in all its forms.
  template <class T>
  static Cell<T>* root(const Deferred<T>& deferred) noexcept {
    Cell<T>* cell = deferred.cell_ ? deferred.cell_->root() : nullptr;
    return cell && cell->state() != Cell_base::State::Never ? cell : nullptr;
  }
  /// The root, in exchange for the handle.  (Not the link that the handle may refer to: only a
  /// reference of the root itself counts when a value is to be moved out.)
  template <class T>
  static Ref<Cell<T>> take(Deferred<T>&& deferred) noexcept {
    Cell<T>* cell = std::exchange(deferred.cell_, nullptr);
    if (cell && cell->state() >= Cell_base::State::Never) [[unlikely]]
      cell = static_cast<Cell<T>*>(Cell_base::take_link(cell));
    return Ref<Cell<T>>::adopt(cell);
  }
};

/// `take_value(cell)` moves the value out if the caller's is the only reference, else copies it.
template <class T>
T take_value(Cell<T>& cell) {
  if constexpr (Is_copyable<T>::value) {
    if (cell.refs() != 1) return T(std::as_const(cell.value()));
  }
  return T(std::move(cell.value()));
}

/// `call_with_value<R>(f, cell)` calls `f` with the value of a Full root, as `Handler_result` says.
/// What `f` returns becomes an `R` here, for it may refer to a copy of the value.
template <class R, bool moves, class F, class T>
R call_with_value(F& f, Cell<T>& cell) {
  if constexpr (std::is_void_v<T>) {
    return std::invoke_r<R>(f);
  } else if constexpr (!moves) {
    return std::invoke_r<R>(f, std::as_const(cell.value()));
  } else {
    if constexpr (Is_copyable<T>::value) {
      if (cell.refs() != 1) return std::invoke_r<R>(f, T(std::as_const(cell.value())));
    }
    return std::invoke_r<R>(f, std::move(cell.value()));
  }
}

/// `fill_with(cell, g)` fills an Empty root with what `g()` returns.
template <class T, class G>
void fill_with(Cell<T>& cell, G&& g) {
  if constexpr (std::is_void_v<T>) {
    g();
    cell.fill();
  } else {
    cell.fill(g());
  }
}

/// A callable that can be destroyed before the object that it lives in.
template <class F>
class Callable {
 public:
  explicit Callable(F&& f) : f_(std::move(f)) {}
  ~Callable()
    requires std::is_trivially_destructible_v<F>
  = default;
  ~Callable() { destroy(); }
  Callable(const Callable&) = delete;
  Callable& operator=(const Callable&) = delete;

  F& operator*() noexcept { return f_; }
  void destroy() noexcept {
    if constexpr (!std::is_trivially_destructible_v<F>) {
      if (std::exchange(is_here_, false)) std::destroy_at(&f_);
    }
  }

 private:
  union {
    F f_;
  };
  bool is_here_ = true;
};

template <class T>
Ref<Cell<T>> take_source(Waiter& waiter) noexcept {
  return Ref<Cell<T>>::adopt(static_cast<Cell<T>*>(waiter.take_source()));
}

/// What `upon` registers.  Whatever it waits on owns it.
template <class T, class F, bool moves>
class Upon final : public Owning_waiter, public Pooled {
 public:
  explicit Upon(F&& f) : f_(std::move(f)) {}
  ~Upon() = default;

  void run() noexcept override {
    const std::unique_ptr<Upon> self(this);
    const Ref<Cell<T>> source = take_source<T>(*this);
    if (source->state() == Cell_base::State::Full) {
      try {
        call_with_value<void, moves>(f_, *source);
      } catch (...) {
        context->monitor->receive(Error::current());
      }
    } else if (!source->is_taken()) {
      context->monitor->receive(source->take_error());
    }
  }
  void never_runs() noexcept override { delete this; }

 private:
  F f_;
};

/// The result of `map`, and its handler.  What it waits on owns a reference of it.
template <class T, class U, class F, bool moves>
class Map_cell final : public Cell<U>, public Owning_waiter {
 public:
  explicit Map_cell(F&& f) : f_(std::move(f)) {}

  void run() noexcept override {
    const auto self = Ref<Map_cell>::adopt(this);
    const Ref<Cell<T>> source = take_source<T>(*this);
    Cell<U>& result = *this->root();
    if (source->state() == Cell_base::State::Full) {
      try {
        fill_with(result, [&] { return call_with_value<U, moves>(*f_, *source); });
      } catch (...) {
        result.set_failed(Failure::make(std::current_exception(), context->monitor));
      }
    } else {
      result.set_failed(source->failure_for(context->monitor));
    }
    f_.destroy();
  }
  void never_runs() noexcept override {
    const auto self = Ref<Map_cell>::adopt(this);
    f_.destroy();
    this->root()->set_never();
  }

 private:
  void dispose() noexcept override {
    this->before_delete();
    delete this;
  }

  Callable<F> f_;
};

/// The result of `bind`, its handler, and the callable that is kept.
template <class T, class U, class F, bool moves>
class Bind_cell final : public Cell<U>, public Owning_waiter, public Kept {
 public:
  explicit Bind_cell(F&& f) : f_(std::move(f)) { this->type = &type_tag<F>; }

  void run() noexcept override {
    const auto self = Ref<Bind_cell>::adopt(this);
    const Ref<Cell<T>> source = take_source<T>(*this);
    Cell<U>& result = *this->root();
    if (source->state() != Cell_base::State::Full) {
      f_.destroy();
      result.set_failed(source->failure_for(context->monitor));
      return;
    }
    try {
      connect(result, call_with_value<Deferred<U>, moves>(*f_, *source));
    } catch (...) {
      f_.destroy();
      result.set_failed(Failure::make(std::current_exception(), context->monitor));
    }
  }
  void never_runs() noexcept override {
    const auto self = Ref<Bind_cell>::adopt(this);
    f_.destroy();
    this->root()->set_never();
  }

  void destroy_callable() noexcept override {
    this->add_ref();
    f_.destroy();
    this->release();
  }
  void let_go() noexcept override {
    this->add_ref();
    is_kept_ = false;
    f_.destroy();
    this->release();
  }

 private:
  void dispose() noexcept override {
    // While the root that this links to keeps the callable, it owns the memory as well.
    if (is_kept_ && this->state() == Cell_base::State::Link) return;
    this->before_delete();
    delete this;
  }

  // Gives `result` the outcome of what `f` returned, now or once it has one.
  void connect(Cell<U>& result, Deferred<U> returned) {
    result.supersede(this->type);  // which may determine what was returned
    const Ref<Cell<U>> inner = Access::take(std::move(returned));
    if (inner.get() == &result) {  // `f` returned the result of its own bind
      f_.destroy();
      result.remove_writer();
    } else if (!inner) {
      keep_callable(result);
      result.set_never();
    } else if (inner->state() == Cell_base::State::Empty) {
      inner->link_to(result);
      keep_callable(result);
    } else {
      if (inner->state() == Cell_base::State::Full) {
        fill_with(result, [&] { return take_value(*inner); });
      } else {
        result.set_failed(inner->failure_for(context->monitor));
      }
      f_.destroy();
    }
  }
  void keep_callable(Cell<U>& result) noexcept {
    if constexpr (has_captures<F>) {
      is_kept_ = true;
      result.keep(*this);
    } else {
      f_.destroy();
    }
  }

  Callable<F> f_;
  bool is_kept_ = false;
};

/// The result of `or_error`.
template <class T>
class Or_error_cell final : public Cell<Or_error<T>>, public Owning_waiter {
 public:
  void run() noexcept override {
    const auto self = Ref<Or_error_cell>::adopt(this);
    const Ref<Cell<T>> source = take_source<T>(*this);
    Cell<Or_error<T>>& result = *this->root();
    try {
      fill_from(result, *source);
    } catch (...) {
      result.set_failed(Failure::make(std::current_exception(), context->monitor));
    }
  }
  void never_runs() noexcept override {
    const auto self = Ref<Or_error_cell>::adopt(this);
    this->root()->set_never();
  }

  static void fill_from(Cell<Or_error<T>>& result, Cell<T>& source) {
    if (source.state() != Cell_base::State::Full) {
      result.fill(std::unexpected(source.take_error()));
    } else if constexpr (std::is_void_v<T>) {
      result.fill();
    } else {
      result.fill(take_value(source));
    }
  }

 private:
  void dispose() noexcept override {
    this->before_delete();
    delete this;
  }
};

/// `wait_for(source, args...)` makes a `Node`, which is a cell and its own handler, and lets it
/// wait for the root `source`.
template <class Node, class U, class T, class... Args>
Deferred<U> wait_for(Cell<T>* source, Args&&... args) {
  if (!source) return Deferred<U>();
  auto* node = new Node(std::forward<Args>(args)...);
  Deferred<U> result = Access::deferred(Ref<Cell<U>>(Ref<Node>::share(node)));
  source->wait(*node);
  return result;
}
template <class Node, class U, class T, class... Args>
Deferred<U> wait_for(Ref<Cell<T>> source, Args&&... args) {
  if (!source) return Deferred<U>();
  auto* node = new Node(std::forward<Args>(args)...);
  Deferred<U> result = Access::deferred(Ref<Cell<U>>(Ref<Node>::share(node)));
  Cell_base::wait_for(std::move(source), *node);
  return result;
}

}  // namespace async::internal
