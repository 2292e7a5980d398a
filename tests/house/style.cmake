# clang-format and clang-tidy find nothing to change.  (Other versions than 19 see things differently.)

find_program(CLANG_FORMAT clang-format-19)
find_program(CLANG_TIDY clang-tidy-19)

set(library_folders async reader_writer tcp)
set(patterns)
foreach(folder IN LISTS library_folders ITEMS examples tests)
  list(APPEND patterns ${PROJECT_SOURCE_DIR}/${folder}/*.h ${PROJECT_SOURCE_DIR}/${folder}/*.cc)
endforeach()
file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${patterns})
# Written elsewhere, and kept as they are.
list(FILTER sources EXCLUDE REGEX "/examples/(deferreds|echo_server|handler_errors|scoped_client)\\.cc$")

if(CLANG_FORMAT)
  add_test(NAME house/clang_format COMMAND ${CLANG_FORMAT} --dry-run -Werror ${sources})
endif()

if(CLANG_TIDY AND CMAKE_EXPORT_COMPILE_COMMANDS)
  list(FILTER sources INCLUDE REGEX "\\.cc$")
  list(FILTER sources EXCLUDE REGEX "^${PROJECT_SOURCE_DIR}/tests/|/check_compiler\\.cc$")
  foreach(source IN LISTS sources)
    file(RELATIVE_PATH name ${PROJECT_SOURCE_DIR} ${source})
    add_test(NAME house/clang_tidy/${name}
             COMMAND ${CLANG_TIDY} -p ${PROJECT_BINARY_DIR} --quiet ${source})
  endforeach()
endif()
