// async/uv/handle.h: libuv's handles, which end some time after they are closed.
//
// Layer: async/uv.  Read next: uv_backend.h, fd_watch.h.

#pragma once

#include <uv.h>

#include <memory>

#include "async/internal/thread_state.h"

namespace async::internal {

/// A libuv handle of type `H`, and whom its callbacks are for.  It lives until libuv has called
/// back after `uv_close`.
template <class H>
struct Handle final : public Pooled {
  explicit Handle(void* owner) : owner(owner) { uv.data = this; }

  H uv{};
  void* owner;

  /// `owner_of<T>(uv)` is called in a callback.
  template <class T>
  static T& owner_of(const H* uv) noexcept {
    return *static_cast<T*>(static_cast<Handle*>(uv->data)->owner);
  }
};

struct Close_handle {
  template <class H>
  void operator()(Handle<H>* handle) const noexcept {
    uv_close(reinterpret_cast<uv_handle_t*>(&handle->uv),
             [](uv_handle_t* uv) { delete static_cast<Handle<H>*>(uv->data); });
  }
};

/// Owns a handle that has been initialised.
template <class H>
using Handle_ptr = std::unique_ptr<Handle<H>, Close_handle>;

/// `make_handle<H>(owner, init)` is a handle that `init(uv)` initialised.  Errors: throws
/// `Io_error` if that returned an error; `doing` says at what.
void check_uv(int result, const char* doing);
template <class H, class Init>
Handle_ptr<H> make_handle(void* owner, const char* doing, Init init) {
  auto raw = std::make_unique<Handle<H>>(owner);
  check_uv(init(&raw->uv), doing);
  return Handle_ptr<H>(raw.release());
}

}  // namespace async::internal
