# Defines the target async_uv_libuv if the system has libuv.  The installed package uses this too.

if(NOT TARGET async_uv_libuv)
  find_package(libuv CONFIG QUIET)
  if(TARGET libuv::uv)
    add_library(async_uv_libuv INTERFACE IMPORTED GLOBAL)
    target_link_libraries(async_uv_libuv INTERFACE libuv::uv)
  elseif(TARGET libuv::uv_a)
    add_library(async_uv_libuv INTERFACE IMPORTED GLOBAL)
    target_link_libraries(async_uv_libuv INTERFACE libuv::uv_a)
  else()
    find_path(LIBUV_INCLUDE_DIR uv.h)
    find_library(LIBUV_LIBRARY NAMES uv libuv uv_a)
    mark_as_advanced(LIBUV_INCLUDE_DIR LIBUV_LIBRARY)
    if(LIBUV_INCLUDE_DIR AND LIBUV_LIBRARY)
      add_library(async_uv_libuv UNKNOWN IMPORTED GLOBAL)
      set_target_properties(async_uv_libuv PROPERTIES
        IMPORTED_LOCATION ${LIBUV_LIBRARY}
        INTERFACE_INCLUDE_DIRECTORIES ${LIBUV_INCLUDE_DIR}
        INTERFACE_LINK_LIBRARIES "${CMAKE_DL_LIBS}")
    endif()
  endif()
endif()
