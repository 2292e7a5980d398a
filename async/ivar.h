// async/ivar.h: the writing end of a Deferred.
//
// Layer: async.  Read next: deferred.h.

#pragma once

#include <concepts>
#include <exception>
#include <type_traits>
#include <utility>

#include "async/deferred.h"

namespace async {

namespace internal {

/// `refuse_to_fill(cell)` throws `Already_filled` if its scheduler is at work.
void refuse_to_fill(const Cell_base& cell);

}  // namespace internal

/// An `Ivar<T>` is a cell that can be written once; `read()` is its reading end.  It is a
/// handle: copies share the cell.
///
/// - Scheduling: filling runs no handler; each becomes a job.
/// - Errors: when the last copy goes away unfilled, whoever waits for `read()` sees
///   `Abandoned`.  A failure that nobody takes goes to the monitor under which the ivar was
///   made.
/// - Lifetime: once its scheduler has ended an ivar may be asked and destroyed; filling it does
///   nothing.  A moved-from ivar may only be assigned to or destroyed.
/// - Threads: it belongs to the thread of the scheduler that it was made under.  From
///   another thread, see thread_safe.h.
template <class T = void>
class Ivar {
 public:
  /// `Ivar()` is empty.  Errors: throws `No_scheduler`.
  Ivar() : cell_(internal::Ref<internal::Ivar_cell<T>>::adopt(new internal::Ivar_cell<T>)) {}
  Ivar(const Ivar& other) noexcept : cell_(other.cell_) {
    if (cell_) cell_->add_writer();
  }
  Ivar(Ivar&& other) noexcept = default;
  Ivar& operator=(Ivar other) noexcept {
    std::swap(cell_, other.cell_);
    return *this;
  }
  ~Ivar() {
    if (cell_) cell_->remove_writer();
  }

  /// `fill(v)` determines `read()` with `v`.  Errors: throws `Already_filled` if it was.
  template <class... Args>
    requires std::constructible_from<Value_of<T>, Args&&...>
  void fill(Args&&... args) const;

  /// `fill_if_empty(v)` is `fill(v)` if nothing was written yet, and says whether it did.
  template <class... Args>
    requires std::constructible_from<Value_of<T>, Args&&...>
  bool fill_if_empty(Args&&... args) const;

  /// `fail(error)` makes `read()` fail.  Errors: throws `Already_filled` if it was written.
  void fail(const Error& error) const;
  void fail(std::exception_ptr exception) const { fail(Error(std::move(exception))); }
  template <class E>
    requires std::derived_from<std::remove_cvref_t<E>, std::exception>
  void fail(E&& exception) const {
    fail(Error(std::forward<E>(exception)));
  }

  /// `read()` is determined when this is filled, and fails when this does.  For values that
  /// cannot be copied, which have one consumer, a second `read()` fails with
  /// `std::logic_error`.
  Deferred<T> read() const;

  /// `is_full()` is true once this was filled or failed.
  bool is_full() const noexcept { return cell_->root()->is_determined(); }
  bool is_empty() const noexcept { return !is_full(); }

 private:
  internal::Ref<internal::Ivar_cell<T>> cell_;
};

template <class T>
template <class... Args>
  requires std::constructible_from<Value_of<T>, Args&&...>
void Ivar<T>::fill(Args&&... args) const {
  if (!fill_if_empty(std::forward<Args>(args)...)) [[unlikely]]
    internal::refuse_to_fill(*cell_);
}

template <class T>
template <class... Args>
  requires std::constructible_from<Value_of<T>, Args&&...>
bool Ivar<T>::fill_if_empty(Args&&... args) const {
  if (!cell_->is_live()) return false;
  internal::Cell<T>& root = *cell_->root();
  if (root.is_determined()) return false;
  root.fill(std::forward<Args>(args)...);
  return true;
}

template <class T>
void Ivar<T>::fail(const Error& error) const {
  if (!cell_->is_live()) return;
  const auto root = internal::Ref<internal::Cell<T>>::share(cell_->root());
  if (root->is_determined()) throw Already_filled();
  root->set_failed(internal::Failure::make(error, cell_->monitor));
}

template <class T>
Deferred<T> Ivar<T>::read() const {
  if constexpr (!Is_copyable<T>::value) {
    if (std::exchange(cell_->is_read, true)) {
      return failed<T>(Error(std::logic_error("an ivar of a move-only type was read twice")));
    }
  }
  return internal::Access::deferred(internal::Ref<internal::Cell<T>>(cell_));
}

}  // namespace async
