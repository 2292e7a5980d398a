# async_uv_need_boringssl() defines the targets async_uv_ssl and async_uv_crypto: the system's copy, or one that
# is built here; always the latter if ASYNC_UV_BUILD_BORINGSSL is on.

option(ASYNC_UV_BUILD_BORINGSSL
       "Build a BoringSSL that only async_uv sees, for programs that load OpenSSL as well" OFF)

function(async_uv_need_boringssl)
  if(NOT ASYNC_UV_BUILD_BORINGSSL)
    include(${CMAKE_CURRENT_FUNCTION_LIST_DIR}/find_boringssl.cmake)
  endif()
  if(TARGET async_uv_ssl)
    return()
  endif()

  message(STATUS "async_uv: building BoringSSL")
  enable_language(C)
  enable_language(ASM)
  FetchContent_Declare(boringssl
    GIT_REPOSITORY https://github.com/google/boringssl.git
    GIT_TAG a0689af29e8e460f1e5380e0fb74cef1b342e810)
  FetchContent_GetProperties(boringssl)
  if(NOT boringssl_POPULATED)
    FetchContent_Populate(boringssl)
    # Static and hidden, so that nobody else in the program can take its functions for OpenSSL's, which have
    # the same names.
    set(BUILD_SHARED_LIBS OFF)
    set(BUILD_TESTING OFF)
    set(CMAKE_POSITION_INDEPENDENT_CODE ON)
    set(CMAKE_C_VISIBILITY_PRESET hidden)
    set(CMAKE_CXX_VISIBILITY_PRESET hidden)
    set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
    set(CMAKE_INSTALL_PREFIX_INITIALIZED_TO_DEFAULT FALSE)  # so that it leaves the prefix alone
    add_subdirectory(${boringssl_SOURCE_DIR} ${boringssl_BINARY_DIR} EXCLUDE_FROM_ALL)
  endif()
  add_library(async_uv_ssl ALIAS ssl)
  add_library(async_uv_crypto ALIAS crypto)
endfunction()
