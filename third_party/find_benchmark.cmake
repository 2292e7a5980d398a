# async_uv_find_benchmark() defines the targets benchmark::benchmark and benchmark::benchmark_main, of
# Google Benchmark.

function(async_uv_find_benchmark)
  if(TARGET benchmark::benchmark)
    return()
  endif()
  set(CMAKE_FIND_PACKAGE_TARGETS_GLOBAL TRUE)
  find_package(benchmark 1.7 CONFIG QUIET)
  if(benchmark_FOUND)
    return()
  endif()
  message(STATUS "async_uv: no Google Benchmark in the system, building it")
  FetchContent_Declare(benchmark
    GIT_REPOSITORY https://github.com/google/benchmark.git
    GIT_TAG eddb0241389718a23a42db6af5f0164b6e0139af)  # 1.9.4
  set(BENCHMARK_ENABLE_TESTING OFF CACHE BOOL "" FORCE)
  set(BENCHMARK_ENABLE_INSTALL OFF CACHE BOOL "" FORCE)
  FetchContent_MakeAvailable(benchmark)
endfunction()
