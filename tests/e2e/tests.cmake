# Each script is a test of the examples against programs by others, in the build with sanitizers; those
# that move much are tests of the release build.

file(GLOB scripts CONFIGURE_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/*_test.sh)
file(GLOB tls_scripts CONFIGURE_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/tls_*_test.sh
     ${CMAKE_CURRENT_LIST_DIR}/https_*_test.sh ${CMAKE_CURRENT_LIST_DIR}/starttls_*_test.sh
     ${CMAKE_CURRENT_LIST_DIR}/testssl_test.sh)
if(NOT ASYNC_UV_TLS)
  list(REMOVE_ITEM scripts ${tls_scripts})
endif()
foreach(script IN LISTS scripts)
  cmake_path(GET script STEM name)
  string(REGEX REPLACE "_test$" "" name ${name})
  add_test(NAME e2e/${name} COMMAND bash ${script} $<TARGET_FILE_DIR:example_hello>)
  set_tests_properties(e2e/${name} PROPERTIES TIMEOUT 120)
  if(name MATCHES "^(proxy_of|tour)")
    set_tests_properties(e2e/${name} PROPERTIES LABELS release)
  endif()
endforeach()
# It may have to build the examples first.
set_tests_properties(e2e/tour PROPERTIES TIMEOUT 900 RUN_SERIAL TRUE)
if(ASYNC_UV_TLS)
  # It connects some hundred times, and takes a minute or two where nothing else runs.
  set_tests_properties(e2e/testssl PROPERTIES TIMEOUT 600)
endif()
