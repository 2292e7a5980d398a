# Defines the targets async_uv_ssl and async_uv_crypto if the system has BoringSSL.  It is looked for as Debian
# has it, apart from OpenSSL; BORINGSSL_INCLUDE_DIR chooses another copy, whose libraries are beside it.  The
# installed package uses this too.

if(NOT TARGET async_uv_ssl)
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
  endif()
endif()
