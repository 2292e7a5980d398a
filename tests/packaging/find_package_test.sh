# An installed copy is found and used, by programs that do not know of the sources.
. "$(dirname "$0")/common.sh"

install_it
copy_programs
for folder in async/internal async/io async/testing reader_writer tcp tcp/tls; do
  [ -d "$work/installed/include/async_uv/$folder" ] || fail "no headers in $folder"
done
[ ! -e "$work/installed/include/async_uv/tcp/tls/internal" ] || fail "headers of BoringSSL's are needed"
strangers=$(find "$work/installed" -name 'uv.h' -o -name 'gtest*' -o -name '*benchmark*' -o -name '*_tests*' -o -name '*_test.*')
[ -z "$strangers" ] || fail "installed as well: $strangers"
if grep -rl "$source" "$work/installed" --include='*.cmake' --include='*.h'; then
  fail "the installed copy knows where it came from"
fi
configure "$here/consumer" consumer -DCMAKE_CXX_COMPILER="$compiler" -DPROGRAMS="$work/programs" \
  -DCMAKE_PREFIX_PATH="$work/installed" -DWITH_TLS=ON -DWITH_CURL=ON >/dev/null
build_and_run_programs consumer
build_and_run_tls consumer

# Beside OpenSSL, which libcurl loads, it says that it refuses.
output=$(run_tls "$work/consumer/tls_and_curl")
[[ $output == *"this program has loaded OpenSSL as well"*ASYNC_UV_BUILD_BORINGSSL* ]] || fail "tls_and_curl says: $output"

for program in deferreds echo_server; do
  if ldd "$work/consumer/$program" | grep ssl; then fail "$program needs BoringSSL"; fi
done

# Who asks for what is not there is told so.
rm "$work"/installed/lib*/cmake/async_uv/async_uv_tls_targets.cmake
if configure "$here/consumer" without -DCMAKE_CXX_COMPILER="$compiler" -DPROGRAMS="$work/programs" \
  -DCMAKE_PREFIX_PATH="$work/installed" -DWITH_TLS=ON >"$work/output" 2>&1; then
  fail "it was found without TLS"
fi
grep -q "this async_uv was installed without tls" "$work/output" || fail "it says: $(cat "$work/output")"
