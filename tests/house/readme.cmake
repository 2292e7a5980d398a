# The program in README.md compiles, and does what it says.

set(readme ${PROJECT_SOURCE_DIR}/README.md)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${readme})
file(READ ${readme} text)
set(fence "```cpp\n")
string(FIND "${text}" "${fence}" begin)
string(LENGTH "${fence}" fence_length)
math(EXPR begin "${begin} + ${fence_length}")
string(SUBSTRING "${text}" ${begin} -1 text)
string(FIND "${text}" "```" end)
string(SUBSTRING "${text}" 0 ${end} program)
file(CONFIGURE OUTPUT readme.cc CONTENT "${program}" @ONLY)

add_executable(readme ${CMAKE_CURRENT_BINARY_DIR}/readme.cc)
target_link_libraries(readme PRIVATE async_uv::async_uv async_uv_flags)
add_test(NAME house/readme COMMAND readme)
set_tests_properties(house/readme PROPERTIES PASS_REGULAR_EXPRESSION "^hello\n$" TIMEOUT 60)
