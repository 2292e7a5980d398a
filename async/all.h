// async/all.h: waiting for several deferreds.
//
// Layer: async.  Read next: choose.h, for the first of several.

#pragma once

#include <tuple>
#include <utility>
#include <vector>

#include "async/deferred.h"

namespace async {

/// `both(a, b)` is determined with both values, once both are there.
///
/// - Errors: it fails as soon as one of them does.  The other goes on unwatched: if it fails
///   later, that goes to the log.
template <class A, class B>
auto both(Deferred<A> a, Deferred<B> b) -> Deferred<std::pair<Value_of<A>, Value_of<B>>>;

/// `all(ds)` is determined with the values in the order of `ds`, once all are there.
///
/// - Errors: as for `both`.
template <class T>
  requires(!std::is_void_v<T>)
Deferred<std::vector<T>> all(std::vector<Deferred<T>> deferreds);

/// `all_unit(ds)` is determined once all of `ds` are.
///
/// - Errors: as for `both`.
Deferred<> all_unit(std::vector<Deferred<>> deferreds);

}  // namespace async

#include "async/all-inl.h"  // IWYU pragma: export
