# find_package(async_uv CONFIG REQUIRED) defines async_uv::async_uv, and a target for each layer.

include(${CMAKE_CURRENT_LIST_DIR}/check_compiler.cmake)
include(CMakeFindDependencyMacro)
find_dependency(Threads)
include(${CMAKE_CURRENT_LIST_DIR}/find_libuv.cmake)
if(NOT TARGET async_uv_libuv)
  set(async_uv_FOUND FALSE)
  set(async_uv_NOT_FOUND_MESSAGE "async_uv needs libuv, which was not found")
  return()
endif()
include(${CMAKE_CURRENT_LIST_DIR}/async_uv_targets.cmake)
