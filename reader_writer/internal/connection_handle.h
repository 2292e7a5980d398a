// reader_writer/internal/connection_handle.h: one handle of a connection.
//
// Layer: reader_writer.  Read next: reader_writer/connection.h.

#pragma once

#include <utility>

#include "reader_writer/connection.h"

namespace async::internal {

/// When the last handle of a connection goes away, the connection is closed.
class Connection_handle {
 public:
  explicit Connection_handle(Ref<Connection> connection) noexcept
      : connection_(std::move(connection)) {
    connection_->add_handle();
  }
  Connection_handle(const Connection_handle& other) noexcept : connection_(other.connection_) {
    if (connection_) connection_->add_handle();
  }
  Connection_handle(Connection_handle&&) noexcept = default;
  Connection_handle& operator=(Connection_handle other) noexcept {
    std::swap(connection_, other.connection_);
    return *this;
  }
  ~Connection_handle() {
    if (connection_) connection_->remove_handle();
  }

  Connection& operator*() const noexcept { return *connection_; }
  Connection* operator->() const noexcept { return connection_.get(); }

 private:
  Ref<Connection> connection_;
};

}  // namespace async::internal
