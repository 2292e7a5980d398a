// async/unit.h: the value of a Deferred<void>.
//
// Layer: async.  Read next: deferred.h.

#pragma once

#include <type_traits>

namespace async {

/// A type with one value, for templates that need a value where there is none.
struct Unit {
  friend bool operator==(Unit, Unit) = default;
};

/// What is stored for a `T`: `Unit` for `void`, else `T`.
template <class T>
using Value_of = std::conditional_t<std::is_void_v<T>, Unit, T>;

}  // namespace async
