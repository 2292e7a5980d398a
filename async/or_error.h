// async/or_error.h: a value, or the error that came in its place.
//
// Layer: async.  Read next: try_with.h.

#pragma once

#include <expected>

#include "async/error.h"

namespace async {

/// An `Or_error<T>` is a `T` or an `Error`.  (`Or_error.t` in OCaml.)
template <class T>
using Or_error = std::expected<T, Error>;

}  // namespace async
