# async_uv_find_boringssl() defines the targets async_uv_ssl and async_uv_crypto.  The system's copy is
# looked for as Debian has it, apart from OpenSSL; BORINGSSL_INCLUDE_DIR chooses another one, whose
# libraries are beside it.

function(async_uv_find_boringssl)
  if(TARGET async_uv_ssl)
    return()
  endif()
  find_path(BORINGSSL_INCLUDE_DIR openssl/is_boringssl.h PATH_SUFFIXES android)
  if(BORINGSSL_INCLUDE_DIR)
    cmake_path(GET BORINGSSL_INCLUDE_DIR PARENT_PATH prefix)
    set(places ${prefix}/lib ${prefix}/lib64)
    if(BORINGSSL_INCLUDE_DIR MATCHES "/android/?$")
      cmake_path(GET prefix PARENT_PATH prefix)
      set(places ${prefix}/lib/${CMAKE_LIBRARY_ARCHITECTURE}/android ${prefix}/lib/android)
    endif()
    find_library(BORINGSSL_SSL_LIBRARY ssl PATHS ${places} NO_DEFAULT_PATH)
    find_library(BORINGSSL_CRYPTO_LIBRARY crypto PATHS ${places} NO_DEFAULT_PATH)
  endif()
  mark_as_advanced(BORINGSSL_INCLUDE_DIR BORINGSSL_SSL_LIBRARY BORINGSSL_CRYPTO_LIBRARY)
  if(BORINGSSL_SSL_LIBRARY AND BORINGSSL_CRYPTO_LIBRARY)
    cmake_path(GET BORINGSSL_SSL_LIBRARY PARENT_PATH place)
    add_library(async_uv_crypto UNKNOWN IMPORTED GLOBAL)
    set_target_properties(async_uv_crypto PROPERTIES
      IMPORTED_LOCATION ${BORINGSSL_CRYPTO_LIBRARY}
      INTERFACE_INCLUDE_DIRECTORIES ${BORINGSSL_INCLUDE_DIR}
      INTERFACE_LINK_OPTIONS "LINKER:-rpath,${place}")  # the loader does not look there
    add_library(async_uv_ssl UNKNOWN IMPORTED GLOBAL)
    set_target_properties(async_uv_ssl PROPERTIES
      IMPORTED_LOCATION ${BORINGSSL_SSL_LIBRARY}
      INTERFACE_LINK_LIBRARIES async_uv_crypto)
    return()
  endif()

  message(STATUS "async_uv: no BoringSSL in the system, building it")
  enable_language(C)
  enable_language(ASM)
  FetchContent_Declare(boringssl
    GIT_REPOSITORY https://github.com/google/boringssl.git
    GIT_TAG a0689af29e8e460f1e5380e0fb74cef1b342e810)
  FetchContent_GetProperties(boringssl)
  if(NOT boringssl_POPULATED)
    FetchContent_Populate(boringssl)
    # It is for those who are built with it, so it is static, and nothing of it is installed.
    set(BUILD_SHARED_LIBS OFF)
    set(BUILD_TESTING OFF)
    set(CMAKE_POSITION_INDEPENDENT_CODE ON)
    set(CMAKE_INSTALL_PREFIX_INITIALIZED_TO_DEFAULT FALSE)  # so that it leaves the prefix alone
    add_subdirectory(${boringssl_SOURCE_DIR} ${boringssl_BINARY_DIR} EXCLUDE_FROM_ALL)
  endif()
  add_library(async_uv_ssl ALIAS ssl)
  add_library(async_uv_crypto ALIAS crypto)
endfunction()
