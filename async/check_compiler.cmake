# Refuses a compiler that breaks coroutines.  Included by this project, and by its installed package.

include_guard(GLOBAL)

function(async_uv_check_compiler)
  if(DEFINED async_uv_compiler_works)
    return()
  endif()
  set(remedy "use clang++-19 (Debian's package clang-19): -DCMAKE_CXX_COMPILER=clang++-19")
  if(CMAKE_CROSSCOMPILING)
    return()
  endif()
  try_run(probe_result probe_compiles
          ${CMAKE_BINARY_DIR}/async_uv_check_compiler ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/check_compiler.cc
          CXX_STANDARD 23 CXX_STANDARD_REQUIRED ON CXX_EXTENSIONS OFF
          COMPILE_OUTPUT_VARIABLE probe_output)
  if(NOT probe_compiles)
    message(FATAL_ERROR "async_uv: this compiler (${CMAKE_CXX_COMPILER_ID} "
      "${CMAKE_CXX_COMPILER_VERSION}) lacks what C++23 code needs; ${remedy}.\n${probe_output}")
  endif()
  if(NOT probe_result EQUAL 0)
    message(FATAL_ERROR "async_uv: this compiler (${CMAKE_CXX_COMPILER_ID} "
      "${CMAKE_CXX_COMPILER_VERSION}) destroys the temporaries of a co_await expression twice; ${remedy}.")
  endif()
  set(async_uv_compiler_works TRUE CACHE INTERNAL "what async/check_compiler.cmake found")
endfunction()

async_uv_check_compiler()
