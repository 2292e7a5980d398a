#Each header must compile alone, and all of them twice in one program.

file(GLOB_RECURSE headers CONFIGURE_DEPENDS RELATIVE ${PROJECT_SOURCE_DIR}
     ${PROJECT_SOURCE_DIR}/async/*.h ${PROJECT_SOURCE_DIR}/reader_writer/*.h
     ${PROJECT_SOURCE_DIR}/tcp/*.h)
list(FILTER headers EXCLUDE REGEX "-inl\\.h$")  # these are parts of others
if(NOT ASYNC_UV_TLS)
  list(FILTER headers EXCLUDE REGEX "^tcp/tls/")
endif()
set(alone_dir ${CMAKE_CURRENT_BINARY_DIR}/headers)
set(alone_sources "")
set(all_headers "")
foreach(header IN LISTS headers)
  string(REPLACE "/" "_" name ${header})
  set(source ${alone_dir}/${name}.cc)
  file(CONFIGURE OUTPUT ${source} CONTENT "#include \"${header}\"\n")
  list(APPEND alone_sources ${source})
  string(APPEND all_headers "#include \"${header}\"\n")
endforeach()

function(async_uv_compile_headers name)
  add_library(${name} OBJECT ${ARGN})
  target_link_libraries(${name} PRIVATE async_uv::async_uv async_uv_libuv
                                        $<TARGET_NAME_IF_EXISTS:async_uv_ssl>)
  target_compile_options(${name} PRIVATE -Wall -Wextra -Wpedantic -Werror)
endfunction()

async_uv_compile_headers(headers_alone ${alone_sources})
set_target_properties(headers_alone PROPERTIES CXX_EXTENSIONS OFF)

# With extensions, unix and linux are macros.
file(CONFIGURE OUTPUT ${alone_dir}/all_with_extensions.cc CONTENT "${all_headers}")
async_uv_compile_headers(headers_with_extensions ${alone_dir}/all_with_extensions.cc)
set_target_properties(headers_with_extensions PROPERTIES CXX_EXTENSIONS ON)

file(CONFIGURE OUTPUT ${alone_dir}/all_1.cc CONTENT "${all_headers}int main() {}\n")
file(CONFIGURE OUTPUT ${alone_dir}/all_2.cc CONTENT "${all_headers}")
add_executable(headers_twice ${alone_dir}/all_1.cc ${alone_dir}/all_2.cc)
target_link_libraries(headers_twice PRIVATE async_uv::async_uv async_uv_libuv async_uv_flags
                                          $<TARGET_NAME_IF_EXISTS:async_uv_ssl>)
add_test(NAME house/all_headers_twice_in_one_program COMMAND headers_twice)
