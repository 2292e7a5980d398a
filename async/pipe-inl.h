// async/pipe-inl.h: the bodies of pipe.h.  Include that instead.
//
// Layer: async.

#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <utility>

#include "async/internal/ends_with_scheduler.h"
#include "async/internal/ring.h"
#include "async/ivar.h"
#include "async/pipe.h"

namespace async::Pipe {

namespace internal {

using async::internal::Cell;
using async::internal::Ref;

/// What both ends share.  It is closed when the scheduler ends, because handlers of its readers
/// often hold the pipe themselves.
template <class T>
class State final : public async::internal::Shared, public async::internal::Ends_with_scheduler {
 public:
  explicit State(std::size_t size_budget) : size_budget(size_budget) {
    async::internal::add_open(*this);
  }

  void scheduler_ends() noexcept override {
    const auto self = Ref<State>::share(this);
    close_read();
  }

  void write(T value) {
    if (Cell<Read_result<T>>* reader = next_reader()) {
      const auto waiting = Ref<Cell<Read_result<T>>>::share(reader);
      readers_.pop_front();
      if (waiting->is_live()) waiting->root()->fill(std::move(value));
      return;
    }
    values.push_back(std::move(value));
    if (values.size() > size_budget && !pushback) pushback.emplace();
  }

  Deferred<> when_within_budget() { return pushback ? pushback->read() : determined(); }

  Deferred<Read_result<T>> read() {
    auto result = Ref<Cell<Read_result<T>>>::adopt(new async::internal::Plain_cell<Read_result<T>>);
    if (!values.is_empty()) {
      result->fill(std::move(values.front()));
      values.pop_front();
      if (values.size() <= size_budget) let_writers_go_on();
    } else if (is_closed) {
      result->fill(std::unexpected(Eof()));
    } else {
      if (readers_.size() >= num_readers_to_sift_) forget_dropped_readers();
      readers_.push_back(result);
    }
    return async::internal::Access::deferred(std::move(result));
  }

  void close() {
    if (std::exchange(is_closed, true)) return;
    while (!readers_.is_empty()) {
      const Ref<Cell<Read_result<T>>> reader = std::move(readers_.front());
      readers_.pop_front();
      if (reader->is_live()) reader->root()->fill(std::unexpected(Eof()));
    }
    let_writers_go_on();
    closed.fill_if_empty();
  }
  void close_read() {
    close();
    const auto dropped = std::move(values);  // whose destructors may come back here
  }

  const std::size_t size_budget;
  async::internal::Ring<T> values;
  std::optional<Ivar<>> pushback;  // there while the pipe is beyond its budget
  Ivar<> closed;
  bool is_closed = false;
  int num_writers = 1;
  int num_readers = 1;

 private:
  ~State() override {
    // Nobody is left who could read or write: whoever still waits sees the end.
    close();
  }

  void let_writers_go_on() {
    if (const auto waiting = std::exchange(pushback, std::nullopt)) waiting->fill();
  }

  // The first who still waits.
  Cell<Read_result<T>>* next_reader() {
    while (!readers_.is_empty()) {
      Cell<Read_result<T>>* reader = readers_.front().get();
      if (reader->is_wanted()) return reader;
      readers_.pop_front();
    }
    return nullptr;
  }

  // Before there is twice as many as there were after the last time, so each costs little.
  void forget_dropped_readers() {
    for (std::size_t left = readers_.size(); left > 0; --left) {
      auto reader = std::move(readers_.front());
      readers_.pop_front();
      if (reader->is_wanted()) readers_.push_back(std::move(reader));
    }
    num_readers_to_sift_ = std::max<std::size_t>(8, 2 * readers_.size());
  }

  async::internal::Ring<Ref<Cell<Read_result<T>>>> readers_;
  std::size_t num_readers_to_sift_ = 8;
};

}  // namespace internal

template <class T>
Deferred<> Writer<T>::write(T value) const {
  if (state_->is_closed) return failed(Error(Write_to_closed_pipe()));
  state_->write(std::move(value));
  return state_->when_within_budget();
}
template <class T>
void Writer<T>::write_without_pushback(T value) const {
  if (!write_without_pushback_if_open(std::move(value))) throw Write_to_closed_pipe();
}
template <class T>
bool Writer<T>::write_without_pushback_if_open(T value) const {
  if (state_->is_closed) return false;
  state_->write(std::move(value));
  return true;
}
template <class T>
Deferred<> Writer<T>::pushback() const {
  return state_->when_within_budget();
}
template <class T>
void Writer<T>::close() const {
  state_->close();
}
template <class T>
Deferred<> Writer<T>::closed() const {
  return state_->closed.read();
}
template <class T>
bool Writer<T>::is_closed() const noexcept {
  return state_->is_closed;
}
template <class T>
std::size_t Writer<T>::length() const noexcept {
  return state_->values.size();
}
template <class T>
std::size_t Writer<T>::size_budget() const noexcept {
  return state_->size_budget;
}
template <class T>
Writer<T>::Writer(async::internal::Ref<internal::State<T>> state) noexcept
    : state_(std::move(state)) {}
template <class T>
Writer<T>::Writer(const Writer& other) noexcept : state_(other.state_) {
  if (state_) ++state_->num_writers;
}
template <class T>
Writer<T>& Writer<T>::operator=(Writer other) noexcept {
  std::swap(state_, other.state_);
  return *this;
}
template <class T>
Writer<T>::~Writer() {
  if (state_ && --state_->num_writers == 0) state_->close();
}

template <class T>
Deferred<Read_result<T>> Reader<T>::read() const {
  return state_->read();
}
template <class T>
template <class F>
Deferred<> Reader<T>::iter(F f) const {
  const Reader self = *this;
  while (Read_result<T> value = co_await self.read()) {
    if constexpr (std::is_void_v<std::invoke_result_t<F&, T>>) {
      f(std::move(*value));
    } else {
      co_await f(std::move(*value));
    }
  }
}
template <class T>
void Reader<T>::close_read() const {
  state_->close_read();
}
template <class T>
Deferred<> Reader<T>::closed() const {
  return state_->closed.read();
}
template <class T>
bool Reader<T>::is_closed() const noexcept {
  return state_->is_closed;
}
template <class T>
std::size_t Reader<T>::length() const noexcept {
  return state_->values.size();
}
template <class T>
Reader<T>::Reader(async::internal::Ref<internal::State<T>> state) noexcept
    : state_(std::move(state)) {}
template <class T>
Reader<T>::Reader(const Reader& other) noexcept : state_(other.state_) {
  if (state_) ++state_->num_readers;
}
template <class T>
Reader<T>& Reader<T>::operator=(Reader other) noexcept {
  std::swap(state_, other.state_);
  return *this;
}
template <class T>
Reader<T>::~Reader() {
  if (state_ && --state_->num_readers == 0) state_->close_read();
}

template <class T>
auto make_ends(std::size_t size_budget) {
  auto state = async::internal::Ref<internal::State<T>>::adopt(new internal::State<T>(size_budget));
  return Ends<T>{Reader<T>(state), Writer<T>(state)};
}

template <class T>
Ends<T> create(Options options) {
  return make_ends<T>(options.size_budget);
}

}  // namespace async::Pipe
