# What those who use the library do with it.

find_program(GCC_12 g++-12)
file(GLOB scripts CONFIGURE_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/*_test.sh)
foreach(script IN LISTS scripts)
  cmake_path(GET script STEM name)
  string(REGEX REPLACE "_test$" "" name ${name})
  if(name STREQUAL "gcc_12" AND NOT GCC_12)
    message(STATUS "async_uv: there is no GCC 12, so that it is refused is not tested")
    continue()
  endif()
  add_test(NAME packaging/${name} COMMAND bash ${script} ${PROJECT_SOURCE_DIR} ${PROJECT_BINARY_DIR}
                                          ${CMAKE_CXX_COMPILER} "${GCC_12}")
  set_tests_properties(packaging/${name} PROPERTIES LABELS release TIMEOUT 600
                                                     SKIP_RETURN_CODE 77)
endforeach()
