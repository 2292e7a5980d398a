# A compiler that breaks coroutines is refused, by the sources and by an installed copy.
. "$(dirname "$0")/common.sh"

if configure "$source" sources -DCMAKE_CXX_COMPILER="$gcc_12" >/dev/null 2>"$work/errors"; then
  fail "it is taken"
fi
expect_refusal "$work/errors"

install_it
copy_programs
if configure "$here/consumer" consumer -DCMAKE_CXX_COMPILER="$gcc_12" -DPROGRAMS="$work/programs" \
  -DCMAKE_PREFIX_PATH="$work/installed" >/dev/null 2>"$work/errors"; then
  fail "it is taken by the installed copy"
fi
expect_refusal "$work/errors"

# Who has gone around that is told by the compiler.
echo '#include "async/async.h"' >"$work/program.cc"
if "$gcc_12" -std=c++23 -I"$source" -fsyntax-only "$work/program.cc" 2>"$work/errors"; then
  fail "the headers can be compiled"
fi
grep -q "clang" "$work/errors" || fail "the headers say: $(cat "$work/errors")"
