// async/deferred-inl.h: the bodies of deferred.h.  Include that instead.
//
// Layer: async.

#pragma once

#include <type_traits>
#include <utility>

#include "async/deferred.h"
#include "async/internal/handlers-inl.h"

namespace async {

template <class T>
Deferred<T>::Deferred(const Deferred& other) noexcept
  requires(Is_copyable<T>::value)
    : cell_(other.cell_) {
  if (cell_) cell_->add_ref();
}
template <class T>
Deferred<T>::Deferred(Deferred&& other) noexcept : cell_(std::exchange(other.cell_, nullptr)) {}
template <class T>
Deferred<T>& Deferred<T>::operator=(const Deferred& other) noexcept
  requires(Is_copyable<T>::value)
{
  return *this = Deferred(other);
}
template <class T>
Deferred<T>& Deferred<T>::operator=(Deferred&& other) noexcept {
  Deferred taken(std::move(other));
  std::swap(cell_, taken.cell_);
  return *this;
}
template <class T>
Deferred<T>::~Deferred() {
  if (cell_) cell_->release();
}

template <class T>
template <internal::Handler<T, false> F>
void Deferred<T>::upon(F f) const& {
  if (auto* source = internal::Access::root(*this)) {
    source->wait(*new internal::Upon<T, F, false>(std::move(f)));
  }
}
template <class T>
template <internal::Handler<T, true> F>
void Deferred<T>::upon(F f) && {
  if (auto source = internal::Access::take(std::move(*this))) {
    auto* waiter = new internal::Upon<T, F, true>(std::move(f));
    internal::Cell_base::wait_for(std::move(source), *waiter);
  }
}

template <class T>
template <internal::Handler<T, false> F>
auto Deferred<T>::map(F f) const& -> Deferred<std::decay_t<internal::Handler_result<F, T, false>>> {
  using U = std::decay_t<internal::Handler_result<F, T, false>>;
  using Node = internal::Map_cell<T, U, F, false>;
  return internal::wait_for<Node, U>(internal::Access::root(*this), std::move(f));
}
template <class T>
template <internal::Handler<T, true> F>
auto Deferred<T>::map(F f) && -> Deferred<std::decay_t<internal::Handler_result<F, T, true>>> {
  using U = std::decay_t<internal::Handler_result<F, T, true>>;
  using Node = internal::Map_cell<T, U, F, true>;
  return internal::wait_for<Node, U>(internal::Access::take(std::move(*this)), std::move(f));
}

template <class T>
template <internal::Handler<T, false> F>
auto Deferred<T>::bind(F f) const& -> internal::Handler_result<F, T, false> {
  using Result = internal::Handler_result<F, T, false>;
  static_assert(internal::is_deferred<Result>, "bind's function returns a Deferred; use map");
  using U = internal::Value_in<Result>;
  using Node = internal::Bind_cell<T, U, F, false>;
  return internal::wait_for<Node, U>(internal::Access::root(*this), std::move(f));
}
template <class T>
template <internal::Handler<T, true> F>
auto Deferred<T>::bind(F f) && -> internal::Handler_result<F, T, true> {
  using Result = internal::Handler_result<F, T, true>;
  static_assert(internal::is_deferred<Result>, "bind's function returns a Deferred; use map");
  using U = internal::Value_in<Result>;
  using Node = internal::Bind_cell<T, U, F, true>;
  return internal::wait_for<Node, U>(internal::Access::take(std::move(*this)), std::move(f));
}

template <class T>
bool Deferred<T>::is_determined() const noexcept {
  const auto* root = internal::Access::root(*this);
  return root && root->is_determined();
}

template <class T>
std::optional<Value_of<T>> Deferred<T>::peek() const
  requires(Is_copyable<T>::value)
{
  auto* root = internal::Access::root(*this);
  if (!root || root->state() != internal::Cell_base::State::Full) return std::nullopt;
  return root->value();
}

template <class T>
void Deferred<T>::invariant() const {
  if (cell_) cell_->invariant();
}

template <class T>
Deferred<std::decay_t<T>> determined(T&& value) {
  using Value = std::decay_t<T>;
  return internal::Access::deferred(internal::Ref<internal::Cell<Value>>::adopt(
      new internal::Plain_cell<Value>(std::in_place, std::forward<T>(value))));
}
inline Deferred<> determined() {
  auto* cell = static_cast<internal::Cell<void>*>(internal::kernel().determined);
  return internal::Access::deferred(internal::Ref<internal::Cell<void>>::share(cell));
}

template <class T>
Deferred<T> failed(const Error& error) {
  auto cell = internal::Ref<internal::Cell<T>>::adopt(new internal::Plain_cell<T>);
  cell->set_failed(internal::Failure::make(error, internal::kernel().current->monitor));
  return internal::Access::deferred(std::move(cell));
}

inline void dont_wait_for(const Deferred<>& deferred) noexcept {
  if (auto* root = internal::Access::root(deferred)) root->send_failure();
}

template <class T>
auto or_error(Deferred<T> deferred) -> Deferred<Or_error<T>> {
  return internal::wait_for<internal::Or_error_cell<T>, Or_error<T>>(
      internal::Access::take(std::move(deferred)));
}

}  // namespace async
