# An installed copy is found and used, by programs that do not know of the sources.
. "$(dirname "$0")/common.sh"

install_it
copy_programs
for folder in async/internal async/io async/testing reader_writer tcp; do
  [ -d "$work/installed/include/async_uv/$folder" ] || fail "no headers in $folder"
done
strangers=$(find "$work/installed" -name 'uv.h' -o -name 'gtest*' -o -name '*benchmark*' -o -name '*_tests*' -o -name '*_test.*')
[ -z "$strangers" ] || fail "installed as well: $strangers"
if grep -rl "$source" "$work/installed" --include='*.cmake' --include='*.h'; then
  fail "the installed copy knows where it came from"
fi
configure "$here/consumer" consumer -DCMAKE_CXX_COMPILER="$compiler" -DPROGRAMS="$work/programs" \
  -DCMAKE_PREFIX_PATH="$work/installed" >/dev/null
build_and_run_programs consumer
