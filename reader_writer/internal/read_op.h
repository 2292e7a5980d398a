// reader_writer/internal/read_op.h: what every function that reads is made of.
//
// Layer: reader_writer.  Read next: reader_writer/connection.h; reader.cc and splice.cc, which use
// it.

#pragma once

#include <exception>
#include <expected>
#include <utility>

#include "async/deferred.h"
#include "async/read_result.h"
#include "reader_writer/errors.h"
#include "reader_writer/internal/connection_handle.h"

namespace async::internal {

/// A read under way, which is its own result.  `Try` is called as `t(connection, give)` each time
/// there is something new.  Once it can, it calls `give` with what the result is made of, takes
/// away what that is, and returns true.  Before that it returns false, and takes nothing away; nor
/// does it if it throws.
template <class R, class Try>
class Read_op final : public Cell<R>, public Pending_read {
 public:
  Read_op(Ref<Connection> connection, Try t)
      : connection_(std::move(connection)),
        monitor_(kernel().current->monitor),
        try_(std::move(t)) {}

  bool try_to_finish() noexcept override {
    const auto self = Ref<Read_op>::share(this);
    const auto give = [this]<class... Args>(Args&&... args) {
      this->root()->construct(std::forward<Args>(args)...);
    };
    try {
      if (!try_(*connection_, give)) return false;
      this->root()->set_full();
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

template <class R, class Try>
[[gnu::noinline]] Deferred<R> wait_to_read(Connection& connection, Try t) {
  auto* op = new Read_op<R, Try>(Ref<Connection>::share(&connection), std::move(t));
  Deferred<R> result = Access::deferred(Ref<Cell<R>>(Ref<Read_op<R, Try>>::share(op)));
  connection.wait_to_read(*op);
  return result;
}

/// `start(handle, t)` is what `t` gives, now or once it can.  It fails if another read is under
/// way.
template <class R, class Try>
[[gnu::always_inline]] inline Deferred<R> start(const Connection_handle& handle, Try t) {
  Connection& connection = *handle;
  if (connection.is_reading()) [[unlikely]]
    return failed<R>(Error(Reader_in_use()));
  // What has arrived already is put right where the caller will find it.
  Ref<Cell<R>> result;
  const auto give = [&result]<class... Args>(Args&&... args) {
    result = Ref<Cell<R>>::adopt(new Plain_cell<R>(std::in_place, std::forward<Args>(args)...));
  };
  try {
    if (!connection.is_paused() && t(connection, give)) return Access::deferred(std::move(result));
  } catch (...) {
    return failed<R>(Error::current());
  }
  return wait_to_read<R>(connection, std::move(t));
}

/// What a read does that finds no more bytes: gives the end, or nothing yet.
template <class Give>
bool at_end(const Connection& connection, const Give& give) {
  if (connection.has_more_to_come()) return false;
  if (connection.read_error()) std::rethrow_exception(connection.read_error());
  give(std::unexpect, *connection.eof());
  return true;
}

}  // namespace async::internal
