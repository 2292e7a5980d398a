// reader_writer/internal/read_op.h: what every function that reads is made of.
//
// Layer: reader_writer.  Read next: reader_writer/connection.h; reader.cc and splice.cc, which use
// it.

#pragma once

#include <exception>
#include <optional>
#include <utility>

#include "async/deferred.h"
#include "async/read_result.h"
#include "reader_writer/errors.h"
#include "reader_writer/internal/connection_handle.h"

namespace async::internal {

/// A read under way, which is its own result.  `Try` is called with the connection each time there
/// is something new, and returns the result once it can.  It takes nothing away before that.
template <class R, class Try>
class Read_op final : public Cell<R>, public Pending_read {
 public:
  Read_op(Ref<Connection> connection, Try t)
      : connection_(std::move(connection)),
        monitor_(kernel().current->monitor),
        try_(std::move(t)) {}

  bool try_to_finish() noexcept override {
    const auto self = Ref<Read_op>::share(this);
    try {
      std::optional<R> result = try_(*connection_);
      if (!result) return false;
      this->root()->fill(std::move(*result));
    } catch (...) {
      this->root()->set_failed(Failure::make(std::current_exception(), monitor_));
    }
    this->release();
    return true;
  }
  bool is_wanted() noexcept override {
    // Where a bind returned this, the one who waits is with the result of the bind.
    return this->refs() > 1 || this->root()->Cell_base::is_wanted();
  }
  void forget() noexcept override { this->release(); }

 private:
  void dispose() noexcept override {
    this->before_delete();
    delete this;
  }

  const Ref<Connection> connection_;
  const Ref<Monitor_core> monitor_;
  Try try_;
};

/// `start(handle, t)` is what `t` returns, now or once it can.  It fails if another read is under
/// way.
template <class R, class Try>
Deferred<R> start(const Connection_handle& handle, Try t) {
  Connection& connection = *handle;
  if (connection.is_reading()) return failed<R>(Error(Reader_in_use()));
  try {
    if (std::optional<R> result = t(connection)) return determined(std::move(*result));
  } catch (...) {
    return failed<R>(Error::current());
  }
  auto* op = new Read_op<R, Try>(Ref<Connection>::share(&connection), std::move(t));
  Deferred<R> result = Access::deferred(Ref<Cell<R>>(Ref<Read_op<R, Try>>::share(op)));
  connection.wait_to_read(*op);
  return result;
}

/// What a read gives that finds no more bytes: nothing yet, or the end.
template <class T>
std::optional<Read_result<T>> at_end(const Connection& connection) {
  if (connection.has_more_to_come()) return std::nullopt;
  if (connection.read_error()) std::rethrow_exception(connection.read_error());
  return std::unexpected(*connection.eof());
}

}  // namespace async::internal
