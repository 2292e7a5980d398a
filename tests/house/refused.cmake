# What a Deferred refuses at compile time, each with a sentence that says what to do instead.

function(async_uv_add_refusal name code sentence)
  set(source ${CMAKE_CURRENT_BINARY_DIR}/refused/${name}.cc)
  file(CONFIGURE OUTPUT ${source} CONTENT "#include \"async/async.h\"\n${code}\n" @ONLY)
  add_test(NAME house/refused/${name}
           COMMAND ${CMAKE_CXX_COMPILER} -std=c++23 -Wall -Werror -fsyntax-only
                   -I${PROJECT_SOURCE_DIR} ${source})
  set_tests_properties(house/refused/${name} PROPERTIES PASS_REGULAR_EXPRESSION "${sentence}")
endfunction()

async_uv_add_refusal(a_reference "async::Deferred<int&> d;" "a Deferred holds values")
async_uv_add_refusal(a_constant "async::Deferred<const int> d;" "hands its value out as const anyway")
async_uv_add_refusal(a_deferred "async::Deferred<async::Deferred<int>> d;" "use bind, which flattens")
async_uv_add_refusal(dropping "async::Deferred<> f(); void g() { f(); }" "nodiscard")
