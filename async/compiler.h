// async/compiler.h: refuses, at compile time, compilers that are known to break coroutines.
//
// Layer: async.  Included by async/deferred.h, so that no program can miss it.  The CMake
// package runs a probe as well, which also finds compilers that nobody has listed here.

#pragma once

#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ <= 12
#error \
    "async_uv: GCC 12 and older destroy the temporaries of a co_await expression twice. Use clang 16 or newer (Debian: clang++-19), or GCC 14 or newer."
#endif

#if !defined(__cpp_impl_coroutine) || __cplusplus < 202100L
#error "async_uv needs C++23 with coroutines: compile with -std=c++23."
#endif
